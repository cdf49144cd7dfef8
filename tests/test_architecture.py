"""docs/architecture.md is true: each room that it names is there, and its floors hold in the imports."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import prefect_databricks_runs as package
from prefect_databricks_runs._leave.verdict import TABLE, Verdict

PACKAGE = Path(package.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"
APART = "local"


def floors() -> dict[str, int]:
    """The floor of each room, by the table."""
    rows = re.findall(r"^\| (\d) \| ([^|]*) \|", PAGE.read_text("utf-8"), re.M)
    return {room: int(floor) for floor, rooms in rows for room in re.findall(r"`(\w+)`", rooms)}


def imports() -> Iterator[tuple[str, str, str]]:
    """Each import of a room by another one: who imports, whom, and in which file; not those for type checkers only."""
    for file in sorted(PACKAGE.rglob("*.py")):
        folder = list(file.relative_to(PACKAGE).parent.parts)
        if "notebooks" in folder:
            continue
        room = folder[0] if folder else file.stem
        for node in imported_at_run_time(ast.parse(file.read_text("utf-8"))):
            path = [*folder[: len(folder) - (node.level - 1)], *(node.module or node.names[0].name).split(".")]
            if (
                room not in (path[0], "__init__")
                and (PACKAGE / path[0]).exists() | (PACKAGE / f"{path[0]}.py").exists()
            ):
                yield room, path[0], str(file.relative_to(PACKAGE))


def imported_at_run_time(tree: ast.AST) -> Iterator[ast.ImportFrom]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node
        yield from imported_at_run_time(node)


def test_every_room_has_a_floor() -> None:
    rooms = {each.stem for each in PACKAGE.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()}
    assert {*floors(), APART, "__init__"} == rooms


def test_no_room_imports_from_a_floor_above_its_own() -> None:
    floor = floors()
    upward = [each for each in imports() if each[1] != APART and floor.get(each[0], 0) < floor[each[1]]]
    assert [each for each in upward if each[0] != APART] == []
    assert {room for room, imported, _ in imports() if imported == APART} <= {"cli", "demo", "pytest_plugin"}
    assert [each for each in imports() if each[0] == APART] == []


def test_rooms_of_one_floor_do_not_import_each_other_in_a_circle() -> None:
    floor, arrows = floors(), {(room, imported) for room, imported, _ in imports() if APART not in (room, imported)}
    level = {(room, imported) for room, imported in arrows if floor[room] == floor[imported]}
    assert [(room, imported) for room, imported in level if (imported, room) in level] == []


def test_each_module_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(_?[a-z]+(?:\.\w+)+)`", PAGE.read_text("utf-8")))
    modules = {each for each in named if not each.endswith((".py", ".Auth", ".error_table"))}
    assert len(modules) > 20
    for name in modules:
        dotted = name if name.startswith("prefect_databricks_runs.") else f"prefect_databricks_runs.{name}"
        try:
            found = find_spec(dotted)
        except ModuleNotFoundError:
            found = None
        parent, _, attribute = dotted.rpartition(".")
        assert found or attribute in ("__init__", "submit_run", "apply_job", "Flow"), f"{name} is not there ({parent})"


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
