"""The class of this package's flows."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import prefect
from typing_extensions import ParamSpec

from .._prefect.compat import PREFECT_3, ValidBlock
from .._text import has_repr, safe_repr
from ..credentials import DatabricksCredentials
from ..errors import InvalidOption

P = ParamSpec("P")
R = TypeVar("R")


class Flow(prefect.Flow[P, R]):
    """A flow of this package, used as a decorator.

    It resolves the reference to a credentials block that a deployment passes. Prefect 3 does so too, but does not say
    which block it could not find, or what to do.
    """

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Validate the parameters of a run, with the block that they refer to.

        Raises:
            InvalidOption: One that is wrong cannot be shown either.
        """
        given: Any = parameters.get("databricks_credentials")
        if isinstance(given, dict) and "$ref" in given:
            given = DatabricksCredentials.of_reference(given["$ref"])
        if isinstance(given, DatabricksCredentials):
            parameters = {**parameters, "databricks_credentials": given if PREFECT_3 else ValidBlock(given)}
        try:
            return super().validate_parameters(parameters)
        except Exception:  # Prefect says what is wrong with one parameter, and in that shows all of them
            unsaid = {name: value for name, value in parameters.items() if not has_repr(value)}
            if not unsaid:
                raise
        raise InvalidOption([f"`{name}` is not what it must be; it is {safe_repr(unsaid[name])}." for name in unsaid])

    def with_options(self, **options: Any) -> Flow[P, R]:
        """Make a flow of the same function with other options; Prefect makes one of its own class."""
        flow = super().with_options(**options)
        flow.__class__ = type(self)
        return cast("Flow[P, R]", flow)
