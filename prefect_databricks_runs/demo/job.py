"""The demo's job: how is Python's standard library written? Read, clean, look at it in three ways, report."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parent / "notebooks"
FOLDER = "/Shared/demo"


def install(root: Path) -> None:
    """Copy the notebooks into the folder that holds the workspace's files."""
    shutil.copytree(
        NOTEBOOKS, root / FOLDER.strip("/"), dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )


def demo_job(data_folder: Path, *, fail: bool = False) -> dict[str, Any]:
    """Return the body of `runs/submit`.

    Args:
        data_folder: The folder for the tasks' data; created if it does not exist.
        fail: Whether the task `docstrings` raises.
    """
    looks = ["functions", "imports", "docstrings"]
    return {
        "run_name": "how-python-is-written",
        "tasks": [
            {
                "task_key": "collect",
                "spark_python_task": {"python_file": f"{FOLDER}/collect.py", "parameters": [str(data_folder)]},
                "environment_key": "default",
            },
            _notebook("clean", ["collect"], data_folder),
            *(_notebook(look, ["clean"], data_folder, fail=str(fail).lower()) for look in looks),
            _notebook("report", looks, data_folder),
        ],
        "environments": [{"environment_key": "default", "spec": {"environment_version": "2"}}],
    }


def _notebook(task_key: str, depends_on: list[str], data_folder: Path, **parameters: str) -> dict[str, Any]:
    return {
        "task_key": task_key,
        "depends_on": [{"task_key": other} for other in depends_on],
        "notebook_task": {
            "notebook_path": f"{FOLDER}/{task_key}",
            "base_parameters": {"folder": str(data_folder), **parameters},
        },
    }
