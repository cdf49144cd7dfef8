"""Rules of the Jobs API that a request seems to break: documented limits, and valid combinations.

They are warnings, not faults: Databricks raises its limits, and not every broken rule was seen to be refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .api import JOB, fields_of
from .looks import UNREADABLE, get, given, listed

_WEBHOOKS = 3
_PROFILE = "spark.databricks.cluster.profile"
# The maximum number of entries and characters and the minimum number of a field, by its object.
_ENTRIES = {
    "SubmitRun": {"environments": 10, "environment_variables": 10},
    "CreateJob": {"environments": 10, "environment_variables": 10, "job_clusters": 100, "tags": 25},
    "JobEnvironmentVariablesSpec": {"variables": 20, "files": 5},
    "DbtTask": {"commands": 10},
    "AlertTask": {"subscribers": 100},
}
_CHARACTERS = {
    "CreateJob": {"description": 27_700},
    "GitSource": {"git_url": 300, "git_branch": 255, "git_tag": 255, "git_commit": 64},
}
_OF_A_TASK = {"max_retries": -1, "min_retry_interval_millis": 0}
_LEAST = {
    "SubmitTask": _OF_A_TASK,
    "Task": _OF_A_TASK,
    "ForEachTask": {"concurrency": 1},
    "CreateJob": {"max_concurrent_runs": 0},
}
_CONCURRENT_RUNS = 1_000
_JOB_PARAMETER = re.compile(r"\{\{\s*job\.parameters\.([\w.-]+)\s*\}\}", re.ASCII)
_ONE_OF = {
    "Library": ("jar", "egg", "whl", "requirements", "pypi", "maven", "cran"),
    "SqlTask": ("query", "file", "dashboard", "alert"),
    "AlertTask": ("alert_id", "workspace_path"),
}
_NEEDS_ONE = ("Library",)
# What makes a cluster one of a single node, which is not a setting of the application.
_OF_SINGLE_NODE = frozenset((_PROFILE, "spark.master"))
_STARTERS = ("schedule", "trigger", "continuous", "triggers")
WITH_RULES = frozenset(
    ("WebhookNotifications", "SubmitRun", "SparkPythonTask", "ClusterSpec", *_ENTRIES, *_CHARACTERS, *_LEAST, *_ONE_OF)
)
"""The objects that have rules."""


class Hint(NamedTuple):
    """Something in a request that the shape of the API does not have.

    Attributes:
        place: The object that it is in, such as `tasks[0]`; empty for the request itself.
        what: The finding, such as "unknown key `a`".
        advice: The explanation or the solution.
        is_unknown: Whether the finding is an unknown key or value, which may be the cause of a fault.
    """

    place: str
    what: str
    advice: str
    is_unknown: bool = True

    def as_fault(self) -> str:
        """Return the sentence for the list of a request's faults."""
        return f"{self.place or 'json'}: {self.what}; {self.advice}"

    def as_warning(self) -> str:
        """Return the sentence for the log."""
        sent = "" if self.what.startswith("missing") else " is sent unchanged"
        return f"{self.what[0].upper()}{self.what[1:]} in {self.place or 'the request'}{sent}; {self.advice}"


def broken_rules(name: str, place: str, content: Mapping[str, Any], request: Mapping[str, Any]) -> Iterator[Hint]:
    """Find the rules that an object breaks.

    Args:
        name: Its name in the shape of the API.
        place: Its place.
        content: The object.
        request: The whole request.
    """
    found = (*_sizes(name, content), *_together(name, place, content, request))
    yield from (Hint(place, what, advice, is_unknown=False) for what, advice in found)


