"""The rules for the settings of a job or of a submitted run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..web.errors import invalid
from .cluster_checks import check_new_cluster
from .limits import (
    KEY,
    check_bytes,
    check_characters,
    check_count,
    check_one_of,
    check_range,
    check_unique,
    check_webhooks,
    is_given,
)
from .run_now_checks import check_parameters, check_run_now, only_keys
from .task_checks import check_tasks, with_nested

__all__ = ["check_parameters", "check_run_now", "check_settings", "check_submission", "only_keys"]

MAX_TASKS = 1000
# In versions before 2.2, for writing and for reading.
MAX_TASKS_BEFORE = 100
MAX_NAME_BYTES = 4096
MAX_DESCRIPTION = 27_700
MAX_CONCURRENT_RUNS = 1000
CRON_FIELDS = (6, 7)
GIT_PROVIDERS = (
    "github",
    "gitlab",
    "bitbucketcloud",
    "gitlabenterpriseedition",
    "bitbucketserver",
    "azuredevopsservices",
    "githubenterprise",
    "awscodecommit",
)

_COUNTS = {"tags": 25, "environments": 10, "environment_variables": 10, "job_clusters": 100}
_ENVIRONMENT_VARIABLES = {"variables": 20, "files": 5}
_GIT_LENGTHS = {"git_url": 300, "git_branch": 255, "git_tag": 255, "git_commit": 64}
_KEYS = {"environments": "environment_key", "environment_variables": "environment_variables_key"}
_PARAMETER_NAME = re.compile(r"[\w.-]+", re.ASCII)
_STARTERS = ("schedule", "trigger", "continuous")
_TRIGGERS = ("file_arrival", "table_update", "periodic", "model")


def check_settings(settings: Mapping[str, Any], version: str = "2.2") -> None:
    """Check the settings of a job or of a submitted run, with all its tasks.

    Args:
        settings: The settings, in the new form and with each field read as its type.
        version: The version of the API of the request.

    Raises:
        ApiError: A rule is broken.
    """
    check_task_count(settings, version)
    _check_sizes(settings)
    _check_keys(settings)
    check_webhooks(settings)
    _check_run_as(settings)
    _check_targets(settings)
    if "git_source" in settings:
        _check_git(settings["git_source"])
    _check_starters(settings)
    check_tasks(settings)


def check_submission(settings: Mapping[str, Any], version: str = "2.2") -> None:
    """Check the settings of a submitted run, with all its tasks.

    Args:
        settings: The settings, in the new form and with each field read as its type.
        version: The version of the API of the request.

    Raises:
        ApiError: A rule is broken.
    """
    # Only the tasks of a saved job can share a job cluster.
    tasks = with_nested(settings["tasks"])
    if is_given(settings, "job_clusters") or any(is_given(task, "job_cluster_key") for _, task in tasks):
        raise invalid("shared_job_cluster")
    check_settings({name: value for name, value in settings.items() if name != "job_clusters"}, version)


def check_task_count(settings: Mapping[str, Any], version: str) -> None:
    """Check that a version of the API can handle the number of tasks.

    Raises:
        ApiError: There are too many tasks.
    """
    count = len(settings.get("tasks", ()))
    if version != "2.2" and count > MAX_TASKS_BEFORE:
        raise invalid("too_many_tasks_for_version", limit=MAX_TASKS_BEFORE, count=count)
    check_count(settings, "tasks", MAX_TASKS)


def _check_sizes(settings: Mapping[str, Any]) -> None:
    check_range(settings, "timeout_seconds", 0)
    check_range(settings, "max_concurrent_runs", 0, MAX_CONCURRENT_RUNS)
    for name in ("name", "run_name"):
        check_bytes(settings, name, MAX_NAME_BYTES)
    check_characters(settings, "description", MAX_DESCRIPTION)
    for name, limit in _COUNTS.items():
        check_count(settings, name, limit)
    for index, entry in enumerate(settings.get("environment_variables", [])):
        for name, limit in _ENVIRONMENT_VARIABLES.items():
            check_count(entry.get("spec", {}), name, limit, prefix=f"environment_variables[{index}].spec.")


def _check_keys(settings: Mapping[str, Any]) -> None:
    names = [parameter["name"] for parameter in settings.get("parameters", [])]
    for name in names:
        if not _PARAMETER_NAME.fullmatch(name):
            raise invalid("bad_parameter_name", parameter=name[:100])
    check_unique(names, "parameters")
    keys = [cluster["job_cluster_key"] for cluster in settings.get("job_clusters", [])]
    for key in keys:
        if not KEY.fullmatch(key):
            raise invalid("bad_job_cluster_key", job_cluster_key=key[:200])
    check_unique(keys, "job_clusters")
    for cluster in settings.get("job_clusters", []):
        if "new_cluster" in cluster:
            check_new_cluster(cluster["new_cluster"])
    for name, key in _KEYS.items():
        check_unique((entry[key] for entry in settings.get(name, [])), name)


def _check_run_as(settings: Mapping[str, Any]) -> None:
    if "run_as" in settings:
        check_one_of(settings["run_as"], ("user_name", "service_principal_name", "group_name"), "run_as")


def _check_targets(settings: Mapping[str, Any]) -> None:
    if settings.get("performance_target") == "COST_OPTIMIZED" and "duration_target" not in settings:
        raise invalid("missing_field", field="duration_target")


def _check_git(source: Mapping[str, Any]) -> None:
    """Check the Git source. That it cannot be fetched here is an error of the tasks that need it."""
    if source.get("git_provider", "").lower() not in GIT_PROVIDERS:
        raise invalid("bad_git_provider", providers=",".join(GIT_PROVIDERS))
    for name, limit in _GIT_LENGTHS.items():
        check_characters(source, name, limit, prefix="git_source.")
    check_one_of(source, ("git_branch", "git_tag", "git_commit"), "git_source", at_least=0)


def _check_starters(settings: Mapping[str, Any]) -> None:
    check_one_of(settings, ("schedule", "continuous"), "settings", at_least=0)
    schedules = {f"triggers[{index}].": each.get("schedule") for index, each in enumerate(settings.get("triggers", []))}
    for prefix, schedule in {"": settings.get("schedule"), **schedules}.items():
        cron = schedule["quartz_cron_expression"] if schedule else ""
        if schedule and len(cron.split()) not in CRON_FIELDS:
            raise invalid("bad_cron", field=f"{prefix}schedule.quartz_cron_expression", cron=cron[:100])
    if "triggers" in settings:
        check_one_of(settings, ("triggers", *_STARTERS), "settings", at_least=0)
    if "trigger" in settings:
        check_one_of(settings["trigger"], _TRIGGERS, "trigger", at_least=0)
