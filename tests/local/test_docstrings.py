"""The examples in the docstrings of the local workspace's public names run, and each name has one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from prefect_databricks_runs import local


def examples() -> Iterator[object]:
    for name in local.__all__:
        shown = getattr(local, name)
        members = [(f"{name}.{key}", value) for key, value in inspect.getmembers(shown) if not key.startswith("_")]
        for title, each in [(name, shown), *members]:
            for example in re.findall(r"```python\n(.*?)```", inspect.getdoc(each) or "", re.S):
                yield pytest.param(inspect.cleandoc(example), id=title)


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_runs(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(example, {})


@pytest.mark.parametrize("name", local.__all__)
def test_each_public_name_has_an_example(name: str) -> None:
    assert "```python" in (inspect.getdoc(getattr(local, name)) or "")
