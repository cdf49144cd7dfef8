"""The class of this package's flows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast, get_args

import prefect
from typing_extensions import ParamSpec

from .._prefect.compat import PREFECT_3, BlockOfEitherPydantic, ValidBlock, is_class_of
from .._prefect.docstrings import summary_of
from .._text import has_repr, safe_repr
from ..errors import InvalidOption

P = ParamSpec("P")
R = TypeVar("R")


class Flow(prefect.Flow[P, R]):
    """A flow of this package, used as a decorator.

    It resolves the references to saved blocks that a deployment passes. Prefect 3 does so too, but its error does not
    name the missing block or say what to do.
    """

    def __init__(self, fn: Callable[P, R], **options: Any) -> None:
        # The page of a deployment shows the description; its form shows the entries of `Args:` beside the fields.
        super().__init__(fn, **{**options, "description": options.get("description") or summary_of(fn)})

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Validate the parameters of a run, with the block that they refer to.

        Raises:
            InvalidOption: A parameter is invalid and cannot even be shown in an error message.
        """
        for name, kind in self._blocks():
            given: Any = parameters.get(name)
            if isinstance(given, dict) and "$ref" in given:
                given = kind.of_reference(given["$ref"])
            if isinstance(given, kind):
                parameters = {**parameters, name: given if PREFECT_3 else ValidBlock(cast("Any", given))}
        try:
            return super().validate_parameters(parameters)
        except Exception:  # Prefect's message about one parameter shows the values of all parameters
            unsaid = {name: value for name, value in parameters.items() if not has_repr(value)}
            if not unsaid:
                raise
        raise InvalidOption([f"`{name}` must be a valid value; it is {safe_repr(unsaid[name])}." for name in unsaid])

    def _blocks(self) -> Iterator[tuple[str, type[BlockOfEitherPydantic]]]:
        """Return the parameters that are blocks."""
        for name, parameter in inspect.signature(self.fn).parameters.items():
            kind = next(iter(get_args(parameter.annotation)), parameter.annotation)
            if is_class_of(kind, BlockOfEitherPydantic):
                yield name, kind

    def with_options(self, **options: Any) -> Flow[P, R]:
        """Make a flow of the same function with other options; Prefect itself would return its own class."""
        flow = super().with_options(**options)
        flow.__class__ = type(self)
        return cast("Flow[P, R]", flow)
