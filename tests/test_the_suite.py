"""The tests themselves: a run of them ends whatever hangs, and no two make things of the same name."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from prefect import flow
from prefect.client.orchestration import get_client

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs._connect.saved_blocks import saved_credentials
from prefect_databricks_runs.local import LocalWorkspace
from tests.support.prefect_api import PrefectApi
from tests.support.processes import PATIENCE, wait_until

ROOT = Path(__file__).parents[1]
HANGS = """
import time
import pytest

@pytest.mark.timeout(1)
def test_hangs():
    time.sleep(1000)
"""
OTHERS = "def test_one(): pass\ndef test_two(): pass\n"


def test_a_test_that_hangs_ends_the_run_with_its_name(tmp_path: Path) -> None:
    settings = re.search(r"^\[tool\.pytest\.ini_options\]\n.*?(?=^filterwarnings)", pyproject(), re.M | re.S)
    assert settings
    (tmp_path / "pyproject.toml").write_text(settings[0].replace('testpaths = ["tests"]\n', ""))
    (tmp_path / "test_hangs.py").write_text(HANGS)
    (tmp_path / "test_others.py").write_text(OTHERS)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:databricks_runs", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "crashed while running 'test_hangs.py::test_hangs'" in done.stdout


LEAVES_THINGS = """
import os
import subprocess
import sys
import time
from pathlib import Path

from prefect_databricks_runs.local import LocalWorkspace

def test_leaves_things(FIXTURES):
    workspace = LocalWorkspace(tls=True).start()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)
    others = [prefect_server._process.pid] if "prefect_server" in locals() else []
    told = Path("told")
    told.write_text(f"{os.environ['TMPDIR']} {workspace.root} {os.getpid()} {child.pid} {' '.join(map(str, others))}")
    told.rename("left")
    time.sleep(1000)
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("killed", "fixtures"), [("pytest", "prefect_server"), ("a worker of pytest", "")], ids=["pytest", "worker"]
)
def test_what_a_killed_run_of_the_tests_has_started_and_written_does_not_stay(
    killed: str, fixtures: str, tmp_path: Path
) -> None:
    (tmp_path / "test_leaves_things.py").write_text(LEAVES_THINGS.replace("FIXTURES", fixtures))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(ROOT)
    (tmp_path / "pyproject.toml").touch()
    command = [sys.executable, "-m", "pytest", "-n", "1", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    left = tmp_path / "left"
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL) as run:
        try:
            wait_until(lambda: left.exists() or run.poll() is not None)
            folder, root, worker, *others = left.read_text().split()
            assert Path(root).is_relative_to(folder)
            assert len(others) == 2 if fixtures else 1
            (run if killed == "pytest" else psutil.Process(int(worker))).kill()
            wait_until(lambda: not Path(folder).exists())
            wait_until(lambda: not any(psutil.pid_exists(int(pid)) for pid in (worker, *others)))
        finally:
            run.kill()


@flow(name="of-each-test")
def of_each_test() -> None:
    """Runs, and no more."""


@pytest.mark.parametrize("number", [1, 2])
def test_no_test_finds_the_flow_runs_of_another(number: int, prefect_api: PrefectApi) -> None:
    assert prefect_api.flow_runs_named("of-each-test") == []
    of_each_test()
    assert len(prefect_api.flow_runs_named("of-each-test")) == 1


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.usefixtures("prefect_server")
def test_no_test_meets_the_saved_credentials_of_another(number: int, databricks: DatabricksCredentials) -> None:
    async def saved() -> dict[str, DatabricksCredentials]:
        async with get_client() as client:
            return await saved_credentials(client)

    assert asyncio.run(saved()) == {}
    databricks.save(f"saved-{number}")
    assert list(asyncio.run(saved())) == [f"saved-{number}"]


def pyproject() -> str:
    return (ROOT / "pyproject.toml").read_text("utf-8")


def flow_names() -> Iterator[tuple[str, str]]:
    """The names that tests give to flows, each with the test or helper that does so."""
    # The contenders of a benchmark are programs, each with a server for itself.
    for file in sorted({*(ROOT / "tests").rglob("*.py")} - {*(ROOT / "tests/benchmarks/contenders").iterdir()}):
        module = ast.parse(file.read_text("utf-8"))
        classes = [each for each in module.body if isinstance(each, ast.ClassDef)]
        for function in [each for holder in (module, *classes) for each in holder.body]:
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for name in names_in(function):
                    yield name, f"{file.relative_to(ROOT)}::{function.name}"


def names_in(function: ast.AST) -> Iterator[str]:
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] in ("flow", "Flow", "with_options"):
            for keyword in call.keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    yield keyword.value.value


def test_no_two_tests_give_a_flow_the_same_name() -> None:
    """So that a flow run in a log tells which test it belongs to."""
    makers: dict[str, set[str]] = defaultdict(set)
    for name, maker in flow_names():
        makers[name].add(maker)
    assert {name: sorted(those) for name, those in makers.items() if len(those) > 1} == {}


def test_no_two_local_workspaces_of_a_session_have_the_same_address(monkeypatch) -> None:
    """A block that an earlier test has saved for the same address would be found."""
    with LocalWorkspace() as first:
        pass
    ports = [urlsplit(first.url).port]
    given = iter(ports)
    bind = socket.socket.bind
    monkeypatch.setattr(socket.socket, "bind", lambda self, address: bind(self, (address[0], next(given, 0))))
    with LocalWorkspace() as second:
        assert urlsplit(second.url).port not in ports
