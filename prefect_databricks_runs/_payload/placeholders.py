"""The `{{ prefect.… }}` placeholders of a payload: found, looked up, filled in.

Every other `{{…}}` belongs to Databricks (`{{job.run_id}}`, `{{tasks.a.values.b}}`) and is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from json import dumps
from typing import Any

from anyio import to_thread
from prefect.blocks.core import Block

from .._prefect.compat import flow_run_id

_BRACES = re.compile(r"\{\{([^{}]*)\}\}")
_PREFIX = "prefect."
_VARIABLES = "prefect.variables."
_SCHEDULED = "prefect.scheduled_start_time"
_NOTHING = object()

# The known names, and the reason when such a name has no value.
_KINDS = {
    r"prefect\.variables\.[^.]+": "Prefect has no variable of that name; create it, or correct the name",
    r"prefect\.flow_run\.parameters\.[^.]+(\.[^.]+)*": (
        "the flow run does not have this parameter; correct the name, and call this inside a flow that has it"
    ),
    r"prefect\.(scheduled_start_time|flow_run\.(id|name|flow_name|scheduled_start_time|run_count|tags))": (
        "there is no flow run here; call this inside a flow"
    ),
    r"prefect\.task_run\.(id|name)": "there is no task run here; call this inside a task",
    r"prefect\.deployment\.(id|name|version)": (
        "the flow run does not belong to a deployment, or the deployment has none; remove the placeholder"
    ),
}
_KNOWN_NAMES = (
    "prefect.variables.<name>, prefect.flow_run.id, .name, .flow_name, .parameters.<name>, .scheduled_start_time, "
    ".run_count and .tags, prefect.task_run.id and .name, prefect.deployment.id, .name and .version, and "
    "prefect.scheduled_start_time"
)


# The placeholders with the same value in each attempt at a flow run, although its subflow runs are new ones then.
_LASTING = ("prefect.flow_run.parameters.", "prefect.flow_run.flow_name", "prefect.deployment.")


def is_lasting(path: str) -> bool:
    """Return whether a placeholder has the same value in each attempt at a flow run; a variable may change."""
    return path.startswith(_LASTING)


def find(text: str) -> Iterator[str]:
    """Return the Prefect placeholders in a string, such as `prefect.flow_run.name`, in their order."""
    return (path for braces in _BRACES.finditer(text) if (path := _path(braces)))


def fill(text: str, values: Mapping[str, Any], report: Callable[[str], None]) -> Any:
    """Replace the placeholders of a string by values. Placeholders inside the values are not replaced.

    Args:
        text: Any string of a payload.
        values: JSON values by the placeholder's path.
        report: Called with a sentence for every placeholder that has no value; the placeholder then stays.

    Returns:
        The value itself, with its JSON type, if the string is one placeholder and nothing else; otherwise a string.
    """

    def value_of(braces: re.Match[str]) -> Any:
        path = _path(braces)
        if path in values:
            return values[path]
        if path:
            report(f"`{{{{ {path} }}}}` has no value: {_why_none(path)}.")
        return braces[0]

    whole = _BRACES.fullmatch(text)
    return value_of(whole) if whole else _BRACES.sub(lambda braces: as_text(value_of(braces)), text)


def as_text(value: Any) -> str:
    """Convert a JSON value to a string: strings unchanged, anything else as compact JSON (`true`, `2.5`, `{"a":1}`)."""
    return value if isinstance(value, str) else dumps(value, separators=(",", ":"), default=str)


async def placeholder_values(paths: Collection[str]) -> dict[str, Any]:
    """Get the values of placeholders from the current Prefect run, and variables from the Prefect API.

    Args:
        paths: Placeholder paths, such as `prefect.variables.cluster`.

    Returns:
        The value of each path that has one. Names that are unknown, or have no value here, are left out.

    Raises:
        Exception: The error of Prefect's client, if the Prefect API cannot be reached.
    """
    known = [path for path in sorted(paths) if _kind(path)]
    variables = [path for path in known if path.startswith(_VARIABLES)]
    runtime = [path for path in known if path not in variables]
    # In a thread: outside the flow's own context `prefect.runtime` asks the API, and blocks while it does.
    values = await to_thread.run_sync(_runtime_values, runtime) if runtime else {}
    return {**values, **(await _variable_values(variables) if variables else {})}


async def _variable_values(paths: list[str]) -> dict[str, Any]:
    from prefect.client.orchestration import get_client

    values: dict[str, Any] = {}
    async with get_client() as client:
        for path in paths:
            name = path.removeprefix(_VARIABLES)
            # Prefect 2 puts the name into the URL without escaping it; every valid variable name matches this pattern.
            variable = await client.read_variable_by_name(name) if re.fullmatch(r"[\w-]+", name, re.ASCII) else None
            if variable is not None:
                values[path] = variable.value
    return values


def _runtime_values(paths: list[str]) -> dict[str, Any]:
    from prefect import runtime

    values: dict[str, Any] = {}
    for path in paths:
        room, name, *keys = (path if path != _SCHEDULED else "prefect.flow_run.scheduled_start_time").split(".")[1:]
        if room == "flow_run" and flow_run_id() is None:
            continue  # outside a flow run, Prefect returns the current time as the scheduled time, and a run count of 0
        value = getattr(getattr(runtime, room), name)
        if keys:
            value = _inside(value, keys)
        elif value is None:  # the run does not exist; a parameter may be None
            value = _NOTHING
        if value is not _NOTHING:
            values[path] = value
    return values


def _inside(value: Any, keys: list[str]) -> Any:
    """Follow keys into maps, lists, and the fields of models and dataclasses, to a value or to `_NOTHING`."""
    for key in keys:
        if isinstance(value, (list, tuple)):
            value = {str(index): item for index, item in enumerate(value)}
        elif not isinstance(value, Mapping):
            value = getattr(value, "__dict__", {})
        # Never into a block or a secret: the value is logged, shown, and stored in Databricks.
        if key not in value or key.startswith("_") or _is_secret(value[key]):
            return _NOTHING
        value = value[key]
    return value


def _is_secret(value: Any) -> bool:
    return isinstance(value, Block) or hasattr(value, "get_secret_value")


def _path(braces: re.Match[str]) -> str:
    path = braces[1].strip()
    return path if path.startswith(_PREFIX) else ""


def _kind(path: str) -> str | None:
    return next((reason for known, reason in _KINDS.items() if re.fullmatch(known, path)), None)


def _why_none(path: str) -> str:
    return _kind(path) or f"the name is not known; known names are {_KNOWN_NAMES}"
