"""A request body with placeholders in it, read once, and filled with values as often as is needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidPayload
from .placeholders import is_lasting
from .plain import Faults, Place, Reader, Shape, Slot, filled
from .spelling import misspelt_keys


@dataclass(frozen=True)
class Template:
    """A request body as far as it is known before its placeholders have values.

    Attributes:
        body: Plain JSON; never changed.
        slots: The texts in it that have placeholders.
        faults: What is wrong with it already.
        check: Finds what is wrong with it in the end.
        endpoint: `runs/submit` or `run-now`.
    """

    body: dict[str, Any]
    slots: tuple[Slot, ...]
    faults: tuple[tuple[float, str], ...]
    check: Callable[[dict[str, Any]], list[str]]
    endpoint: str

    @property
    def placeholders(self) -> set[str]:
        """The paths of the placeholders of Prefect, known or not, such as `prefect.variables.cluster`."""
        return {path for slot in self.slots for path in slot.placeholders}

    def fill(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Put values in the place of the placeholders, and check the whole.

        Args:
            values: Values by the placeholder's path.

        Returns:
            A new dict of JSON values, which shares with other ones what has no placeholder in it.

        Raises:
            InvalidPayload: Naming every fault.
        """
        values, of_values = _plain(values)
        faults: Faults = [*of_values, *self.faults]
        body: dict[str, Any] = filled(self.body, self.slots, values, faults)
        found = [fault for _, fault in sorted(faults, key=lambda each: each[0])]
        found = [*dict.fromkeys(found), *self.check(body)]
        if found:
            misspelt = [each.as_fault() for each in misspelt_keys(body, self.endpoint)]  # often the cause
            raise InvalidPayload([*found, *misspelt], self.endpoint)
        return body

    def lasting(self, values: Mapping[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
        """Return the body as far as it is the same in each attempt at it: what names the attempt stays a placeholder.

        Args:
            values: Values by the placeholder's path.
            payload: The body as it was filled with them.
        """
        passing = {path: f"{{{{ {path} }}}}" for path in values if not is_lasting(path)}
        if not passing.keys() & self.placeholders:
            return dict(payload)
        try:
            return self.fill({**values, **passing})
        except InvalidPayload:  # a number is asked for where the placeholder is
            return dict(payload)


def _plain(values: Mapping[str, Any]) -> tuple[dict[str, Any], Faults]:
    reader = Reader()
    plain = {path: reader.plain(value, Place(f"`{{{{ {path} }}}}`"), Shape.LOOSE) for path, value in values.items()}
    return plain, [(0, fault) for _, fault in reader.faults]
