"""The pause key of a suspended flow run: the runs it waits for, and the runs its attempt has started.

Nothing else is stored. The key is in the `Suspended` state, where the watcher reads it, and Prefect collects the keys
of an attempt in the policy of the flow run, where the resumed process reads them. Prefect empties that collection when
the attempt ends. Anyone with permission to set states can write a key, so it is checked like any input from outside.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

PREFIX = "databricks-runs "
_VERSION = 1
_MOST_CHARACTERS = 1_000_000
_RunIds = Annotated[tuple[Annotated[int, Field(gt=0, lt=2**63)], ...], Field(max_length=10_000)]


@dataclass(frozen=True)
class PauseKey:
    """The pause key of a suspended flow run.

    Attributes:
        host: The workspace's address.
        block_id: The document of the saved credentials block.
        run_ids: The job runs that the flow run waits for.
        started: The other job runs that this attempt has started, or found again.
        is_of_many: Whether task runs are drawn for many runs, and not for the tasks of one run.
        until: When to resume anyway, in seconds since 1970; None for never.
        wakes_at: Whether the flow run is resumed when all have finished, or when one has failed.
        fails_on_task_failures: Whether a run that ends `SUCCESS_WITH_FAILURES` has failed.
        polling_period_seconds: The longest time between two polls.
        max_drawn: The number of runs, or of tasks of the one run, above which none is drawn as a task run.
        number: How many keys of ours this attempt had before, because Prefect refuses a repeated key.
        wait: How many waits for the same runs the attempt had before this one.
    """

    host: Annotated[str, Field(min_length=1, max_length=500)]
    block_id: UUID
    run_ids: Annotated[_RunIds, Field(min_length=1)]
    started: _RunIds = ()
    is_of_many: bool = False
    until: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    wakes_at: Literal["all", "failure"] = "all"
    fails_on_task_failures: bool = False
    polling_period_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 30.0
    max_drawn: Annotated[int, Field(ge=0)] = 250
    number: Annotated[int, Field(ge=0)] = 0
    wait: Annotated[int, Field(ge=0)] = 0

    def __str__(self) -> str:
        """Return the key as it is stored in Prefect."""
        fields = {"version": _VERSION, **asdict(self), "block_id": str(self.block_id)}
        return PREFIX + json.dumps(fields, separators=(",", ":"))

    @property
    def all_run_ids(self) -> tuple[int, ...]:
        """The runs that are waited for, and all others of the attempt."""
        return tuple(dict.fromkeys([*self.run_ids, *self.started]))

    def after(self, earlier: Iterable[PauseKey]) -> PauseKey:
        """Return this key as the successor of the earlier keys of its attempt.

        The time of a wait counts from its beginning in the first process of the attempt. Two waits are the same if they
        wait for the same runs, and as many waits for these came before.
        """
        others = list(earlier)
        this = (self.wait, set(self.run_ids))
        same = [each.until for each in others if each.until and (each.wait, set(each.run_ids)) == this]
        until = min([*same, self.until]) if self.until is not None else None
        return replace(self, number=len(others), until=until)


class UnreadableKey(ValueError):
    """A key that begins like ours but cannot be read; the message says why, and contains no part of the key."""


def read_key(key: str | None) -> PauseKey | None:
    """Read the pause key of a state.

    Args:
        key: The key.

    Returns:
        The parsed key; None for a key that is not ours.

    Raises:
        UnreadableKey: The key begins like ours, but is not valid.
    """
    if not key or not key.startswith(PREFIX):
        return None
    if len(key) > _MOST_CHARACTERS:
        raise UnreadableKey(f"it has {len(key)} characters")
    try:
        fields = json.loads(key[len(PREFIX) :], parse_constant=lambda _: math.nan)
    except (ValueError, RecursionError):
        raise UnreadableKey("it is not JSON") from None
    if not isinstance(fields, dict) or fields.pop("version", None) != _VERSION:
        raise UnreadableKey("it is of another release of prefect-databricks-runs") from None
    try:
        found: PauseKey = _adapter().validate_json(json.dumps(fields), strict=True)
    except (ValidationError, ValueError) as error:
        faults = error.errors() if isinstance(error, ValidationError) else []
        names = sorted({str(each["loc"][0]) for each in faults if each["loc"] and each["loc"][0] in _NAMES})
        raise UnreadableKey(f"it is wrong in {', '.join(names) or 'its form'}") from None
    return found


def fault_of(key: PauseKey) -> str:
    """Return the reason why a key could not be read back; empty if it can.

    Args:
        key: The key to write.
    """
    try:
        read_key(str(key))
    except UnreadableKey as error:
        return str(error)
    return ""


def keys_in(pause_keys: Iterable[Any] | None) -> list[PauseKey]:
    """Return our keys among all keys that Prefect has collected for an attempt, the first one first.

    Args:
        pause_keys: The keys in the policy of the flow run.
    """
    found: list[PauseKey] = []
    for each in pause_keys or ():
        try:
            key = read_key(str(each))
        except UnreadableKey:
            continue
        if key:
            found.append(key)
    return sorted(found, key=lambda each: each.number)


@cache
def _adapter() -> TypeAdapter[PauseKey]:
    return TypeAdapter(PauseKey)


_NAMES = frozenset(PauseKey.__dataclass_fields__)
