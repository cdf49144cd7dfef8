"""Write the shape of the Jobs API from the installed databricks-sdk: once for the client, once for the local workspace.

    python tools/api_shapes.py          write the files
    python tools/api_shapes.py --check  say whether the installed databricks-sdk would make other ones

The two files share no code because the local workspace imports nothing of the client: if they shared a mistake, no test
would find it. The same release always makes the same files. What the SDK does not know yet is in `ALSO_FIELDS` and
`ALSO_VALUES`.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import textwrap
import typing
from enum import Enum
from pathlib import Path
from typing import Any

from databricks.sdk.service import jobs
from databricks.sdk.version import __version__

PACKAGE = Path(__file__).parent.parent / "prefect_databricks_runs"

CALLS = {"SubmitRun": jobs.JobsAPI.submit, "RunNow": jobs.JobsAPI.run_now, "CreateJob": jobs.JobsAPI.create}
"""The bodies of requests, of which the SDK has parameters and no class."""
ALL_CALLS = {
    **CALLS,
    "RepairRun": jobs.JobsAPI.repair_run,
    "GetRun": jobs.JobsAPI.get_run,
    "ListRuns": jobs.JobsAPI.list_runs,
    "ExportRun": jobs.JobsAPI.export_run,
    "CancelAllRuns": jobs.JobsAPI.cancel_all_runs,
    "GetJob": jobs.JobsAPI.get,
    "ListJobs": jobs.JobsAPI.list,
}
"""The same for a server, which has more endpoints."""
FILES = {
    PACKAGE / "_payload" / "api_shapes.py": (CALLS, "api"),
    PACKAGE / "local" / "bodies" / "api_shapes.py": (ALL_CALLS, "shapes"),
}
"""The files, each with the bodies that it has and the room that reads it."""

ALSO_FIELDS: dict[str, dict[str, str]] = {
    **{name: {"duration_target": "DurationTarget"} for name in ("SubmitRun", "RunNow", "CreateJob", "RepairRun")},
    "TaskDependency": {"outcome": "Outcome"},
}
"""Fields that are known from elsewhere, or of which more is known."""

ALSO_VALUES = {
    "PerformanceTarget": ["COST_OPTIMIZED"],
    "Outcome": ["true", "false"],
    "DurationTarget": ["NO_FLEXIBILITY", "4h", "12h", "24h", "72h"],
}
"""Values that are known from elsewhere."""

_SCALARS = {str: "text", int: "int", float: "float", bool: "bool"}
_WIDTH = 120
_HEAD = '''"""The shape of the Jobs API, made by `tools/api_shapes.py` from databricks-sdk {version}: never edit it.

An object is `field:type` for each of its fields. A type is `text`, `int`, `float`, `bool`, `any`, an object or an enum;
`[x]` is a list and `{{x}}` a map with values of it; `!` follows the type of a field that the API needs.
`{reader}` reads it.
"""

# ruff: noqa: E501

from typing import Final

SDK_VERSION: Final = "{version}"
'''


class Shapes:
    """Collects the objects and enums that the bodies of requests are made of."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, str]] = {}
        self.enums: dict[str, list[str]] = {}
        self._classes: dict[str, Any] = {}

    def add_call(self, name: str, call: Any) -> None:
        """Add a body whose fields are the parameters of a call."""
        hints = typing.get_type_hints(call)
        self.objects[name] = {
            each.name: self._kind(hints[each.name]) + _mark(each.default is each.empty)
            for each in inspect.signature(call).parameters.values()
            if each.name != "self"
        }

    def _add_class(self, kind: Any) -> None:
        hints = typing.get_type_hints(kind)
        found = self.objects[kind.__name__] = {}
        for field in dataclasses.fields(kind):
            is_needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            found[field.name] = self._kind(hints[field.name]) + _mark(is_needed)

    def _kind(self, hint: Any) -> str:
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Union:
            return self._kind(next(each for each in args if each is not type(None)))
        if origin is list:
            return f"[{self._kind(args[0])}]"
        if origin is dict:
            return f"{{{self._kind(args[1])}}}"
        if inspect.isclass(hint) and issubclass(hint, Enum):
            self.enums[self._named(hint)] = sorted(each.value for each in hint)
            return hint.__name__
        if inspect.isclass(hint) and dataclasses.is_dataclass(hint):
            if self._named(hint) not in self.objects:
                self._add_class(hint)
            return hint.__name__
        return _SCALARS.get(hint, "any")

    def _named(self, kind: Any) -> str:
        if self._classes.setdefault(kind.__name__, kind) is not kind:
            raise ValueError(f"two classes have the name {kind.__name__}; give one of them another one here")
        return str(kind.__name__)


def generated(calls: dict[str, Any] = CALLS, reader: str = "api") -> str:
    """Return the text of a file."""
    shapes = Shapes()
    for name, call in calls.items():
        shapes.add_call(name, call)
    for name, fields in ALSO_FIELDS.items():
        shapes.objects.get(name, {}).update(fields)
    for name, values in ALSO_VALUES.items():
        shapes.enums[name] = [*dict.fromkeys([*shapes.enums.get(name, ()), *values])]
    objects = {name: [f"{field}:{kind}" for field, kind in fields.items()] for name, fields in shapes.objects.items()}
    enums, bodies = ([_entry(name, words) for name, words in sorted(each.items())] for each in (shapes.enums, objects))
    return "\n".join(
        [
            _HEAD.format(version=__version__, reader=reader),
            *("ENUMS: Final[dict[str, str]] = {", *enums, "}", ""),
            *("OBJECTS: Final[dict[str, str]] = {", *bodies, "}", ""),
        ]
    )


def _mark(is_needed: bool) -> str:
    return "!" if is_needed else ""


def _entry(name: str, words: list[str]) -> str:
    """Return an entry as `ruff format` has it."""
    text = " ".join(words)
    if len(line := f'    "{name}": "{text}",') <= _WIDTH:
        return line
    lines = textwrap.wrap(text, _WIDTH - 12, break_long_words=False, break_on_hyphens=False)
    if len(lines) == 1:
        return f'    "{name}": "{text}",'
    return "\n".join(
        [f'    "{name}": (', *(f'        "{each} "' for each in lines[:-1]), f'        "{lines[-1]}"', "    ),"]
    )


def main() -> None:
    """Write the files, or compare them with what the installed release makes."""
    for file, (calls, reader) in FILES.items():
        text = generated(calls, reader)
        if "--check" not in sys.argv:
            file.write_text(text, "utf-8")
        elif text != file.read_text("utf-8"):
            print(f"note: databricks-sdk {__version__} has another shape of the API: python tools/api_shapes.py")


if __name__ == "__main__":
    main()
