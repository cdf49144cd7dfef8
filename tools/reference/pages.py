"""The generated parts of the pages of docs/reference."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import griffe

from .commands import commands
from .text import (
    and_list,
    annotation_of,
    code,
    code_of_type,
    default_of,
    description_of,
    endings,
    sections_of,
    signature,
    table,
)

ROOT = Path(__file__).parents[2]
PACKAGE = "prefect_databricks_runs"
PAGES = sorted((ROOT / "docs" / "reference").glob("*.md"))
_BLOCK = re.compile(r"<!-- (reference|commands): (#+) ?(.*?) -->\n.*?<!-- its end -->\n", re.DOTALL)
_OBJECT = re.compile(r"([\w.]+)(?:\(([\w,]*)\))?")
# Public in the code because other rooms need them.
_INTERNAL = {"from_api", "block_initialization", "fault_of", "of_reference", "meaning", "copy"}


class Reference:
    """The reference as Markdown, read from the source."""

    def __init__(self) -> None:
        self.package: Any = griffe.load(PACKAGE, search_paths=[str(ROOT)], docstring_parser="google")
        self.places = dict(self._places())

    def _places(self) -> Iterator[tuple[str, str]]:
        """Return the page and anchor of each name that has its own heading."""
        for page in PAGES:
            for kind, _, objects in _BLOCK.findall(page.read_text("utf-8")):
                for path, _ in _OBJECT.findall(objects) if kind == "reference" else ():
                    name = path.rpartition(".")[2]
                    yield name, f"{page.name}#{name.lower()}"

    def page(self, page: Path) -> str:
        """Return a page with its generated parts as they are now.

        Args:
            page: The file.
        """

        def written(block: re.Match[str]) -> str:
            kind, level, objects = block.groups()
            parts = commands(level) if kind == "commands" else self._objects(level, objects, page.name)
            return f"{block[0].partition(chr(10))[0]}\n\n" + "\n\n".join(parts) + "\n\n<!-- its end -->\n"

        return _formatted(_BLOCK.sub(written, page.read_text("utf-8")), page)

    def _objects(self, level: str, objects: str, page: str) -> Iterator[str]:
        for found in _OBJECT.finditer(objects):
            path, only = found[1], None if found[2] is None else set(found[2].split(","))
            for part in self._object(level, path, only):
                is_text = not part.startswith(("```", "#"))
                yield self._linked(part, page, path.rpartition(".")[2]) if is_text else part

    def _object(self, level: str, path: str, only: set[str] | None) -> Iterator[str]:
        shown = _target(self.package[path])
        name = path.rpartition(".")[2]
        if shown.is_module:
            yield from sections_of(shown)["text"][1:]
            return
        yield f"{level} {name}"
        if not shown.is_class:
            yield from self._function(name, shown)
        elif _is_typed_dict(shown):
            yield from sections_of(shown)["text"]
            yield _fields(shown)
        else:
            yield from self._class(level, name, shown, only)

    def _function(self, name: str, function: Any) -> Iterator[str]:
        sections = sections_of(function)
        yield f"```text\n{name}({signature(function)}) -> {annotation_of(function.returns)}\n```"
        yield from sections["text"]
        parameters = {each.name: each for each in function.parameters}
        rows = [
            (code(each.name), code_of_type(parameters[each.name].annotation), each.description)
            for each in sections["parameters"]
            if each.name in parameters
        ]
        tables = []
        for fields in self._named_parameters(function):
            if fields.name in self.places:
                tables.append(code(fields.name))
            else:
                own = fields.members.items()
                rows += [(code(key), code_of_type(each.annotation), description_of(each)) for key, each in own]
        yield from table(("parameter", "type", "description"), rows)
        if tables:
            yield f"It also takes, by name, the fields of {and_list(tables)}."
        yield from endings(sections)

    def _named_parameters(self, function: Any) -> Iterator[Any]:
        """Return the classes whose fields `**parameters` stands for."""
        for each in function.parameters:
            unpacked = re.fullmatch(r"Unpack\[(\w+)\]", str(each.annotation or ""))
            if unpacked:
                found = _with_bases(_target(function.module[unpacked[1]]))
                yield from {fields.path: fields for fields in found if fields.members}.values()

    def _class(self, level: str, name: str, shown: Any, only: set[str] | None) -> Iterator[str]:
        sections = sections_of(shown)
        is_error = shown.path.startswith(f"{PACKAGE}.errors.")
        if is_error and str(shown.bases[0]) != "Exception":
            yield f"A {and_list([code(str(base)) for base in shown.bases])}."
        yield from sections["text"]
        parameters = {each.name: each for each in shown.parameters}
        rows = [
            (code(each.name), code_of_type(of.annotation), default_of(of, shown.module), each.description)
            for each in sections["parameters"]
            if (of := parameters.get(each.name))
        ]
        if rows:
            yield f"`{name}(…)` takes:"
            yield from table(("parameter", "type", "default", "description"), rows)
        members = dict(_members(shown, with_inherited=not is_error))
        yield from self._attributes(shown, members, sections["attributes"], parameters)
        yield from endings(sections)
        for key, member in members.items():
            if _is_method(member) and (only is None or key in only):
                yield f"{level}# {name}.{key}"
                yield from self._function(f"{name}.{key}", member)

    def _attributes(
        self, shown: Any, members: dict[str, Any], documented: Iterable[Any], parameters: dict[str, Any]
    ) -> Iterator[str]:
        rows = {
            each.name: (each.annotation or getattr(parameters.get(each.name), "annotation", None), each.description)
            for each in documented
        }
        for key, member in members.items():
            if not _is_method(member):
                rows.setdefault(key, (member.annotation, description_of(member)))
        cells = [(code(key), code_of_type(annotation), text) for key, (annotation, text) in rows.items()]
        yield from table(("attribute", "type", "description"), cells)
        if [str(base) for base in shown.bases] == ["Enum"]:
            values = [(code(key), code(str(each.value))) for key, each in shown.members.items() if each.value]
            yield from table(("member", "value"), values)

    def _linked(self, text: str, page: str, own: str) -> str:
        """Return the text with a link from each public name to its heading."""

        def link(found: re.Match[str]) -> str:
            place = self.places.get(found[1], "")
            return found[0] if not place or found[1] == own else f"[{found[0]}]({_from(page, place)})"

        return re.sub(r"(?<![\[`])`([A-Za-z]\w+)`(?![\]`])", link, text)


def _formatted(text: str, page: Path) -> str:
    """Return a page with its examples as ruff formats them, which checks pages too."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(page), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ruff


