"""The shape of the Jobs API, made by `tools/api_shapes.py` from databricks-sdk 0.162.0: never edit it.

An object is `field:type` for each of its fields. A type is `text`, `int`, `float`, `bool`, `any`, an object or an enum;
`[x]` is a list and `{x}` a map with values of it; `!` follows the type of a field that the API needs.
`shapes` reads it.
"""

# ruff: noqa: E501

from typing import Final

SDK_VERSION: Final = "0.162.0"

ENUMS: Final[dict[str, str]] = {
    "AiExtractFunctionMode": "MODE_PRECISION",
    "AiParseDocumentFunctionDescriptionElementType": "DESCRIPTION_ELEMENT_TYPE_ALL DESCRIPTION_ELEMENT_TYPE_FIGURE",
    "AiRuntimeTaskPriorityClass": "BEST_EFFORT NORMAL",
    "AuthenticationMethod": "OAUTH PAT",
    "AwsAvailability": "ON_DEMAND SPOT SPOT_WITH_FALLBACK",
    "AzureAvailability": "ON_DEMAND_AZURE SPOT_AZURE SPOT_WITH_FALLBACK_AZURE",
    "ComputeSpecAcceleratorType": "GPU_1xA10 GPU_1xH100 GPU_8xB300 GPU_8xH100",
    "Condition": "ALL_UPDATED ANY_UPDATED",
    "ConditionTaskOp": "EQUAL_TO GREATER_THAN GREATER_THAN_OR_EQUAL LESS_THAN LESS_THAN_OR_EQUAL NOT_EQUAL",
    "ConfidentialComputeType": "CONFIDENTIAL_COMPUTE_TYPE_NONE SEV_SNP",
    "DataSecurityMode": (
        "DATA_SECURITY_MODE_AUTO DATA_SECURITY_MODE_DEDICATED DATA_SECURITY_MODE_STANDARD LEGACY_PASSTHROUGH "
        "LEGACY_SINGLE_USER LEGACY_SINGLE_USER_STANDARD LEGACY_TABLE_ACL NONE SINGLE_USER USER_ISOLATION"
    ),
    "DayOfWeek": "FRIDAY MONDAY SATURDAY SUNDAY THURSDAY TUESDAY WEDNESDAY",
    "DependencyMode": "DEPENDENCY_MODE_AUTO DEPENDENCY_MODE_CLUSTER_LIBRARIES DEPENDENCY_MODE_ENVIRONMENTS",
    "DurationTarget": "NO_FLEXIBILITY 4h 12h 24h 72h",
    "EbsVolumeType": "GENERAL_PURPOSE_SSD THROUGHPUT_OPTIMIZED_HDD",
    "Format": "MULTI_TASK SINGLE_TASK",
    "GcpAvailability": "ON_DEMAND_GCP PREEMPTIBLE_GCP PREEMPTIBLE_WITH_FALLBACK_GCP",
    "GitProvider": (
        "awsCodeCommit azureDevOpsServices bitbucketCloud bitbucketServer gitHub gitHubEnterprise gitLab "
        "gitLabEnterpriseEdition"
    ),
    "HardwareAcceleratorType": "GPU_1xA10 GPU_1xH100 GPU_8xB300 GPU_8xH100",
    "JobCompletionTriggerConfigurationIfStatus": "DONE FAILED SUCCESS",
    "JobDeploymentKind": "BUNDLE SYSTEM_MANAGED",
    "JobEditMode": "EDITABLE UI_LOCKED",
    "JobPermissionLevel": "CAN_MANAGE CAN_MANAGE_RUN CAN_VIEW IS_OWNER",
    "JobSourceDirtyState": "DISCONNECTED NOT_SYNCED",
    "JobsHealthMetric": (
        "RUN_DURATION_SECONDS STREAMING_BACKLOG_BYTES STREAMING_BACKLOG_FILES STREAMING_BACKLOG_RECORDS "
        "STREAMING_BACKLOG_SECONDS"
    ),
    "JobsHealthOperator": "GREATER_THAN",
    "Kind": "CLASSIC_PREVIEW",
    "ModelTriggerConfigurationCondition": "MODEL_ALIAS_SET MODEL_CREATED MODEL_VERSION_READY",
    "Outcome": "true false",
    "PauseStatus": "PAUSED UNPAUSED",
    "PerformanceTarget": "PERFORMANCE_OPTIMIZED STANDARD COST_OPTIMIZED",
    "PeriodicTriggerConfigurationTimeUnit": "DAYS HOURS MINUTES WEEKS",
    "RunIf": "ALL_DONE ALL_FAILED ALL_SUCCESS AT_LEAST_ONE_FAILED AT_LEAST_ONE_SUCCESS NONE_FAILED",
    "RunType": "JOB_RUN SUBMIT_RUN WORKFLOW_RUN",
    "RuntimeEngine": "NULL PHOTON STANDARD",
    "Source": "GIT WORKSPACE",
    "SqlConditionTriggerMode": "QUERY_RETURNS_ROWS RESULT_VALUE_CHANGES",
    "StorageMode": "DIRECT_QUERY DUAL IMPORT",
    "SubscriptionAttachmentDataAttachmentFileFormat": "FILE_FORMAT_CSV FILE_FORMAT_EXCEL FILE_FORMAT_TSV",
    "SubscriptionAttachmentPageAttachmentPageSelection": "PAGE_SELECTION_ALL PAGE_SELECTION_SUBSET",
    "TaskRetryMode": "NEVER ON_FAILURE",
    "ViewsToExport": "ALL CODE DASHBOARDS",
}

