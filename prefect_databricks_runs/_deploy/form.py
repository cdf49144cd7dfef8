"""The form of a deployment of one job: the job, its own parameters, and the credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._fields import as_mappings, as_text
from ..flows import run_now_and_wait


@dataclass(frozen=True)
class SavedJob:
    """A saved job, as the form needs it.

    Attributes:
        job_id: Its id.
        name: Its name.
        by_name: Whether it is found by its name in each run.
        defaults: Its own parameters with their defaults.
        settings: All of its settings.
    """

    job_id: int
    name: str
    by_name: bool
    defaults: Mapping[str, str]
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, job: Mapping[str, Any], *, by_name: bool) -> SavedJob:
        """Read the answer of `jobs/get`."""
        settings = job["settings"]
        parameters = as_mappings(settings.get("parameters"))
        defaults = {as_text(each.get("name")): as_text(each.get("default")) for each in parameters}
        return cls(job["job_id"], as_text(settings.get("name")), by_name, defaults, settings)

    @property
    def named(self) -> dict[str, Any]:
        """The parameter of the flow that names it."""
        return {"job_name": self.name} if self.by_name else {"job_id": self.job_id}


def form_of(job: SavedJob, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the schema of the form.

    All other parameters of the flow stay as they are: a run can set them through the API, but not in the form.

    Args:
        job: The job.
        values: Values of the deployment for the job's parameters.
    """
    whole = dict(run_now_and_wait.parameters)
    shown = {
        **{name: _job_field(value) for name, value in job.named.items()},
        **({"job_parameters": _parameters_field({**job.defaults, **values})} if job.defaults else {}),
        "databricks_credentials": {**whole["properties"]["databricks_credentials"], "title": "Credentials"},
    }
    properties = {name: {**field, "position": place} for place, (name, field) in enumerate(shown.items())}
    return {**whole, "properties": properties}


def _job_field(value: str | int) -> dict[str, Any]:
    kind = "string" if isinstance(value, str) else "integer"
    return {"title": "Job", "type": kind, "default": value, "description": "The saved Databricks job."}


def _parameters_field(defaults: Mapping[str, str]) -> dict[str, Any]:
    fields = {
        name: {"title": name, "type": "string", "default": default, "position": place}
        for place, (name, default) in enumerate(defaults.items())
    }
    return {
        "title": "Job parameters",
        "type": "object",
        "properties": fields,
        "description": "The parameters of the job. An empty one has the default that the job has.",
    }
