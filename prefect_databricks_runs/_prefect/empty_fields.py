"""Fields of a form on Prefect 3 that may be left empty, without a tab for None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final


class _EmptyIsNone:
    """Shows a parameter that may be None as one field, as Prefect 2 does: with neither a tab for None nor a default.

    With `default: null` in the schema, the server of Prefect 3 would refuse None; without it, None is accepted.
    """

    def __repr__(self) -> str:
        return "empty is None"

    def __get_pydantic_json_schema__(self, schema: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        shown = handler(schema)
        others = [each for each in shown.get("anyOf", ()) if each != {"type": "null"}]
        return _WithoutDefault(others[0]) if len(others) == 1 else shown


class _WithoutDefault(dict[str, Any]):
    """A JSON schema into which pydantic cannot write the default, which it does last."""

    def __setitem__(self, key: str, value: Any) -> None:
        if key != "default":
            super().__setitem__(key, value)


EMPTY_IS_NONE: Final = _EmptyIsNone()
"""Makes one field of `Annotated[X | None, EMPTY_IS_NONE]`; Prefect 2 does so anyway."""