OBJECTS: Final[dict[str, str]] = {
    "Adlsgen2Info": "destination:text!",
    "AiClassifyFunction": (
        "version:text! enable_confidence_scores:bool enable_rationales:bool "
        "inline_labels:AiClassifyFunctionInlineLabels instructions:text multilabel:bool"
    ),
    "AiClassifyFunctionInlineLabels": "labels:[AiClassifyFunctionLabel]!",
    "AiClassifyFunctionLabel": "name:text! description:text",
    "AiExtractFunction": (
        "version:text! enable_citations:bool enable_confidence_scores:bool instructions:text "
        "mode:AiExtractFunctionMode schema:text"
    ),
    "AiFunctionTask": (
        "output:QualifiedName! ai_classify:AiClassifyFunction ai_extract:AiExtractFunction "
        "ai_parse_document:AiParseDocumentFunction delta_table:DeltaTableSource volume:VolumeSource"
    ),
    "AiParseDocumentFunction": (
        "version:text! description_element_types:[AiParseDocumentFunctionDescriptionElementType] "
        "image_output_path:text page_range:text"
    ),
    "AiRuntimeTask": (
        "experiment:text! deployments:[DeploymentSpec]! code_source_path:text docker_image_url:text "
        "mlflow_artifact_location:text mlflow_experiment_directory:text mlflow_run:text "
        "priority_class:AiRuntimeTaskPriorityClass unity_catalog_image_path:text"
    ),
    "AlertTask": "alert_id:text parameters:{text} subscribers:[AlertTaskSubscriber] warehouse_id:text workspace_path:text",
    "AlertTaskSubscriber": "destination_id:text user_name:text",
    "AutoScale": "max_workers:int min_workers:int",
    "AwsAttributes": (
        "availability:AwsAvailability ebs_volume_count:int ebs_volume_iops:int ebs_volume_size:int "
        "ebs_volume_throughput:int ebs_volume_type:EbsVolumeType first_on_demand:int instance_profile_arn:text "
        "spot_bid_price_percent:int zone_id:text"
    ),
    "AzureAttributes": (
        "availability:AzureAvailability capacity_reservation_group:text first_on_demand:int "
        "log_analytics_info:LogAnalyticsInfo spot_bid_max_price:float"
    ),
    "CancelAllRuns": "all_queued_runs:bool job_id:int",
    "CleanRoomsNotebookTask": "clean_room_name:text! notebook_name:text! etag:text notebook_base_parameters:{text}",
    "ClientsTypes": "jobs:bool notebooks:bool",
    "ClusterLogConf": "dbfs:DbfsStorageInfo s3:S3StorageInfo volumes:VolumesStorageInfo",
    "ClusterSpec": (
        "apply_policy_default_values:bool autoscale:AutoScale autotermination_minutes:int "
        "aws_attributes:AwsAttributes azure_attributes:AzureAttributes cluster_log_conf:ClusterLogConf "
        "cluster_name:text custom_tags:{text} data_security_mode:DataSecurityMode dependency_mode:DependencyMode "
        "docker_image:DockerImage driver_instance_pool_id:text driver_node_type_flexibility:NodeTypeFlexibility "
        "driver_node_type_id:text enable_elastic_disk:bool enable_local_disk_encryption:bool "
        "gcp_attributes:GcpAttributes init_scripts:[InitScriptInfo] instance_pool_id:text is_single_node:bool "
        "kind:Kind node_type_id:text num_workers:int policy_id:text remote_disk_throughput:int "
        "runtime_engine:RuntimeEngine single_user_name:text spark_conf:{text} spark_env_vars:{text} "
        "spark_version:text ssh_public_keys:[text] total_initial_remote_disk_size:int use_ml_runtime:bool "
        "worker_node_type_flexibility:NodeTypeFlexibility workload_type:WorkloadType"
    ),
    "Compute": "hardware_accelerator:HardwareAcceleratorType",
    "ComputeConfig": "num_gpus:int! gpu_node_pool_id:text gpu_type:text",
    "ComputeSpec": "accelerator_type:ComputeSpecAcceleratorType! accelerator_count:int! provisioned_capacity_id:text",
    "ConditionTask": "op:ConditionTaskOp! left:text! right:text!",
    "Continuous": "maintenance_window:MaintenanceWindow pause_status:PauseStatus task_retry_mode:TaskRetryMode",
    "ContinuousTriggerConfiguration": "maintenance_window:MaintenanceWindow task_retry_mode:TaskRetryMode",
    "CreateJob": (
        "access_control_list:[JobAccessControlRequest] budget_policy_id:text continuous:Continuous "
        "deployment:JobDeployment description:text duration_target:DurationTarget edit_mode:JobEditMode "
        "email_notifications:JobEmailNotifications environment_variables:[JobEnvironmentVariables] "
        "environments:[JobEnvironment] format:Format git_source:GitSource health:JobsHealthRules "
        "job_clusters:[JobCluster] max_concurrent_runs:int name:text notification_settings:JobNotificationSettings "
        "parameters:[JobParameterDefinition] parent_path:text performance_target:PerformanceTarget "
        "queue:QueueSettings run_as:JobRunAs schedule:CronSchedule tags:{text} tasks:[Task] timeout_seconds:int "
        "trigger:TriggerSettings triggers:[TriggerConfiguration] usage_policy_id:text "
        "webhook_notifications:WebhookNotifications"
    ),
    "CronSchedule": (
        "quartz_cron_expression:text! timezone_id:text! pause_status:PauseStatus "
        "sql_condition:SqlConditionConfiguration"
    ),
    "CronTriggerConfiguration": "quartz_cron_expression:text! timezone_id:text!",
    "DashboardTask": "dashboard_id:text filters:{text} subscription:Subscription warehouse_id:text",
    "DbfsStorageInfo": "destination:text!",
    "DbtCloudTask": "connection_resource_name:text dbt_cloud_job_id:int",
    "DbtPlatformTask": "connection_resource_name:text dbt_platform_job_id:text",
    "DbtTask": (
        "commands:[text]! catalog:text profiles_directory:text project_directory:text schema:text source:Source "
        "warehouse_id:text"
    ),
    "DeltaTableSource": "table_name:text! input_column:text! merge_key_columns:[text]",
    "DeploymentSpec": "compute:ComputeSpec! command_path:text name:text",
    "DockerBasicAuth": "password:text username:text",
    "DockerImage": "basic_auth:DockerBasicAuth url:text",
    "Environment": (
        "base_environment:text client:text dependencies:[text] environment_version:text java_dependencies:[text] "
        "project_environment:text"
    ),
    "ExportRun": "run_id:int! views_to_export:ViewsToExport",
    "FileArrivalTriggerConfiguration": "url:text! min_time_between_triggers_seconds:int wait_after_last_change_seconds:int",
    "ForEachTask": "inputs:text! task:Task! concurrency:int",
    "GcpAttributes": (
        "availability:GcpAvailability boot_disk_size:int confidential_compute_type:ConfidentialComputeType "
        "first_on_demand:int google_service_account:text local_ssd_count:int use_preemptible_executors:bool "
        "zone_id:text"
    ),
    "GcsStorageInfo": "destination:text!",
    "GenAiComputeTask": (
        "dl_runtime_image:text! command:text compute:ComputeConfig mlflow_experiment_name:text source:Source "
        "training_script_path:text yaml_parameters:text yaml_parameters_file_path:text"
    ),
    "GetJob": "job_id:int! include_trigger_state:bool page_token:text",
    "GetRun": "run_id:int! include_history:bool include_resolved_values:bool page_token:text",
    "GitSnapshot": "used_commit:text",
    "GitSource": (
        "git_url:text! git_provider:GitProvider! git_branch:text git_commit:text git_snapshot:GitSnapshot "
        "git_tag:text job_source:JobSource sparse_checkout:SparseCheckout"
    ),
    "InitScriptInfo": (
        "abfss:Adlsgen2Info dbfs:DbfsStorageInfo file:LocalFileInfo gcs:GcsStorageInfo s3:S3StorageInfo "
        "volumes:VolumesStorageInfo workspace:WorkspaceStorageInfo"
    ),
    "JobAccessControlRequest": "group_name:text permission_level:JobPermissionLevel service_principal_name:text user_name:text",
    "JobCluster": (
        "job_cluster_key:text! new_cluster:ClusterSpec serverless_compute:JobClusterServerlessCompute "
        "serverless_compute_id:text"
    ),
    "JobClusterServerlessCompute": "policy_id:text",
    "JobCompletionTriggerConfiguration": "jobs:[JobCompletionTriggerConfigurationMonitoredJob]! if_status:JobCompletionTriggerConfigurationIfStatus",
    "JobCompletionTriggerConfigurationMonitoredJob": "workspace_id:text! job_id:text!",
    "JobDeployment": "kind:JobDeploymentKind! deployment_id:text metadata_file_path:text version_id:text",
    "JobEmailNotifications": (
        "no_alert_for_skipped_runs:bool on_duration_warning_threshold_exceeded:[text] on_failure:[text] "
        "on_maintenance_complete:[text] on_maintenance_start:[text] on_start:[text] "
        "on_streaming_backlog_exceeded:[text] on_success:[text]"
    ),
    "JobEnvironment": "environment_key:text! spec:Environment",
    "JobEnvironmentVariables": "environment_variables_key:text! spec:JobEnvironmentVariablesSpec",
    "JobEnvironmentVariablesSpec": "files:[text] variables:{text}",
    "JobNotificationSettings": "no_alert_for_canceled_runs:bool no_alert_for_skipped_runs:bool",
    "JobParameterDefinition": "name:text! default:text!",
    "JobRunAs": "group_name:text service_principal_name:text user_name:text",
    "JobSource": "job_config_path:text! import_from_git_branch:text! dirty_state:JobSourceDirtyState",
    "JobsHealthRule": "metric:JobsHealthMetric! op:JobsHealthOperator! value:int!",
    "JobsHealthRules": "rules:[JobsHealthRule]",
    "Library": "cran:RCranLibrary egg:text jar:text maven:MavenLibrary pypi:PythonPyPiLibrary requirements:text whl:text",
    "ListJobs": "expand_tasks:bool limit:int name:text offset:int page_token:text",
    "ListRuns": (
        "active_only:bool completed_only:bool expand_tasks:bool job_id:int limit:int offset:int page_token:text "
        "run_type:RunType start_time_from:int start_time_to:int"
    ),
    "LocalFileInfo": "destination:text!",
    "LogAnalyticsInfo": "log_analytics_primary_key:text log_analytics_workspace_id:text",
    "MaintenanceWindow": "start_hour:int! day_of_week:DayOfWeek! timezone_id:text!",
    "MavenLibrary": "coordinates:text! exclusions:[text] repo:text",
    "ModelTriggerConfiguration": (
        "condition:ModelTriggerConfigurationCondition! aliases:[text] min_time_between_triggers_seconds:int "
        "securable_name:text wait_after_last_change_seconds:int"
    ),
    "NodeTypeFlexibility": "alternate_node_type_ids:[text] aws_context_id:text",
    "NotebookTask": "notebook_path:text! base_parameters:{text} source:Source warehouse_id:text",
    "PeriodicTriggerConfiguration": "interval:int! unit:PeriodicTriggerConfigurationTimeUnit!",
    "PipelineParams": (
        "full_refresh:bool full_refresh_selection:[text] refresh_flow_selection:[text] refresh_selection:[text] "
        "reset_checkpoint_selection:[text]"
    ),
    "PipelineTask": (
        "pipeline_id:text! full_refresh:bool full_refresh_selection:[text] parameters:{text} "
        "refresh_flow_selection:[text] refresh_selection:[text] reset_checkpoint_selection:[text]"
    ),
    "PowerBiModel": (
        "authentication_method:AuthenticationMethod model_name:text overwrite_existing:bool storage_mode:StorageMode "
        "workspace_name:text"
    ),
    "PowerBiTable": "catalog:text name:text schema:text storage_mode:StorageMode",
    "PowerBiTask": (
        "connection_resource_name:text power_bi_model:PowerBiModel refresh_after_update:bool tables:[PowerBiTable] "
        "warehouse_id:text"
    ),
    "PythonOperatorTask": "main:text parameters:[PythonOperatorTaskParameter]",
    "PythonOperatorTaskParameter": "name:text value:text",
    "PythonPyPiLibrary": "package:text! repo:text",
    "PythonWheelTask": "package_name:text! entry_point:text! named_parameters:{text} parameters:[text]",
    "QualifiedName": "catalog:text schema:text table:text",
    "QueueSettings": "enabled:bool!",
    "RCranLibrary": "package:text! repo:text",
    "RepairRun": (
        "run_id:int! dbt_commands:[text] duration_target:DurationTarget jar_params:[text] job_parameters:{text} "
        "latest_repair_id:int notebook_params:{text} performance_target:PerformanceTarget "
        "pipeline_params:PipelineParams python_named_params:{text} python_params:[text] rerun_all_failed_tasks:bool "
        "rerun_dependent_tasks:bool rerun_tasks:[text] spark_submit_params:[text] sql_params:{text}"
    ),
    "RunJobTask": (
        "job_id:int! dbt_commands:[text] jar_params:[text] job_parameters:{text} notebook_params:{text} "
        "pipeline_params:PipelineParams python_named_params:{text} python_params:[text] spark_submit_params:[text] "
        "sql_params:{text}"
    ),
    "RunNow": (
        "job_id:int! dbt_commands:[text] duration_target:DurationTarget idempotency_token:text jar_params:[text] "
        "job_parameters:{text} notebook_params:{text} only:[text] performance_target:PerformanceTarget "
        "pipeline_params:PipelineParams python_named_params:{text} python_params:[text] queue:QueueSettings "
        "spark_submit_params:[text] sql_params:{text}"
    ),
    "S3StorageInfo": (
        "destination:text! canned_acl:text enable_encryption:bool encryption_type:text endpoint:text kms_key:text "
        "region:text"
    ),
    "SparkJarTask": "jar_uri:text main_class_name:text parameters:[text] run_as_repl:bool",
    "SparkPythonTask": "python_file:text! parameters:[text] source:Source",
    "SparkSubmitTask": "parameters:[text]",
    "SparseCheckout": "patterns:[text]",
    "SqlConditionConfiguration": "sql_query_id:text! warehouse_id:text! trigger_mode:SqlConditionTriggerMode",
    "SqlTask": (
        "warehouse_id:text! alert:SqlTaskAlert dashboard:SqlTaskDashboard file:SqlTaskFile parameters:{text} "
        "query:SqlTaskQuery"
    ),
    "SqlTaskAlert": "alert_id:text! pause_subscriptions:bool subscriptions:[SqlTaskSubscription]",
    "SqlTaskDashboard": "dashboard_id:text! custom_subject:text pause_subscriptions:bool subscriptions:[SqlTaskSubscription]",
    "SqlTaskFile": "path:text! source:Source",
    "SqlTaskQuery": "query_id:text!",
    "SqlTaskSubscription": "destination_id:text user_name:text",
    "SubmitRun": (
        "access_control_list:[JobAccessControlRequest] budget_policy_id:text duration_target:DurationTarget "
        "email_notifications:JobEmailNotifications environment_variables:[JobEnvironmentVariables] "
        "environments:[JobEnvironment] git_source:GitSource health:JobsHealthRules idempotency_token:text "
        "notification_settings:JobNotificationSettings performance_target:PerformanceTarget queue:QueueSettings "
        "run_as:JobRunAs run_name:text tasks:[SubmitTask] timeout_seconds:int usage_policy_id:text "
        "webhook_notifications:WebhookNotifications"
    ),
    "SubmitTask": (
        "task_key:text! ai_function_task:AiFunctionTask ai_runtime_task:AiRuntimeTask alert_task:AlertTask "
        "clean_rooms_notebook_task:CleanRoomsNotebookTask compute:Compute condition_task:ConditionTask "
        "dashboard_task:DashboardTask dbt_cloud_task:DbtCloudTask dbt_platform_task:DbtPlatformTask dbt_task:DbtTask "
        "depends_on:[TaskDependency] description:text disable_auto_optimization:bool disabled:bool "
        "email_notifications:JobEmailNotifications environment_key:text environment_variables_key:text "
        "existing_cluster_id:text for_each_task:ForEachTask gen_ai_compute_task:GenAiComputeTask "
        "health:JobsHealthRules libraries:[Library] max_retries:int min_retry_interval_millis:int "
        "new_cluster:ClusterSpec notebook_task:NotebookTask notification_settings:TaskNotificationSettings "
        "pipeline_task:PipelineTask power_bi_task:PowerBiTask python_operator_task:PythonOperatorTask "
        "python_wheel_task:PythonWheelTask retry_on_timeout:bool run_if:RunIf run_job_task:RunJobTask "
        "spark_jar_task:SparkJarTask spark_python_task:SparkPythonTask spark_submit_task:SparkSubmitTask "
        "sql_task:SqlTask timeout_seconds:int webhook_notifications:WebhookNotifications"
    ),
    "Subscription": "attachment:SubscriptionAttachment custom_subject:text paused:bool subscribers:[SubscriptionSubscriber]",
    "SubscriptionAttachment": "data_attachment:SubscriptionAttachmentDataAttachment page_attachment:SubscriptionAttachmentPageAttachment",
    "SubscriptionAttachmentDataAttachment": (
        "widgets:[SubscriptionAttachmentDataAttachmentWidget]! "
        "file_format:SubscriptionAttachmentDataAttachmentFileFormat! include_applied_filters:bool"
    ),
    "SubscriptionAttachmentDataAttachmentWidget": "page_id:text! widget_id:text!",
    "SubscriptionAttachmentPageAttachment": "page_ids:[text] page_selection:SubscriptionAttachmentPageAttachmentPageSelection",
    "SubscriptionSubscriber": "destination_id:text user_name:text",
    "TableUpdateTriggerConfiguration": (
        "table_names:[text]! condition:Condition min_time_between_triggers_seconds:int "
        "wait_after_last_change_seconds:int"
    ),
    "Task": (
        "task_key:text! ai_function_task:AiFunctionTask ai_runtime_task:AiRuntimeTask alert_task:AlertTask "
        "clean_rooms_notebook_task:CleanRoomsNotebookTask compute:Compute condition_task:ConditionTask "
        "dashboard_task:DashboardTask dbt_cloud_task:DbtCloudTask dbt_platform_task:DbtPlatformTask dbt_task:DbtTask "
        "depends_on:[TaskDependency] description:text disable_auto_optimization:bool disabled:bool "
        "email_notifications:TaskEmailNotifications environment_key:text environment_variables_key:text "
        "existing_cluster_id:text for_each_task:ForEachTask gen_ai_compute_task:GenAiComputeTask "
        "health:JobsHealthRules job_cluster_key:text libraries:[Library] max_retries:int "
        "min_retry_interval_millis:int new_cluster:ClusterSpec notebook_task:NotebookTask "
        "notification_settings:TaskNotificationSettings pipeline_task:PipelineTask power_bi_task:PowerBiTask "
        "python_operator_task:PythonOperatorTask python_wheel_task:PythonWheelTask retry_on_timeout:bool run_if:RunIf "
        "run_job_task:RunJobTask spark_jar_task:SparkJarTask spark_python_task:SparkPythonTask "
        "spark_submit_task:SparkSubmitTask sql_task:SqlTask timeout_seconds:int "
        "webhook_notifications:WebhookNotifications"
    ),
    "TaskDependency": "task_key:text! outcome:Outcome",
    "TaskEmailNotifications": (
        "no_alert_for_skipped_runs:bool on_duration_warning_threshold_exceeded:[text] on_failure:[text] "
        "on_maintenance_complete:[text] on_maintenance_start:[text] on_start:[text] "
        "on_streaming_backlog_exceeded:[text] on_success:[text]"
    ),
    "TaskNotificationSettings": "alert_on_last_attempt:bool no_alert_for_canceled_runs:bool no_alert_for_skipped_runs:bool",
    "TriggerConfiguration": (
        "continuous:ContinuousTriggerConfiguration file_arrival:FileArrivalTriggerConfiguration "
        "job_completion:JobCompletionTriggerConfiguration model:ModelTriggerConfiguration pause_status:PauseStatus "
        "periodic:PeriodicTriggerConfiguration schedule:CronTriggerConfiguration "
        "sql_condition:SqlConditionConfiguration table_update:TableUpdateTriggerConfiguration"
    ),
    "TriggerSettings": (
        "file_arrival:FileArrivalTriggerConfiguration job_completion:JobCompletionTriggerConfiguration "
        "model:ModelTriggerConfiguration pause_status:PauseStatus periodic:PeriodicTriggerConfiguration "
        "sql_condition:SqlConditionConfiguration table_update:TableUpdateTriggerConfiguration"
    ),
    "VolumeSource": "volume_path:text!",
    "VolumesStorageInfo": "destination:text!",
    "Webhook": "id:text!",
    "WebhookNotifications": (
        "on_duration_warning_threshold_exceeded:[Webhook] on_failure:[Webhook] on_maintenance_complete:[Webhook] "
        "on_maintenance_start:[Webhook] on_start:[Webhook] on_streaming_backlog_exceeded:[Webhook] "
        "on_success:[Webhook]"
    ),
    "WorkloadType": "clients:ClientsTypes!",
    "WorkspaceStorageInfo": "destination:text!",
}
