"""Definitions in the manner of real ones have nothing wrong with them; in broken copies the broken place is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from prefect_databricks_runs._check_job.command import Wanted, check_files
from prefect_databricks_runs._check_job.findings import Results
from prefect_databricks_runs._check_job.json_tree import json_tree
from prefect_databricks_runs._check_job.one_job import JOB, findings_of
from prefect_databricks_runs._check_job.tree import plain
from prefect_databricks_runs._check_job.yaml_tree import yaml_trees
from prefect_databricks_runs._payload.api import fields_of, task_types
from tests.support import api_bodies

CORPUS = Path(__file__).parent / "corpus"
BUNDLE = CORPUS / "lakehouse"
DEFINITIONS = CORPUS / "definitions"


def found(*names: Path | str, targets: tuple[str, ...] = (), all_targets: bool = False) -> Results:
    return check_files(Wanted([str(each) for each in names], targets, all_targets))


def said(results: Results) -> list[str]:
    return [f"{each.severity} {each.job} {each.path}: {each.message}" for each in results.findings]


@pytest.mark.parametrize("target", ["dev", "staging", "prod"])
def test_nothing_is_wrong_with_a_bundle_of_every_kind_of_task_and_compute(target: str) -> None:
    results = found(BUNDLE, targets=(target,))
    assert said(results) == []
    assert {each.job for each in results.checked} >= {"etl", "report", "computes", "of_git", "cheap"}
    assert {each.target for each in results.checked} == {target}


@pytest.mark.parametrize(
    ("file", "kinds"),
    {
        "create.json": ["job"],
        "get.json": ["job"],
        "list.json": ["job", "job"],
        "one_task.json": ["job"],
        "submit.json": ["submitted run"],
        "run_now.json": ["run of a job"],
        "several.yml": ["job", "job"],
        "jobs.yaml": ["job", "job"],
        "settings_of_the_environment.yml": ["job"],
    }.items(),
)
def test_nothing_is_wrong_with_a_definition_by_itself_and_its_kind_is_known(file: str, kinds: list[str]) -> None:
    results = found(DEFINITIONS / file)
    assert said(results) == []
    assert [each.kind for each in results.checked] == kinds


def test_every_definition_of_the_corpus_is_in_the_table_above_or_in_the_bundle() -> None:
    assert {each.file for each in found(CORPUS).checked if "definitions" in each.file} == {
        each.file for path in DEFINITIONS.iterdir() for each in found(path).checked
    }


def keys(value: Any) -> Iterator[str]:
    for key, item in value.items() if isinstance(value, dict) else ():
        yield str(key)
        yield from keys(item)
    for item in value if isinstance(value, list) else ():
        yield from keys(item)


def test_the_corpus_has_every_kind_of_task_compute_notification_and_trigger() -> None:
    used = {
        key
        for path in [BUNDLE / "databricks.yml", *BUNDLE.glob("resources/*.yml")]
        for key in keys(plain(yaml_trees(path.read_text("utf-8"), path.name)[0][0]))
    }
    wanted = {
        *task_types(),
        *("existing_cluster_id", "new_cluster", "job_cluster_key", "environment_key", "compute", "instance_pool_id"),
        *(key for key in fields_of("JobEmailNotifications") if "maintenance" not in key),
        *(key for key in fields_of("WebhookNotifications") if "maintenance" not in key),
        *fields_of("TaskNotificationSettings"),
        *(key for key in fields_of("TriggerSettings") if key not in ("job_completion", "sql_condition")),
        *("schedule", "continuous", "triggers", "git_source", "health", "queue", "run_as", "libraries"),
        *fields_of("Library"),
        *fields_of("InitScriptInfo"),
    }
    assert wanted - used == set()


BROKEN = {
    "task of depends_on": (
        "resources/etl.job.yml",
        ("        - task_key: load\n          <<", "        - task_key: laod\n          <<"),
        "etl tasks[3].depends_on[0]: there is no task 'load'",
    ),
    "job cluster": (
        "resources/etl.job.yml",
        ("job_cluster_key: wide\n              notebook", "job_cluster_key: wied\n              notebook"),
        "etl tasks[3].for_each_task.task.job_cluster_key: Job cluster 'wied' is not defined",
    ),
    "two computes": (
        "resources/etl.job.yml",
        ("existing_cluster_id: 1128", "job_cluster_key: etl\n          existing_cluster_id: 1128"),
        "etl tasks[6]: existing_cluster_id and job_cluster_key exclude each other",
    ),
    "cron": (
        "resources/etl.job.yml",
        ("0 30 6 * * ?", "30 6 * * *"),
        "etl schedule.quartz_cron_expression: '30 6 * * *' has 5 fields",
    ),
    "parameter name": (
        "resources/etl.job.yml",
        ("- name: start.time", "- name: start time"),
        "etl parameters[2].name: 'start time' is not a parameter name",
    ),
    "task key": (
        "resources/report.job.yml",
        ("- task_key: power_bi\n", "- task_key: power bi\n"),
        "report tasks[9].task_key: 'power bi' is not a task key",
    ),
    "variable": (
        "resources/etl.job.yml",
        ("${var.retries}", "${var.retrys}"),
        "etl tasks[2].max_retries: `${var.retrys}` is not a variable of the bundle",
    ),
    "variable in a variable": (
        "variables.yml",
        ("${var.catalog}_events", "${var.catalogue}_events"),
        " variables: `${var.catalogue}` is not a variable of the bundle",
    ),
    "job that is run": (
        "resources/etl.job.yml",
        ("resources.jobs.report.id", "resources.jobs.reports.id"),
        "etl tasks[5].run_job_task.job_id: `${resources.jobs.reports.id}` is not in the bundle",
    ),
    "pipeline": (
        "resources/pipelines.yml",
        ("    events:\n      name", "    event:\n      name"),
        "etl tasks[4].pipeline_task.pipeline_id: `${resources.pipelines.events.id}` is not in the bundle",
    ),
    "environment": (
        "resources/report.job.yml",
        ("environment_key: java\n          spec", "environment_key: jvm\n          spec"),
        "report tasks[11].environment_key: 'java' is not defined; define it in `environments`.",
    ),
    "no compute": (
        "resources/report.job.yml",
        ("        - task_key: wheel\n          environment_key: default\n", "        - task_key: wheel\n"),
        "report tasks[10]: a python_wheel_task needs compute",
    ),
    "sql": (
        "resources/report.job.yml",
        ("query: {query_id: c0ffee00-1111-2222-3333-444444444444}", "query: {name: report}"),
        "report tasks[0].sql_task.query.query_id: is missing",
    ),
    "two tasks in one": (
        "resources/report.job.yml",
        ("dbt_cloud_task:", "sql_task: {warehouse_id: w, file: {path: /a}}\n          dbt_cloud_task:"),
        "report tasks[7]: sql_task and dbt_cloud_task exclude each other",
    ),
    "no task": (
        "resources/computes.job.yml",
        ("job_cluster_key: gcp, notebook_task: {notebook_path: /Shared/a}", "job_cluster_key: gcp"),
        "computes tasks[3]: has no task object",
    ),
    "git source": (
        "resources/starters.yml",
        ("        git_branch: main\n", "        git_branch: main\n        git_tag: v1\n"),
        "of_git git_source: git_branch and git_tag exclude each other",
    ),
    "git without a repository": (
        "resources/starters.yml",
        ("      git_source: {git_url: \"https://gitlab.example.org/a\", git_provider: gitLab, git_tag: v1}\n", ""),
        "of_a_tag tasks[0].notebook_task.source: is GIT, but there is no repository",
    ),
    "duration": ("resources/starters.yml", ("      duration_target: 4h\n", ""), "cheap duration_target: is missing"),
    "tasks as an object": (
        "resources/starters.yml",
        ("      tasks: *one\n    of_several", "      tasks: {a: {}}\n    of_several"),
        "always tasks: must be a list, not an object",
    ),
    "targets as a list": (
        "resources/pipelines.yml",
        ("resources:\n", "targets: [dev]\nresources:\n"),
        " targets: must be an object, not a list",
    ),
    "job as a list": (
        "resources/pipelines.yml",
        ("resources:\n", "resources:\n  jobs:\n    odd: [1]\n"),
        "odd : A job must be an object",
    ),
}  # fmt: skip


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUNDLE, tmp_path / "lakehouse"))


@pytest.mark.parametrize(("file", "change", "fault"), BROKEN.values(), ids=BROKEN)
def test_a_broken_copy_has_the_fault_with_its_place_and_nothing_else(
    bundle: Path, file: str, change: tuple[str, str], fault: str
) -> None:
    path = bundle / file
    text = path.read_text("utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change, 1), "utf-8")
    faults = [each for each in said(found(bundle)) if not each.startswith("warning")]
    assert len(faults) == 1
    assert f"fault {fault}" in faults[0]


WARNED = {
    "key": ("notebook_path: ../src/etl/has_new", "notebok_path: x\n            notebook_path: ../src/etl/has_new", 0),
    "odd key": ("run_if: ALL_DONE", "xyz: 1", "tasks[6].xyz: unknown key `xyz`; databricks-sdk"),
    "odd key below": (
        "coordinates: com",
        "xyz: 1\n                coordinates: com",
        "tasks[2].libraries[1].maven.xyz: ",
    ),
    "value": ("run_if: ALL_DONE", "run_if: ALL_FINISHED", "tasks[6].run_if: unknown value 'ALL_FINISHED'"),
    "type": ("timeout_seconds: 7200", "timeout_seconds: two hours", "timeout_seconds: `timeout_seconds`; it should be"),
    "of a task": ("min_retry_interval_millis", "retry_interval_millis", 0),
    "file": ("region.py", "regions.py", "tasks[3].for_each_task.task.notebook_task.notebook_path: '../src/etl/regions"),
    "parameter": ("job.parameters.day", "job.parameters.date", ": unknown job parameter 'date'"),
    "boolean": ("no_alert_for_skipped_runs: yes", "no_alert_for_skipped_runs: maybe", "no_alert_for_skipped_runs: `"),
}


@pytest.mark.parametrize(("old", "new", "warning"), WARNED.values(), ids=WARNED)
def test_what_the_shape_does_not_have_is_a_warning_with_its_place(
    bundle: Path, old: str, new: str, warning: str | int
) -> None:
    path = bundle / "resources" / "etl.job.yml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    results = found(bundle)
    assert results.exit_code(strict=False) == 0
    assert results.exit_code(strict=True) == 1
    expected = warning or f"unknown key `{new.split(':', maxsplit=1)[0]}`"
    assert any(f"warning etl {expected}" in each or str(expected) in each for each in said(results)), said(results)


def test_what_is_a_fault_is_not_said_again_as_a_warning() -> None:
    tasks = [{"notebook_task": {}}, {"task_key": "b", "for_each_task": {"task": {}}}]
    tree, _ = json_tree(json.dumps({"name": "a", "tasks": tasks}), "a.json")
    findings = list(findings_of(tree, "a", JOB))
    faulty = {each.path for each in findings if each.severity == "fault"}
    assert {"tasks[0].task_key", "tasks[0].notebook_task.notebook_path", "tasks[1].for_each_task.inputs"} <= faulty
    warned = [f"{each.path} {each.message}" for each in findings if each.severity == "warning"]
    assert warned == ["tasks[1].for_each_task.task missing key `task_key`; Databricks requires it."]


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(api_bodies.jobs())
def test_what_the_shape_says_is_valid_is_found_so_as_a_job(body: dict[str, Any]) -> None:
    tree, _ = json_tree(json.dumps(body), "a.json")
    assert [f"{each.path}: {each.message}" for each in findings_of(tree, "a", JOB)] == []
