"""The package's public names: each is there, though none is imported before it is used."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import prefect_databricks_runs as package

INIT = Path(package.__file__)


def test_a_type_checker_and_the_interpreter_see_the_same_names() -> None:
    typed = {
        (name.name, node.module)
        for node in ast.walk(ast.parse(INIT.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("prefect_databricks_runs.")
        for name in node.names
        if name.name != "__version__"
    }
    assert {(name, f"prefect_databricks_runs.{home}") for name, home in package._HOME_OF.items()} == typed
    assert {"__version__", *package._HOME_OF} == set(package.__all__)


@pytest.mark.parametrize("name", package.__all__)
def test_each_public_name_is_there(name: str) -> None:
    assert getattr(package, name) is vars(package)[name]
    assert name in dir(package)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'prefect_databricks_runs' has no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.parametrize(
    "code",
    [
        "from prefect_databricks_runs import *; assert issubclass(RunFailed, DatabricksError); submit_run_and_wait",
        "import prefect_databricks_runs as p; assert p.errors.RunFailed is p.RunFailed",
        "from prefect_databricks_runs import errors, flows; assert flows.wait_for_run",
        "import inspect, prefect_databricks_runs as p; assert dict(inspect.getmembers(p)).keys() >= set(p.__all__)",
        # What Prefect does to learn of blocks.
        "from prefect.plugins import load_prefect_collections\n"
        "assert not isinstance(load_prefect_collections()['prefect_databricks_runs'], Exception)\n"
        "from prefect.utilities.dispatch import lookup_type\n"
        "from prefect.blocks.core import Block\n"
        "assert lookup_type(Block, 'databricks-runs-credentials').__name__ == 'DatabricksCredentials'",
    ],
    ids=["star", "module as attribute", "module imported", "getmembers", "collections of Prefect"],
)
def test_in_a_fresh_interpreter(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(INIT.parent.parent), *sys.path]),
            "PREFECT_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
