"""What the flows share that start a run and wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

import prefect
from typing_extensions import ParamSpec

from prefect_databricks_runs._compat import PREFECT_3, ValidBlock
from prefect_databricks_runs.credentials import DatabricksCredentials
from prefect_databricks_runs.handover import handing_over
from prefect_databricks_runs.options import option

P = ParamSpec("P")
R = TypeVar("R")


class Flow(prefect.Flow[P, R]):
    """A flow of this package, used as a decorator.

    It resolves the reference to a credentials block that a deployment passes. Prefect 3 does so too, but does not say
    which block it could not find, or what to do.
    """

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Validate the parameters of a run, with the block that they refer to."""
        given: Any = parameters.get("databricks_credentials")
        if isinstance(given, dict) and "$ref" in given:
            given = DatabricksCredentials.of_reference(given["$ref"])
        if isinstance(given, DatabricksCredentials):
            parameters = {**parameters, "databricks_credentials": given if PREFECT_3 else ValidBlock(given)}
        return super().validate_parameters(parameters)

    def with_options(self, **options: Any) -> Flow[P, R]:
        """Make a flow of the same function with other options; Prefect makes one of its own class."""
        flow = super().with_options(**options)
        flow.__class__ = type(self)
        return cast("Flow[P, R]", flow)


def starting(credentials: DatabricksCredentials, parameters: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Leave the run that is started in this block, when the block is interrupted.

    Args:
        credentials: The workspace, and how to sign in.
        parameters: Of the flow.
    """
    fails = option(parameters, "fail_on_task_failures")
    return handing_over(credentials, parameters, fail_on_task_failures=fails)


def only(fields: type, parameters: Mapping[str, Any]) -> Any:
    """Pick those of a flow's parameters that the task takes.

    Args:
        fields: The named parameters of the task.
        parameters: Of the flow.
    """
    return {key: value for key, value in parameters.items() if key in fields.__annotations__}