def _sizes(name: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    entries = dict.fromkeys(content, _WEBHOOKS) if name == "WebhookNotifications" else _ENTRIES.get(name, {})
    for key, limit in entries.items():
        value = content.get(key)
        if isinstance(value, (list, dict)) and len(value) > limit:
            yield f"`{key}` with {len(value)} entries", f"Databricks accepts at most {limit}."
    for key, limit in _CHARACTERS.get(name, {}).items():
        text = get(content, key, str) or ""
        if len(text) > limit:
            yield f"`{key}` with {len(text)} characters", f"Databricks accepts at most {limit}."
    for key, least in _LEAST.get(name, {}).items():
        number = content.get(key)
        if isinstance(number, (int, float)) and number < least:
            yield f"`{key}` of {number}", f"Databricks accepts {least} or more."


def _together(
    name: str, place: str, content: Mapping[str, Any], request: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    if name in _ONE_OF:
        present = [key for key in _ONE_OF[name] if content.get(key) is not None]
        if len(present) > 1:
            yield f"`{'` beside `'.join(present)}`", "they exclude each other."
        elif not content and name in _NEEDS_ONE:
            yield "an empty library", f"set one of {listed(_ONE_OF[name])}."
    elif name == "SparkPythonTask":
        yield from _python_file(content, request)
    elif name == "ClusterSpec":
        yield from _cluster_size(content)
    elif name == "DbtTask":
        yield from _dbt_commands(content)
    elif name in ("SubmitRun", JOB):
        yield from _nested_keys(content)
        yield from _outcomes(content)
        yield from _doubles(content, "environment_variables", "environment_variables_key")
        if name == JOB:
            yield from _of_job(content)
    elif name in ("SubmitTask", "Task"):
        yield from _doubles(content, "depends_on", "task_key")
        yield from _of_task(content, is_nested=place.endswith(".for_each_task.task"))


def _cluster_size(cluster: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    conf = cluster.get("spark_conf")
    profile = conf.get(_PROFILE) if isinstance(conf, dict) else conf
    if profile in ("singleNode", UNREADABLE) or cluster.get("policy_id") or cluster.get("is_single_node"):
        return
    if cluster.get("autoscale") is not None:
        return
    workers = cluster.get("num_workers")
    if workers is None:
        yield "missing size", "Databricks requires `num_workers` or `autoscale`."
    elif workers in (0, "0"):
        yield f"`num_workers` of {workers}", "for a cluster of one node, set `is_single_node: true` and `kind`."


def _dbt_commands(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, command in enumerate(get(task, "commands", list) or []):
        if isinstance(command, str) and command.split()[:1] != ["dbt"] and "{{" not in command:
            yield f"`commands[{index}]` {command[:100]!r}", "begin it with `dbt`."


def _doubles(owner: Mapping[str, Any], field: str, key: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for entry in get(owner, field, list) or []:
        name = get(entry, key, str)
        if name in seen:
            yield f"{name[:100]!r} more than once in `{field}`", "leave one out."
        elif name is not None:
            seen.add(name)


def _of_task(task: Mapping[str, Any], *, is_nested: bool) -> Iterator[tuple[str, str]]:
    if is_nested and given(task, "depends_on"):
        yield "`depends_on`", "the task of a for-each task cannot depend on another task."
    if task.get("spark_submit_task") is None:
        return
    for key in ("existing_cluster_id", "environment_key", "libraries"):
        if given(task, key):
            yield f"`{key}` beside `spark_submit_task`", "it needs a `new_cluster`, and libraries as arguments."
    if {*(get(get(task, "new_cluster", dict), "spark_conf", dict) or {})} - _OF_SINGLE_NODE:
        yield "`spark_conf` of a cluster beside `spark_submit_task`", "pass it as arguments, with `--conf`."


def _of_job(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    starters = [key for key in _STARTERS if given(job, key)]
    if len(starters) > 1 and set(starters) != {"schedule", "continuous"}:  # which is a fault
        yield f"`{'` beside `'.join(starters)}`", "a job can have only one of them."
    known = fields_of("TriggerSettings").keys() - {"pause_status"}
    kinds = [key for key in get(job, "trigger", dict) or {} if key in known]
    if len(kinds) > 1:
        yield f"`{'` beside `'.join(kinds)}` in `trigger`", "they exclude each other."
    runs = job.get("max_concurrent_runs")
    if isinstance(runs, (int, float)) and runs > _CONCURRENT_RUNS:
        yield f"`max_concurrent_runs` of {runs}", f"Databricks accepts at most {_CONCURRENT_RUNS:,}."
    if not given(job, "tasks"):
        yield "missing `tasks`", "a run of the job has nothing to do."
    yield from _job_parameters(job)


def _job_parameters(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    parameters = job.get("parameters") or []
    if not isinstance(parameters, list):
        return
    names = [get(each, "name", str) for each in parameters]
    yield from (
        (f"parameter {each!r} twice", "use a different name for each.")
        for each in dict.fromkeys(names)
        if each is not None and names.count(each) > 1
    )
    if None not in names:
        for used in dict.fromkeys(_job_parameters_used(job.get("tasks"))):
            if used not in names:
                yield f"unknown job parameter {used!r}", "define it in `parameters`."


def _job_parameters_used(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _JOB_PARAMETER.findall(value)
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _job_parameters_used(item)


def _nested_keys(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tasks = get(run, "tasks", list) or []
    keys = {get(task, "task_key", str) for task in tasks}
    for task in tasks:
        key = get(get(get(task, "for_each_task", dict), "task", dict), "task_key", str)
        if key in keys and key is not None:
            yield f"`task_key` {key!r} of a for-each task's own task", "another task has it; use different keys."


def _outcomes(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    tasks = [task for task in get(run, "tasks", list) or [] if isinstance(task, dict)]
    plain = {get(task, "task_key", str) for task in tasks if task.get("condition_task") is None}
    for task in tasks:
        for dependency in get(task, "depends_on", list) or []:
            key = get(dependency, "task_key", str)
            if key in plain and given(dependency, "outcome"):
                yield f"`outcome` of task {key!r}", "only a condition task has one."


def _python_file(content: Mapping[str, Any], request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the hint of a relative workspace path, which must begin with `/` in Databricks."""
    file = get(content, "python_file", str) or "/"
    default = "GIT" if request.get("git_source") else "WORKSPACE"
    if content.get("source", default) == "WORKSPACE" and not file.startswith(("/", "{{")) and ":" not in file:
        yield f"relative path {file[:100]!r} in `python_file`", "begin it with `/`."
