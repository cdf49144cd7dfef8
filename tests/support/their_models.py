"""Stand-ins for the models of prefect-databricks: of its release 0.4 on Prefect 3, and of 0.2 on Prefect 2."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

from prefect_databricks_runs._prefect.compat import PREFECT_3

if PREFECT_3:
    from pydantic import BaseModel
else:
    from pydantic.v1 import BaseModel

_FIELDS = {
    "AutoScale": "min_workers max_workers",
    "NewCluster": "spark_version node_type_id num_workers autoscale spark_conf aws_attributes",
    "NotebookTask": "notebook_path base_parameters source",
    "RunSubmitTaskSettings": "task_key notebook_task new_cluster existing_cluster_id depends_on libraries",
}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `from prefect_databricks.models.jobs import …` work; the real package is taken where it is installed."""
    if find_spec("prefect_databricks"):
        return
    modules = {name: ModuleType(name) for name in ("prefect_databricks", "prefect_databricks.models")}
    jobs = modules["prefect_databricks.models.jobs"] = ModuleType("prefect_databricks.models.jobs")
    for name, fields in _FIELDS.items():
        annotations = dict.fromkeys(fields.split(), Any)
        body = {"__annotations__": annotations, "__module__": jobs.__name__, **dict.fromkeys(annotations)}
        setattr(jobs, name, type(BaseModel)(name, (BaseModel,), body))
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
