"""The examples in the docstrings of public names run, and each public name has one."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

import prefect_databricks_runs
from prefect_databricks_runs import DatabricksError, jobs
from tests.test_docs import prod  # noqa: F401 - a fixture: the workspace of all examples

# The homes of the package's names; `jobs` has more. The examples of `local` are in `tests/local/test_docstrings.py`.
HOMES = {**prefect_databricks_runs._HOMES, "jobs": jobs.__all__}


def public_names(module: str) -> dict[str, Any]:
    home = import_module(f"prefect_databricks_runs.{module}")
    return {name: getattr(home, name) for name in HOMES[module]}


def examples_of(shown: Any) -> list[str]:
    found = re.findall(r"```python\n(.*?)```", inspect.cleandoc(shown.__doc__ or ""), re.DOTALL)
    return [inspect.cleandoc(f"\n{each}") for each in found]


def examples(module: str) -> Iterator[tuple[str, str]]:
    """Return the examples of a module's public names and of their methods, each with its place."""
    for name, shown in public_names(module).items():
        methods = inspect.getmembers(shown, inspect.isroutine) if inspect.isclass(shown) else []
        own = [(f"{name}.{key}", each) for key, each in methods if key in vars(shown) and key[0] != "_"]
        for place, each in [(name, shown), *own]:
            yield from ((place, example) for example in examples_of(each))


@pytest.mark.parametrize("module", HOMES)
@pytest.mark.usefixtures("prod")
def test_the_examples_of_a_module_run(module: str) -> None:
    for place, example in examples(module):
        code = compile(example.replace("BLOCK_NAME", "prod"), f"<example of {place}>", "exec", dont_inherit=True)
        exec(code, {"__name__": "example"})


@pytest.mark.parametrize("module", HOMES)
def test_each_public_name_has_an_example(module: str) -> None:
    """Some errors have it in a base class."""
    without = [name for name, shown in public_names(module).items() if not any(map(examples_of, shown_in(shown)))]
    assert without == []


def shown_in(shown: Any) -> tuple[Any, ...]:
    return shown.__mro__ if inspect.isclass(shown) and issubclass(shown, DatabricksError) else (shown,)


@pytest.mark.parametrize("name", ["apply_job", "run_now", "submit_run", "run_now_and_wait", "wait_for_run"])
def test_an_async_twin_documents_its_parameters_as_its_original_does(name: str) -> None:
    original, twin = (inspect.getdoc(getattr(prefect_databricks_runs, each).fn) or "" for each in (name, f"a{name}"))
    _, args, sections = original.partition("\n\nArgs:\n")
    assert args
    assert args + sections.partition("\n\nExample:\n")[0] in twin  # the twin may have its own example
