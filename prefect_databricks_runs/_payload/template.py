"""A request body with placeholders, read once, and filled with values as often as needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidPayload
from .checks import has_known_choices
from .forms import Late, Place, Shape, as_sent
from .hints import hints_of
from .placeholders import is_lasting
from .plain import Faults, Reader, Slot, filled


@dataclass(frozen=True)
class Template:
    """A request body whose placeholders have no values yet.

    Attributes:
        body: Plain JSON; never changed.
        slots: The strings in it that have placeholders.
        late: The values that are sent in another form than in the body, of which the idempotency token is made.
        faults: The faults found so far.
        check: Finds the faults of the filled body.
        endpoint: `runs/submit` or `run-now`.
    """

    body: dict[str, Any]
    slots: tuple[Slot, ...]
    late: tuple[Late, ...]
    faults: tuple[tuple[float, str], ...]
    check: Callable[[dict[str, Any]], list[str]]
    endpoint: str

    @property
    def placeholders(self) -> set[str]:
        """The paths of the placeholders of Prefect, known or not, such as `prefect.variables.cluster`."""
        return {path for slot in self.slots for path in slot.placeholders}

    def fill(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the placeholders by values, and check the body.

        Args:
            values: Values by the placeholder's path.

        Returns:
            A new dict of JSON values as they are sent; values without a placeholder are shared between such dicts.

        Raises:
            InvalidPayload: Names every fault.
        """
        return self._as_sent(self._checked(values))

    def lasting(self, values: Mapping[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
        """Return the body that is the same in each attempt: placeholders that name the attempt are not filled.

        Args:
            values: Values by the placeholder's path.
            payload: The body that was filled with these values.
        """
        passing = {path: f"{{{{ {path} }}}}" for path in values if not is_lasting(path)}
        if passing.keys() & self.placeholders:
            try:
                body = self._checked({**values, **passing})
            except InvalidPayload:  # the field of the placeholder must be a number
                pass
            else:
                if has_known_choices(body):
                    return body
        return self._filled(values, []) if self._changes_when_sent else dict(payload)

    @property
    def _changes_when_sent(self) -> bool:
        return bool(self.late) or (self.endpoint == "runs/submit" and "name" in self.body)

    def _filled(self, values: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
        values, of_values = _plain(values)
        faults += [*of_values, *self.faults]
        body: dict[str, Any] = filled(self.body, self.slots, values, faults)
        return body

    def _checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        faults: Faults = []
        body = self._filled(values, faults)
        found = [fault for _, fault in sorted(faults, key=lambda each: each[0])]
        sent = self._as_sent(body)
        found = [*dict.fromkeys(found), *self.check(sent)]
        if found:
            hints = [hint.as_fault() for hint in hints_of(sent, self.endpoint) if hint.is_unknown]  # often the cause
            raise InvalidPayload([*found, *hints], self.endpoint)
        return body

    def _as_sent(self, body: dict[str, Any]) -> dict[str, Any]:
        if not self._changes_when_sent:
            return body
        sent: dict[str, Any] = as_sent(body, self.late)
        if self.endpoint == "runs/submit" and "run_name" not in sent and "name" in sent:  # as a job has it
            sent["run_name"] = sent.pop("name")
        return sent


def _plain(values: Mapping[str, Any]) -> tuple[dict[str, Any], Faults]:
    reader = Reader()
    plain = {path: reader.plain(value, Place(f"`{{{{ {path} }}}}`"), Shape.LOOSE) for path, value in values.items()}
    return plain, [(0, fault) for _, fault in reader.faults]
