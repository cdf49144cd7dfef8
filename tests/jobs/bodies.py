"""A job with many settings, for tests that change one of them, and the places of its values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

CLUSTER: dict[str, Any] = {
    "spark_version": "16.4.x-scala2.12",
    "node_type_id": "m5d.large",
    "num_workers": 1,
    "spark_conf": {"spark.speculation": "true"},
    "custom_tags": {"team": "data"},
}

RICH: dict[str, Any] = {
    "name": "rich",
    "description": "Every night.",
    "max_concurrent_runs": 2,
    "timeout_seconds": 7200,
    "tags": {"team": "data"},
    "parameters": [{"name": "day", "default": ""}, {"name": "region", "default": "north"}],
    "schedule": {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
    "queue": {"enabled": True},
    "email_notifications": {"on_failure": ["a@example.com", "b@example.com"]},
    "notification_settings": {"no_alert_for_skipped_runs": True},
    "health": {"rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 3600}]},
    "environments": [{"environment_key": "main", "spec": {"environment_version": "4", "dependencies": ["pandas"]}}],
    "job_clusters": [
        {"job_cluster_key": "shared", "new_cluster": CLUSTER},
        {"job_cluster_key": "big", "new_cluster": {**CLUSTER, "num_workers": 8}},
    ],
    "tasks": [
        {
            "task_key": "collect",
            "notebook_task": {
                "notebook_path": "/Shared/collect",
                "base_parameters": {"day": "1"},
                "source": "WORKSPACE",
            },
            "job_cluster_key": "shared",
            "max_retries": 2,
            "libraries": [{"pypi": {"package": "requests"}}, {"jar": "/Volumes/x.jar"}],
        },
        {
            "task_key": "count",
            "spark_python_task": {"python_file": "/Workspace/count.py", "parameters": ["a", "b"]},
            "environment_key": "main",
            "depends_on": [{"task_key": "collect"}],
            "timeout_seconds": 60,
        },
        {
            "task_key": "enough",
            "condition_task": {"op": "GREATER_THAN", "left": "1", "right": "0"},
            "depends_on": [{"task_key": "collect"}, {"task_key": "count"}],
            "run_if": "ALL_DONE",
        },
        {
            "task_key": "each",
            "for_each_task": {
                "inputs": "[1,2]",
                "concurrency": 2,
                "task": {
                    "task_key": "one",
                    "notebook_task": {"notebook_path": "/Shared/one"},
                    "job_cluster_key": "big",
                },
            },
            "depends_on": [{"task_key": "enough", "outcome": "true"}],
        },
    ],
}

Path = tuple[str | int, ...]


def leaves(content: Any, path: Path = ()) -> Iterator[Path]:
    """The places of all values that are neither an object nor a list."""
    if isinstance(content, (dict, list)):
        for key, item in content.items() if isinstance(content, dict) else enumerate(content):
            yield from leaves(item, (*path, key))
    elif content is not None:
        yield path


def at(content: Any, path: Path) -> Any:
    for key in path:
        content = content[key]
    return content