def _from(page: str, place: str) -> str:
    return place.removeprefix(page) if place.startswith(f"{page}#") else place


def _with_bases(fields: Any) -> Iterator[Any]:
    yield fields
    for base in map(str, fields.bases):
        if base != "TypedDict":
            yield from _with_bases(_target(fields.module[base]))


def _target(shown: Any) -> Any:
    return shown.final_target if shown.is_alias else shown


def _members(shown: Any, *, with_inherited: bool) -> Iterator[tuple[str, Any]]:
    """Return the documented public members of a class in the order of the source; inherited ones come last."""
    inherited = shown.inherited_members if with_inherited else {}
    own = {key: each for key, each in inherited.items() if _target(each).path.startswith(PACKAGE)}
    for key, member in {**shown.members, **own}.items():
        target = _target(member)
        if not key.startswith("_") and key not in _INTERNAL and description_of(target):
            yield key, target


def _is_method(member: Any) -> bool:
    return bool(member.is_function and "property" not in member.labels)


def _is_typed_dict(shown: Any) -> bool:
    return any(base == "TypedDict" or base.endswith(("Fields", "Options")) for base in map(str, shown.bases))


def _fields(shown: Any) -> str:
    rows = [
        (code(key), code_of_type(each.annotation), default_of(each, shown.module), description_of(each))
        for key, each in shown.members.items()
    ]
    return "".join(table(("field", "type", "default", "description"), rows))
