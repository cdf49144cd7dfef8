"""docs/architecture.md is true: each room that it names is there, and its floors hold in the imports."""

from __future__ import annotations

import ast
import re
import runpy
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import prefect_databricks_runs as package
from prefect_databricks_runs._leave.verdict import TABLE, Verdict

NAME = package.__name__
PACKAGE = Path(package.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"
APART = "local"
KEEPERS = {"of_loop": "loop", "of_process": "process"}
# Names with a dot that are files, or things of others.
OTHERS = re.compile(r"\.(py|yml|md)$|^httpx\.|^tools\.|^tests\.")


def floors() -> dict[str, int]:
    """The floor of each room, by the table."""
    rows = re.findall(r"^\| (\d) \| ([^|]*) \|", PAGE.read_text("utf-8"), re.M)
    return {room: int(floor) for floor, rooms in rows for room in re.findall(r"`(\w+)`", rooms)}


@cache
def parsed(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


class Import(NamedTuple):
    """An import at run time, also one inside a function: the modules, as dotted names below the package."""

    module: str
    imported: str

    @property
    def rooms(self) -> tuple[str, str]:
        """The rooms of the two; the package itself is `__init__`."""
        return self.module.partition(".")[0] or "__init__", self.imported.partition(".")[0] or "__init__"


MODULES = {
    ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip("."): file
    for file in sorted(PACKAGE.rglob("*.py"))
    if "notebooks" not in file.parts
}


@cache
def imports() -> tuple[Import, ...]:
    """Each import of one module of the package by another one; not those for type checkers only."""
    return tuple(read_imports())


def read_imports() -> Iterator[Import]:
    for module, file in MODULES.items():
        package = file.relative_to(PACKAGE).parent.parts
        for node in imported_at_run_time(parsed(module)):
            for name in imported_names(node, package):
                # What is imported is a module, or a thing in one.
                imported = name if name in MODULES else name.rpartition(".")[0]
                if imported != module:
                    yield Import(module, imported)


def imported_at_run_time(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        yield from imported_at_run_time(node)


def imported_names(node: ast.Import | ast.ImportFrom, package: tuple[str, ...]) -> Iterator[str]:
    """The dotted names below the package, of modules or of things in them."""
    own = f"{NAME}."
    if isinstance(node, ast.Import):
        yield from (each.name.removeprefix(own) for each in node.names if each.name.startswith(own))
    elif node.level:
        path = [*package[: len(package) - (node.level - 1)], *(node.module or "").split(".")]
        yield from (".".join(filter(None, [*path, each.name])) for each in node.names)
    elif f"{node.module}.".startswith(own):
        yield from (f"{node.module}.{each.name}".removeprefix(own) for each in node.names)


def circle(arrows: Iterable[tuple[str, str]]) -> list[str]:
    """One circle, its first thing also at its end; empty if there is none."""
    graph = defaultdict[str, set[str]](set)
    for begin, end in arrows:
        graph[begin].add(end)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_room_has_a_floor() -> None:
    rooms = {each.stem for each in PACKAGE.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()}
    assert {*floors(), APART, "__init__"} == rooms


def test_the_map_of_a_package_names_each_of_its_modules() -> None:
    """The map is the docstring of its `__init__`; the map of the whole is the page."""
    unnamed = []
    for module in MODULES:
        inside, _, name = module.rpartition(".")
        named = re.findall(r"\w+", " ".join(re.findall("`([^`]*)`", map_of(inside))))
        if inside and name not in named:
            unnamed.append(module)
    assert unnamed == []


def map_of(room: str) -> str:
    return ast.get_docstring(parsed(room)) or ""


def test_no_room_imports_from_a_floor_above_its_own() -> None:
    floor = floors()
    arrows = {each.rooms: each for each in imports()}
    inside = {rooms: each for rooms, each in arrows.items() if APART not in rooms and "__init__" not in rooms}
    assert len(inside) > 100
    assert [each for (room, imported), each in inside.items() if floor[room] < floor[imported]] == []
    assert {room for room, imported in arrows if imported == APART != room} <= {"cli", "demo", "pytest_plugin"}
    assert [each for (room, imported), each in arrows.items() if room == APART != imported] == []


def test_nothing_imports_in_a_circle() -> None:
    assert circle((each.module, each.imported) for each in imports()) == []
    rooms = (each.rooms for each in imports() if "__init__" not in each.rooms)
    assert circle((room, imported) for room, imported in rooms if room != imported) == []


def test_a_circle_is_found_however_long_it_is() -> None:
    chain = [("a", "b"), ("b", "c"), ("c", "d")]
    assert circle(chain) == []
    assert set(circle([*chain, ("d", "a"), ("d", "e")])) == {"a", "b", "c", "d"}
    assert set(circle([*chain, ("b", "a")])) == {"a", "b"}


def test_what_is_private_to_a_room_is_imported_by_no_other_one() -> None:
    others = [each for each in imports() if each.rooms[0] != each.rooms[1]]
    assert [each for each in others if "._" in each.imported] == []
    for module in MODULES:
        for node in imported_at_run_time(parsed(module)):
            if isinstance(node, ast.ImportFrom) and node.level and node.module:
                names = [each.name for each in node.names if each.name.startswith("_") and each.name != "__version__"]
                assert names == [], module


def test_each_thing_that_the_page_names_is_there() -> None:
    named = {name for name in re.findall(r"`(_?\w+(?:\.\w+)+)`", PAGE.read_text("utf-8")) if not OTHERS.search(name)}
    assert len(named) > 50
    missing = [name for name in named if not is_there(name.removeprefix(f"{NAME}."))]
    assert missing == []


def is_there(name: str) -> bool:
    """Whether this is a module of the package, or a thing in one."""
    module, _, attribute = name.rpartition(".")
    if name in MODULES or (attribute == "__init__" and module in MODULES):
        return True
    return module in MODULES and hasattr(import_module(f"{NAME}.{module}".rstrip(".")), attribute)


def test_the_page_names_all_that_is_process_wide_and_who_keeps_it() -> None:
    text = PAGE.read_text("utf-8").partition("## What is process-wide")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| [^|]+ \| `([\w.]+)` \| the (loop|process)\b", text, re.M)
    assert set(rows) == set(kept())


def kept() -> Iterator[tuple[str, str]]:
    """The module of each class that `_runtime` is asked for, and what the object belongs to."""
    home = {
        node.name: module for module in MODULES for node in ast.walk(parsed(module)) if isinstance(node, ast.ClassDef)
    }
    for module in MODULES:
        for node in ast.walk(parsed(module)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEEPERS:
                (kind,) = node.args
                assert isinstance(kind, ast.Name), ast.unparse(node)
                yield home[kind.id], KEEPERS[node.func.id]


def test_the_picture_is_of_the_rooms_as_they_are() -> None:
    picture = runpy.run_path(str(PAGE.parent / "pictures" / "rooms.py"))
    assert picture["drawn"]() == picture["FILE"].read_text("utf-8"), picture["__doc__"]


def test_the_page_shows_the_table_of_what_ends_a_wait() -> None:
    page = PAGE.read_text("utf-8")
    for event, verdicts in TABLE.items():
        cells = [event.value, *map(in_words, verdicts)]
        assert f"| {' | '.join(cells)} |" in page


def in_words(verdict: Verdict) -> str:
    if not verdict.ends:
        return "continues"
    return "ends, and the run is cancelled" if verdict.cancels else "ends, and the run is not cancelled"
