"""The shape of the API is what its script makes of databricks-sdk, and is read when it is needed."""

from __future__ import annotations

import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from databricks.sdk.version import __version__ as installed

from prefect_databricks_runs._payload import api_shapes
from prefect_databricks_runs._payload.api import BODIES, fields_of, needed_in, objects_in, task_fields, values_of
from tests.support.processes import PATIENCE

SCRIPT = Path(__file__).parents[2] / "tools" / "api_shapes.py"
HOW = "the shape of the API is not what its script makes: run `python tools/api_shapes.py` and commit the file"


def test_each_file_is_what_the_script_makes_of_this_release_of_the_sdk() -> None:
    script = runpy.run_path(str(SCRIPT))
    for file, arguments in script["FILES"].items():
        made, is_there = script["generated"](*arguments), file.read_text("utf-8")
        assert made == script["generated"](*arguments)
        if installed == api_shapes.SDK_VERSION:
            assert made == is_there, HOW
            continue
        if made.replace(installed, api_shapes.SDK_VERSION) == is_there:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            warnings.warn(f"databricks-sdk {installed}: {HOW}", stacklevel=1)


def test_the_shape_is_read_when_a_payload_is_and_not_before() -> None:
    code = """
import sys
from prefect_databricks_runs import submit_run
from prefect_databricks_runs._payload import build
shape = "prefect_databricks_runs._payload.api_shapes"
assert shape not in sys.modules
build.submit_run_template({"notebook_task": {"notebook_path": "/n"}}, {}).fill({})
assert shape in sys.modules
assert "databricks" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)


def test_every_type_in_the_shape_is_known() -> None:
    for name in api_shapes.OBJECTS:
        for key, field in fields_of(name).items():
            known = (
                fields_of(field.kind) or values_of(field.kind) or field.kind in ("text", "int", "float", "bool", "any")
            )
            assert known, (name, key, field)


def test_a_submitted_run_lacks_these_of_a_job() -> None:
    assert fields_of("Task").keys() - fields_of("SubmitTask").keys() == {"job_cluster_key"}
    assert {"job_clusters", "parameters", "schedule", "tags"} <= fields_of("CreateJob").keys() - fields_of(
        "SubmitRun"
    ).keys()
    assert {"task_key", "new_cluster", "job_cluster_key", "libraries"} <= task_fields()
    assert not task_fields() & {"timeout_seconds", "description", "email_notifications", "health"}


# A missing field of a task object is refused: what a newer SDK adds here has to be looked at first.
REFUSED_WITHOUT = {
    "notebook_task": {"notebook_path"},
    "spark_python_task": {"python_file"},
    "python_wheel_task": {"package_name", "entry_point"},
    "pipeline_task": {"pipeline_id"},
    "sql_task": {"warehouse_id"},
    "dbt_task": {"commands"},
    "run_job_task": {"job_id"},
    "condition_task": {"op", "left", "right"},
    "for_each_task": {"inputs", "task"},
    "clean_rooms_notebook_task": {"clean_room_name", "notebook_name"},
    "gen_ai_compute_task": {"dl_runtime_image"},
    "ai_runtime_task": {"experiment", "deployments"},
    "ai_function_task": {"output"},
}


def test_what_a_task_is_refused_without_is_known_one_by_one() -> None:
    kinds = {key: name for key, name in objects_in("SubmitTask").items() if key.endswith("_task")}
    assert {key: needed for key, name in kinds.items() if (needed := set(needed_in(name)))} == REFUSED_WITHOUT
    assert set(needed_in("GitSource")) == {"git_url", "git_provider"}


@pytest.mark.parametrize("endpoint", BODIES)
def test_each_body_has_fields(endpoint: str) -> None:
    assert len(fields_of(BODIES[endpoint])) > 10
