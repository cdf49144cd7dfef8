"""The table of other clients in the docs is the one that `tools/other_clients.py` writes."""

from __future__ import annotations

import datetime
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "other_clients.py"
DAY = datetime.date(2026, 1, 2)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = importlib.util.spec_from_file_location("other_clients", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "other_clients", module)  # where its dataclasses look for it
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("steps", None)


def ran(script: ModuleType, **results: tuple[str, str]) -> list[object]:
    """What a client did: all works but for the given results, each with its note."""
    return [
        script.Result(step, f"call_{step}" if step == "submit" else "", *results.get(step, ("works", "")))
        for step in script.STEPS
    ]


def test_a_table_has_each_step_of_each_client_and_a_note_once(script: ModuleType) -> None:
    why = ("absent", "it has | no retries")
    sdk = ran(script, rate_limit=why, server_error=why, repair=("failed", "KeyError: 1"))
    lines = script.section({"databricks-sdk": sdk, "databricks-cli": ran(script)}, DAY).splitlines()
    assert lines[0] == "They ran on 2026-01-02:"
    assert "| step | databricks-sdk | databricks-cli |" in lines
    cells = {line.split(" | ")[0].removeprefix("| "): line.split(" | ")[1:] for line in lines if line.startswith("| ")}
    words = script.STEPS
    assert cells[words["submit"]] == ["yes", "yes |"]
    assert cells[words["repair"]] == ["**failed** (1)", "yes |"]
    assert cells[words["rate_limit"]] == cells[words["server_error"]] == ["no (2)", "yes |"]
    assert lines[-2:] == ["1. databricks-sdk: KeyError: 1.", "2. databricks-sdk: it has | no retries."]
    assert cells["databricks-sdk"][1] == "`call_submit`"


def test_a_section_is_replaced_between_its_marks_alone(script: ModuleType) -> None:
    page = f"before\n{script.BEGIN}\nold\n\n{script.END}after\n"
    once = script.with_section(page, "new")
    assert once == f"before\n{script.BEGIN}\nnew\n\n{script.END}after\n"
    assert script.with_section(once, "new") == once
    for broken in ("", script.BEGIN, script.END):
        with pytest.raises(ValueError, match="has no"):
            script.with_section(broken, "new")


def test_the_docs_have_the_clients_and_versions_of_the_script(script: ModuleType) -> None:
    page = script.PAGE.read_text("utf-8")
    section = page.partition(script.BEGIN)[2].partition(script.END)[0]
    for client in script.CLIENTS:
        assert f"| {client.name} | {client.version} |" in section
        assert (SCRIPT.parent / "clients" / client.script).exists()
    assert [words for words in script.STEPS.values() if f"| {words} |" not in section] == []
    assert "**failed**" not in section
