"""Turn a job into the JSON of the API, with the defaults that Databricks fills in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..bodies.checks import MAX_TASKS_BEFORE, check_task_count
from ..bodies.old_form import has_old_form, in_old_form
from ..runs.records import JobRecord
from ..web.errors import invalid

PAGE_SIZE = 100

# The lists that come in pages.
_PAGED = ("tasks", "job_clusters", "environments", "parameters")
# The fields that a list of jobs has only with `expand_tasks`.
_EXPANDED = ("tasks", "job_clusters", "environments")
# These start runs on Databricks. Here they are kept, but start nothing.
_STARTERS = ("schedule", "trigger", "continuous")
_FILES_FROM = ("notebook_task", "spark_python_task", "dbt_task")
_PAGE_TOKEN = re.compile(r"[1-9]\d{0,8}", re.ASCII)


def job_answer(job: JobRecord, version: str, page_token: str = "") -> dict[str, Any]:
    """Return the answer of `jobs/get`.

    Args:
        job: The job.
        version: The version of the API. Only 2.2 has pages.
        page_token: The token of the page; empty for the first page.

    Raises:
        ApiError: The token is not valid, or the job has more tasks than the version can handle.
    """
    settings = settings_with_defaults(job.settings)
    if version == "2.0" and has_old_form(job.settings):
        settings = in_old_form(settings)
    if version != "2.2":
        check_task_count(settings, version)
        return {**_head(job), "run_as_user_name": job.run_as_user_name, "settings": settings}
    if page_token and not _PAGE_TOKEN.fullmatch(page_token):
        raise invalid("bad_page_token")
    begin = int(page_token or 0)
    answer = {**_head(job), "run_as_user_name": job.run_as_user_name, "settings": _page(settings, begin)}
    if _has_more(settings, begin):
        answer["next_page_token"] = str(begin + PAGE_SIZE)
    return answer


def listed_job(job: JobRecord, version: str, *, expand_tasks: bool) -> dict[str, Any]:
    """Return one job as `jobs/list` answers it.

    Args:
        job: The job.
        version: The version of the API. Before 2.2, the tasks of a job with more than 100 tasks are left out.
        expand_tasks: Whether to include its tasks and clusters, the first 100 of each. In 2.0, the task of a job in the
            form of 2.0 is always included.
    """
    if version == "2.0" and has_old_form(job.settings):
        return {**_head(job), "settings": in_old_form(settings_with_defaults(job.settings))}
    if not expand_tasks:
        without = {name: value for name, value in job.settings.items() if name not in _EXPANDED}
        return {**_head(job), "settings": settings_with_defaults(without)}
    settings = settings_with_defaults(job.settings)
    if version != "2.2":
        if len(settings.get("tasks", ())) > MAX_TASKS_BEFORE:
            del settings["tasks"]
        return {**_head(job), "settings": settings}
    return {**_head(job), "settings": _page(settings, 0), "has_more": _has_more(settings, 0)}


def settings_with_defaults(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job's settings with the defaults that Databricks fills in."""
    source = "GIT" if "git_source" in settings else "WORKSPACE"
    read: dict[str, Any] = {
        "name": "Untitled",
        "max_concurrent_runs": 1,
        "timeout_seconds": 0,
        "email_notifications": {},
        "webhook_notifications": {},
        **settings,
        "format": "MULTI_TASK",
    }
    for name in _STARTERS:
        if name in settings:
            read[name] = {"pause_status": "UNPAUSED", **settings[name]}
    if "triggers" in settings:
        read["triggers"] = [{"pause_status": "UNPAUSED", **each} for each in settings["triggers"]]
    if "tasks" in settings:
        read["tasks"] = [task_with_defaults(task, source) for task in settings["tasks"]]
    if "job_clusters" in settings:
        read["job_clusters"] = [_without_policy_flag(cluster) for cluster in settings["job_clusters"]]
    return read


def task_with_defaults(task: Mapping[str, Any], source: str = "WORKSPACE") -> dict[str, Any]:
    """Return a task's settings with the defaults that Databricks fills in.

    Args:
        task: The task as it was saved.
        source: The default source of the task's file: `WORKSPACE`, or `GIT` if the job has a `git_source`.
    """
    read = {
        "run_if": "ALL_SUCCESS",
        "timeout_seconds": 0,
        "email_notifications": {},
        **_without_policy_flag(task),
    }
    if "depends_on" in task:
        read["depends_on"] = sorted(task["depends_on"], key=lambda dependency: str(dependency["task_key"]))
    for task_type in _FILES_FROM:
        if task_type in task:
            read[task_type] = {**task[task_type], "source": task[task_type].get("source", source)}
    return read


def _head(job: JobRecord) -> dict[str, Any]:
    return {"job_id": job.job_id, "creator_user_name": job.creator_user_name, "created_time": job.created_time}


def _page(settings: Mapping[str, Any], begin: int) -> dict[str, Any]:
    lists = {name: settings[name][begin : begin + PAGE_SIZE] for name in _PAGED if name in settings}
    return {**settings, **lists}


def _has_more(settings: Mapping[str, Any], begin: int) -> bool:
    return any(len(settings.get(name, ())) > begin + PAGE_SIZE for name in _PAGED)


def _without_policy_flag(thing: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task or job cluster without the field of its new cluster that Databricks takes and never returns."""
    if "apply_policy_default_values" not in thing.get("new_cluster", ()):
        return dict(thing)
    cluster = {name: value for name, value in thing["new_cluster"].items() if name != "apply_policy_default_values"}
    return {**thing, "new_cluster": cluster}
