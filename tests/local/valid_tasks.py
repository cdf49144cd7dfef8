"""One valid task of each type, for tests that need all of them."""

from __future__ import annotations

from typing import Any

N = {"notebook_path": "/n"}

# What a task of the type has, besides its key.
VALID_TASKS: dict[str, dict[str, Any]] = {
    "notebook_task": {"notebook_task": {**N, "base_parameters": {"a": "b"}, "source": "WORKSPACE"}},
    "spark_python_task": {
        "spark_python_task": {"python_file": "/f.py", "parameters": ["a"]},
        "existing_cluster_id": "any text",
    },
    "spark_jar_task": {
        "spark_jar_task": {"main_class_name": "a.B", "parameters": []},
        "new_cluster": {"num_workers": "2", "spark_conf": {"a": "b"}},
        "libraries": [
            {"jar": "/a.jar"},
            {"maven": {"coordinates": "a:b:1", "exclusions": ["c:d"]}},
            {"pypi": {"package": "p"}},
            {"cran": {"package": "c", "repo": "r"}},
            {"whl": "/a.whl"},
            {"requirements": "/r.txt"},
            {"egg": "/a.egg"},
        ],
    },
    "spark_submit_task": {
        "spark_submit_task": {"parameters": ["--class", "a.B"]},
        "new_cluster": {"autoscale": {"min_workers": 1, "max_workers": 2}},
    },
    "python_wheel_task": {
        "python_wheel_task": {"package_name": "p", "entry_point": "e", "named_parameters": {"a": "b"}},
        "existing_cluster_id": "c",
    },
    "pipeline_task": {"pipeline_task": {"pipeline_id": "p", "full_refresh": "false", "parameters": {"a": "b"}}},
    "sql_task": {"sql_task": {"warehouse_id": "w", "query": {"query_id": "q"}, "parameters": {"a": "b"}}},
    "dbt_task": {
        "dbt_task": {"commands": ["dbt deps", "dbt run"], "warehouse_id": "w", "schema": "s"},
        "existing_cluster_id": "c",
    },
    "run_job_task": {"run_job_task": {"job_id": "5", "job_parameters": {"a": "b"}, "python_params": ["c"]}},
    "condition_task": {"condition_task": {"op": "GREATER_THAN", "left": "1", "right": "{{job.parameters.a}}"}},
    "for_each_task": {
        "for_each_task": {"inputs": "[1, 2]", "concurrency": "2", "task": {"task_key": "inner", "notebook_task": N}}
    },
    "clean_rooms_notebook_task": {"clean_rooms_notebook_task": {"clean_room_name": "c", "notebook_name": "n"}},
    "dashboard_task": {"dashboard_task": {"dashboard_id": "d", "subscription": {"subscribers": [{"user_name": "u"}]}}},
    "power_bi_task": {"power_bi_task": {"tables": [{"name": "t", "storage_mode": "IMPORT"}]}},
    "gen_ai_compute_task": {"gen_ai_compute_task": {"dl_runtime_image": "i", "compute": {"num_gpus": 1}}},
    "ai_runtime_task": {
        "ai_runtime_task": {
            "experiment": "e",
            "deployments": [{"compute": {"accelerator_type": "GPU_1xA10", "accelerator_count": 1}}],
        }
    },
    "ai_function_task": {"ai_function_task": {"output": {"table": "t"}}},
    "alert_task": {"alert_task": {"alert_id": "a", "subscribers": [{"user_name": "u"}]}},
    "dbt_platform_task": {"dbt_platform_task": {"dbt_platform_job_id": "1"}},
    "dbt_cloud_task": {"dbt_cloud_task": {"dbt_cloud_job_id": "1"}},
    "python_operator_task": {"python_operator_task": {"main": "m", "parameters": [{"name": "a", "value": "b"}]}},
}
