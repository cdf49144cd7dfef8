"""The difference between the settings that are wanted for a job and the settings in Databricks.

Databricks adds its own settings, and not all of them are documented. Two rules keep them out: a setting that is not
wanted counts only if the shape of the API has it and its value says something (`_is_own`), and what is left right after
a job was saved is remembered by its digest, in the tag that `wanted` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from json import dumps
from typing import Any, Final, Literal

from .._payload.api import JOB, SCALARS, Field, fields_of
from .._payload.looks import at
from .masking import keys_in, shown

Sign = Literal["+", "-", "~"]

# What names an entry of a list, whose order then says nothing.
_KEYS: Final = {
    "Task": "task_key",
    "TaskDependency": "task_key",
    "JobCluster": "job_cluster_key",
    "JobEnvironment": "environment_key",
    "JobEnvironmentVariables": "environment_variables_key",
    "JobParameterDefinition": "name",
}
# What holds when a field is not there.
_DEFAULTS: Final = {
    (JOB, "max_concurrent_runs"): 1,
    (JOB, "queue"): {"enabled": True},
    ("Task", "run_if"): "ALL_SUCCESS",
}
_PAUSE = "pause_status"
# What a reset without them leaves as it is, or Databricks sets; whether a job may be changed is asked elsewhere.
_KEPT = frozenset(("run_as", "format", "deployment", "edit_mode"))


@dataclass(frozen=True)
class Change:
    """One setting that is different.

    Attributes:
        sign: `+` if it is added, `-` if it is removed, `~` if it is changed.
        path: The setting, such as `tasks[clean].max_retries`.
        before: What Databricks has, as it may be shown; empty for `+`.
        after: What is wanted, as it may be shown; empty for `-`.
        exact: Both, exactly, as a digest.
    """

    sign: Sign
    path: str
    before: str
    after: str
    exact: str = field(repr=False, default="")

    def __str__(self) -> str:
        values = {"+": self.after, "-": self.before, "~": f"{self.before} -> {self.after}"}
        return f"{self.sign} {self.path}: {values[self.sign]}"


def changes_of(wanted: Mapping[str, Any], there: Mapping[str, Any], *, is_other: bool) -> list[Change]:
    """Compare the settings of a job.

    Args:
        wanted: The wanted settings, in plain JSON.
        there: The settings in Databricks.
        is_other: Whether other settings were wanted before, so that a field that the shape of the API does not have may
            be one of them.
    """
    source = "GIT" if wanted.get("git_source") else "WORKSPACE"
    return list(_Comparison(source, is_other).objects(JOB, wanted, there, ""))


def digest_of(changes: Iterable[Change]) -> str:
    """Return a digest of a difference; empty if there is none."""
    lines = sorted(f"{each.sign}{each.path} {each.exact}" for each in changes)
    return _digest(lines)[:8] if lines else ""


def is_nothing(value: Any) -> bool:
    """Whether a value says no more than a field that is not there: 0, false, empty, or an object of such values."""
    if isinstance(value, dict):
        return all(map(is_nothing, value.values()))
    return not value


@dataclass(frozen=True)
class _Comparison:
    """Walks through both settings.

    Attributes:
        source: Where the files of tasks are from unless they say so.
        is_other: Whether fields that the shape of the API does not have count too.
    """

    source: str
    is_other: bool

    def objects(self, name: str, wanted: Mapping[str, Any], there: Mapping[str, Any], path: str) -> Iterator[Change]:
        fields = fields_of(name)
        for key, value in wanted.items():
            place = at(path, key)
            if there.get(key) is not None:
                yield from self.values(fields.get(key), value, there[key], place)
            elif not (value in ("", [], {}) or self._is_default(name, key, value)):
                yield _change("+", place, after=value)
        for key, value in there.items():
            if wanted.get(key) is None and not self._is_own(name, key, value, fields.get(key)):
                yield _change("-", at(path, key), before=value)

    def values(self, kind: Field | None, wanted: Any, there: Any, path: str) -> Iterator[Change]:
        if isinstance(wanted, Mapping) and isinstance(there, Mapping):
            if kind is None or kind.container == "{" or kind.kind in SCALARS:
                yield from self.maps(wanted, there, path)
            else:
                yield from self.objects(kind.kind, wanted, there, path)
        elif isinstance(wanted, list) and isinstance(there, list):
            yield from self.lists(kind.kind if kind else "", wanted, there, path)
        elif not _is_same(wanted, there):
            yield _change("~", path, before=there, after=wanted)

    def maps(self, wanted: Mapping[str, Any], there: Mapping[str, Any], path: str) -> Iterator[Change]:
        """Compare what users name themselves: each key counts."""
        for key in {**there, **wanted}:
            place = at(path, key)
            if key not in there:
                yield _change("+", place, after=wanted[key])
            elif key not in wanted:
                yield _change("-", place, before=there[key])
            else:
                yield from self.values(None, wanted[key], there[key], place)

    def lists(self, name: str, wanted: list[Any], there: list[Any], path: str) -> Iterator[Change]:
        key = _KEYS.get(name)
        old, new = _by_key(there, key), _by_key(wanted, key)
        if old is not None and new is not None:
            yield from (_change("-", f"{path}[{each}]", before=old[each]) for each in old if each not in new)
            for each, value in new.items():
                if each in old:
                    yield from self.objects(name, value, old[each], f"{path}[{each}]")
                else:
                    yield _change("+", f"{path}[{each}]", after=value)
        elif len(wanted) == len(there) and all(isinstance(each, Mapping) for each in (*wanted, *there)):
            for index, (one, other) in enumerate(zip(wanted, there, strict=True)):
                place = f"{path}[{index}]"
                yield from self.objects(name, one, other, place) if name else self.maps(one, other, place)
        elif len(wanted) != len(there) or not all(map(_is_same, wanted, there)):
            yield _change("~", path, before=there, after=wanted)

    def _is_own(self, name: str, key: str, value: Any, kind: Field | None) -> bool:
        """Whether Databricks itself may have set a field."""
        if (name == JOB and key in _KEPT) or self._is_default(name, key, value):
            return True
        if (name, key) in _DEFAULTS:
            return False
        return (kind is None and not self.is_other) or is_nothing(value)

    def _is_default(self, name: str, key: str, value: Any) -> bool:
        if key == "source":
            return bool(value == self.source)
        return (key == _PAUSE and value == "UNPAUSED") or bool(_DEFAULTS.get((name, key)) == value)


def _by_key(entries: list[Any], key: str | None) -> dict[str, Mapping[str, Any]] | None:
    """Return the entries of a list by what names them; None unless the names differ."""
    if key is None or not all(isinstance(each, Mapping) and isinstance(each.get(key), str) for each in entries):
        return None
    found = {each[key]: each for each in entries}
    return found if len(found) == len(entries) else None


def _is_same(wanted: Any, there: Any) -> bool:
    """Whether Databricks reads two scalars as the same value: it takes numbers and truth as text, too."""
    if isinstance(wanted, (Mapping, list)) or isinstance(there, (Mapping, list)):
        return bool(wanted == there)
    if isinstance(wanted, bool) is isinstance(there, bool) and wanted == there:
        return True
    return _as_text(wanted) == _as_text(there)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value)


def _change(sign: Sign, path: str, before: Any = None, after: Any = None) -> Change:
    around = keys_in(path)
    old, new = ("" if sign == "+" else shown(before, around)), ("" if sign == "-" else shown(after, around))
    return Change(sign, path, old, new, _digest([before, after]))


def _digest(value: Any) -> str:
    return sha256(dumps(value, sort_keys=True).encode()).hexdigest()
