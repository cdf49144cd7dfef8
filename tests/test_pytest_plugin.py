"""The pytest plugin, in a pytest of its own, as a user runs it; and what it costs those who do not use it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

import prefect_databricks_runs as package
from prefect_databricks_runs._prefect.compat import PREFECT_3
from tests.support.processes import PATIENCE
from tests.test_docs import fences

PLUGIN = "prefect_databricks_runs.pytest_plugin"
ROOT = Path(package.__file__).parent.parent


def run(*arguments: str, folder: Path, **environment: str) -> str:
    """Returns what a Python process wrote, which must end well."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
            "PREFECT_HOME": str(folder / "home"),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Logging error" not in done.stderr
    return done.stdout


def pytest_says(folder: Path, test_file: str, *options: str, **environment: str) -> str:
    """Returns what pytest writes about a file of tests that has the plugin and nothing else of ours."""
    (folder / "test_theirs.py").write_text(test_file)
    # Rewriting asserts parses modules as they are imported. In Python 3.11 that fails when two threads do so at once
    # ("AST constructor recursion depth mismatch"), and a flow has several.
    plugins = ("--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:anyio")
    # Where the package is installed, the entry point has loaded it: to name it again is to load it twice.
    installed = any(entry.value == PLUGIN for entry in distribution("prefect-databricks-runs").entry_points)
    ours = () if installed else ("-p", PLUGIN)
    return run("-m", "pytest", "-q", "--strict-markers", *plugins, *ours, *options, folder=folder, **environment)


def test_a_test_has_a_workspace_of_its_own_that_is_stopped_afterwards(tmp_path: Path) -> None:
    test_file = """
import os
import sys
import httpx
import pytest

seen = []

@pytest.mark.parametrize("number", [1, 2])
def test_one(databricks_workspace, number):
    headers = {"Authorization": f"Bearer {databricks_workspace.token}"}
    assert httpx.get(databricks_workspace.url + "/api/2.2/jobs/list", headers=headers).json() == {}
    assert len(databricks_workspace.requests) == 1
    seen.append(databricks_workspace)

def test_other():
    assert len({workspace.token for workspace in seen}) == 2
    for workspace in seen:
        assert not workspace.root.exists()
        with pytest.raises(httpx.ConnectError):
            httpx.get(workspace.url)
    assert "prefect" not in sys.modules
"""
    assert "3 passed" in pytest_says(tmp_path, test_file)


def test_the_marker_gives_options_and_the_nearest_one_wins(tmp_path: Path) -> None:
    test_file = """
import pytest

pytestmark = pytest.mark.databricks_workspace(token="of-the-module", login="ada", password="pw")

def test_module(databricks_workspace):
    assert (databricks_workspace.token, databricks_workspace.login) == ("of-the-module", "ada")

@pytest.mark.databricks_workspace(token="of-the-test")
def test_both(databricks_workspace):
    assert (databricks_workspace.token, databricks_workspace.login) == ("of-the-test", "ada")
"""
    assert "2 passed" in pytest_says(tmp_path, test_file)


def test_a_marker_without_names_is_refused(tmp_path: Path) -> None:
    test_file = """
import pytest

@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception, reason="the fixture refuses it")
@pytest.mark.databricks_workspace(8765)
def test_positional(databricks_workspace):
    pass
"""
    assert "1 xfailed" in pytest_says(tmp_path, test_file)


def test_the_credentials_are_those_of_the_workspace(tmp_path: Path) -> None:
    test_file = """
from prefect_databricks_runs import DatabricksCredentials

def test_credentials(databricks_credentials, databricks_workspace):
    assert isinstance(databricks_credentials, DatabricksCredentials)
    assert databricks_credentials.host == databricks_workspace.url
    assert databricks_credentials.token.get_secret_value() == databricks_workspace.token
"""
    assert "1 passed" in pytest_says(tmp_path, test_file)


@pytest.mark.long
def test_the_files_of_the_guide_are_tests_that_pass_and_end_quietly(tmp_path: Path) -> None:
    page = fences(ROOT / "docs" / "guides" / "test-a-flow.md")
    files = {fence.title: fence.text for fence in page if fence.title.endswith(".py")}
    assert len(files) > 3
    if PREFECT_3:  # which gives its server 30 s to start; on a machine that is busy it takes longer
        for_long = "prefect_test_harness(server_startup_timeout=80)"
        files["conftest.py"] = files["conftest.py"].replace("prefect_test_harness()", for_long)
        assert for_long in files["conftest.py"]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    tests = sum(text.count("\ndef test_") for text in files.values())
    assert f"{tests} passed" in pytest_says(tmp_path, "", "-W", "ignore")


def test_pytest_tells_about_marker_and_fixtures(tmp_path: Path) -> None:
    assert "@pytest.mark.databricks_workspace(**options)" in pytest_says(tmp_path, "", "--markers")
    told = pytest_says(tmp_path, "def test_x(): pass", "--fixtures")
    assert "databricks_workspace -- " in told
    assert "databricks_credentials -- " in told


def test_those_who_do_not_use_it_pay_next_to_nothing(tmp_path: Path) -> None:
    code = f"""
import sys, time, pytest
before = set(sys.modules)
begin = time.process_time()
import {PLUGIN}
seconds = time.process_time() - begin
print(seconds < 0.02, *sorted(set(sys.modules) - before))
"""
    in_time, *modules = run("-c", code, folder=tmp_path).split()
    assert in_time == "True"
    assert modules == [
        "prefect_databricks_runs",
        "prefect_databricks_runs._lazy",
        "prefect_databricks_runs._version",
        PLUGIN,
    ]


def test_the_local_workspace_comes_without_prefect(tmp_path: Path) -> None:
    code = "import sys, prefect_databricks_runs.local; print('prefect' in sys.modules)"
    assert run("-c", code, folder=tmp_path).strip() == "False"
