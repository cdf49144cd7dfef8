"""Hints on a request: keys, values and types that the shape of the API does not have, and `rules` that it breaks.

Databricks ignores a key that it does not know, so a misspelled or misplaced key silently changes a run. But Databricks
extends the API earlier than databricks-sdk, so a hint is never a fault: the request is sent unchanged. Names that users
choose (parameters, tags, variables) are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from .api import BODIES, JOB, SCALARS, Field, fields_of, needed_in, objects_in, values_of
from .looks import UNREADABLE, at, given, kind_of, listed
from .rules import WITH_RULES, Hint, broken_rules

if TYPE_CHECKING:  # Prefect takes long to import, and check-job does without it
    from .._prefect.logging import Logger

_CLOSE = 0.8
_MANY = 3
_MOST_HINTS = 20

# The right key instead of a key of another object, by the object that the wrong key is in.
_MEANT: dict[str, dict[str, str]] = {
    "NotebookTask": dict.fromkeys(("notebook_params", "parameters", "named_parameters"), "base_parameters"),
    "PythonWheelTask": {
        "python_params": "parameters",
        **dict.fromkeys(("python_named_params", "base_parameters"), "named_parameters"),
    },
    "SparkPythonTask": dict.fromkeys(("python_params", "base_parameters"), "parameters"),
    "SparkJarTask": {"jar_params": "parameters"},
    "SparkSubmitTask": {"spark_submit_params": "parameters"},
    "SqlTask": {"sql_params": "parameters"},
    "DbtTask": {"dbt_commands": "commands"},
    JOB: {"run_name": "name"},
    "RunNow": {"base_parameters": "notebook_params", "parameters": "job_parameters"},
    "RunJobTask": {"base_parameters": "notebook_params", "parameters": "job_parameters"},
}
# `checks` reports these as faults.
_FAULTS = {("SubmitRun", "job_clusters"), ("SubmitTask", "job_cluster_key")}
_ANY_CASE = ("GitProvider",)
_KINDS = {"text": "a string", "int": "a whole number", "float": "a number", "bool": "true or false"}


class _Object(NamedTuple):
    """An object in the request: its name in the API, its place, and its content."""

    name: str
    place: str
    content: Mapping[str, Any]


def hints_of(payload: Mapping[str, Any], endpoint: str) -> list[Hint]:
    """Find the keys, values and types in a request body that the shape of the API does not have.

    Args:
        payload: The body, in plain JSON values.
        endpoint: `runs/submit`, `run-now` or `jobs/create`.
    """
    return list(_of_object((_Object(BODIES[endpoint], "", payload),)))


def log_hints(hints: Sequence[Hint], logger: Logger) -> None:
    """Log hints as warnings, only the first ones if there are many.

    Args:
        hints: The hints of one request.
        logger: The log.
    """
    for hint in hints[:_MOST_HINTS]:
        logger.warning("%s", hint.as_warning())
    if len(hints) > _MOST_HINTS:
        logger.warning("%d more warnings about the request are not shown.", len(hints) - _MOST_HINTS)


def _of_object(around: tuple[_Object, ...]) -> Iterator[Hint]:
    """Yield the hints of the last object; the others are the objects around it."""
    name, place, content = around[-1]
    fields = fields_of(name)
    for key, value in content.items():
        field = fields.get(key)
        if field is None:
            yield from _unknown(key, around)
        elif not (value is None or value is UNREADABLE or _is_plainly_right(value, field)):
            yield from _of_value(value, field, key, around)
    if name in WITH_RULES:
        yield from broken_rules(name, place, content, around[0].content)
    for key in needed_in(name):
        if content.get(key) is None:
            yield Hint(place, f"missing key `{key}`", "Databricks requires it.", is_unknown=False)


def _is_plainly_right(value: Any, field: Field) -> bool:
    """Return whether a value is plainly valid, as most are. This is the fast path for long requests."""
    if field.container:
        return field.container == "{" and isinstance(value, dict)
    return field.kind == "text" and isinstance(value, str)


def _of_value(value: Any, field: Field, key: str, around: tuple[_Object, ...]) -> Iterator[Hint]:
    place = around[-1].place
    if field.container == "{":
        yield from _of_type(value, Mapping, "an object", key, place)
        return
    if field.container == "[" and not isinstance(value, list):
        yield from _of_type(value, list, "a list", key, place)
        return
    values = value if field.container else (value,)
    for index, each in enumerate(values):
        named = f"{key}[{index}]" if field.container else key
        if each is not UNREADABLE:
            yield from _of_one(each, field.kind, named, around)


def _of_one(value: Any, kind: str, named: str, around: tuple[_Object, ...]) -> Iterator[Hint]:
    place = around[-1].place
    if kind in SCALARS:
        if not _is(value, kind):
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            found = f"{value:g}" if is_number and kind != "bool" else kind_of(value)
            yield Hint(place, f"`{named}`", f"it should be {_KINDS[kind]}, not {found}.", is_unknown=False)
    elif choices := values_of(kind):
        yield from _of_choice(value, kind, choices, named, place)
    elif isinstance(value, Mapping):
        yield from _of_object((*around, _Object(kind, at(place, named), value)))
    else:
        yield from _of_type(value, Mapping, "an object", named, place)


def _of_choice(value: Any, kind: str, choices: tuple[str, ...], named: str, place: str) -> Iterator[Hint]:
    if isinstance(value, (dict, list)):
        yield Hint(place, f"`{named}`", f"it should be a string, not {kind_of(value)}.", is_unknown=False)
        return
    # As it is sent, and as bundles read it: `outcome: true`.
    value = str(value).lower() if isinstance(value, bool) else str(value)
    if value in choices or "{{" in value:
        return
    same = [each for each in choices if each.lower() == value.lower()]
    if same and kind in _ANY_CASE:
        return
    meant = same or get_close_matches(value.upper(), choices, n=1, cutoff=_CLOSE)
    advice = f"did you mean {meant[0]}?" if meant else f"known values are {listed(choices, 'and')}."
    yield Hint(place, f"unknown value {value[:100]!r} of `{named}`", advice)


def _of_type(value: Any, expected: type[Any], says: str, named: str, place: str) -> Iterator[Hint]:
    if not isinstance(value, expected) and not (isinstance(value, str) and "{{" in value):
        yield Hint(place, f"`{named}`", f"it should be {says}, not {kind_of(value)}.", is_unknown=False)


def _is(value: Any, kind: str) -> bool:
    """Return whether the API may read a value as a scalar of a kind: it reads numbers as strings, and the reverse."""
    if value is None or isinstance(value, (dict, list)):
        return kind == "any"
    if isinstance(value, bool):
        return kind in ("bool", "text", "any")
    if isinstance(value, (int, float)):
        return kind in ("text", "any") or (kind != "bool" and _is_number(value, kind))
    return kind not in ("int", "float", "bool") or "{{" in value or _reads_as(value, kind)


def _reads_as(text: str, kind: str) -> bool:
    if kind == "bool":
        return text.lower() in ("true", "false")
    try:
        return _is_number(float(text), kind)
    except ValueError:
        return False


def _is_number(number: float, kind: str) -> bool:
    """Whether a number is one of JSON, and whole where the API wants it so."""
    return isfinite(number) and (kind == "float" or isinstance(number, int) or number.is_integer())


def _unknown(key: str, around: tuple[_Object, ...]) -> Iterator[Hint]:
    name, place, _ = around[-1]
    what = f"unknown key `{key}`"
    if (name, key) in _FAULTS:
        return
    if name == BODIES["runs/submit"] and key in fields_of(JOB):
        yield Hint(place, f"setting `{key}` of a job", "a submitted run does not have it, and Databricks ignores it.")
    elif meant := _MEANT.get(name, {}).get(key):
        belongs = "".join(f" `{key}` belongs in {each}." for each in _elsewhere(key))
        yield Hint(place, what, f"did you mean `{meant}`?{belongs}")
    elif near := _near(key, around):
        yield Hint(place, what, f"it belongs in {near}.")
    elif close := get_close_matches(key, fields_of(name), n=1, cutoff=_CLOSE):
        yield Hint(place, what, f"did you mean `{close[0]}`?")
    else:
        yield from (Hint(place, what, f"it belongs in {each}.") for each in _elsewhere(key))


def _near(key: str, around: tuple[_Object, ...]) -> str:
    """Name the objects that have a key: around this object, beside it or below it; empty if there are too many."""
    for outer in reversed(around[:-1]):
        if key in fields_of(outer.name):
            return outer.place or "the request"
    for outer in reversed(around):
        below = [child for child, name in objects_in(outer.name).items() if key in fields_of(name)]
        present = [child for child in below if given(outer.content, child)]
        found = present or below
        if 0 < len(found) <= _MANY:
            return listed([at(outer.place, child) for child in found])
        if found:
            return ""
    return ""


def _elsewhere(key: str) -> list[str]:
    """Name the bodies that have a key at their top level; empty if none has it."""
    bodies = {
        JOB: "the settings of a job",
        "SubmitRun": "the request of submit_run",
        "RunNow": "the request of run_now",
    }
    found = [says for name, says in bodies.items() if key in fields_of(name)]
    return [listed(found)] if found else []
