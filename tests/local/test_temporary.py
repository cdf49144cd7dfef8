"""The temporary files of a workspace: who can read them, and when they go."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.files.temporary import remove_folder
from tests.local.client import Client, notebook_task
from tests.support.processes import PATIENCE, wait_until

SERVER = """
import sys
from prefect_databricks_runs.local import LocalWorkspace
workspace = LocalWorkspace(tls=True).start()
print(workspace.ca_file, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_only_the_user_can_read_them(temporary: Path) -> None:
    with LocalWorkspace(tls=True) as workspace, LocalWorkspace() as other:
        client = Client(other)
        run_id = client.submit(notebook_task(client.notebook("import time\ntime.sleep(60)")))
        wait_until(lambda: list(temporary.glob("*/task-*/spec.json")))
        files = [each for each in temporary.rglob("*") if other.root not in each.parents]
        assert workspace.ca_file in files
        for each in files:
            assert stat.S_IMODE(each.stat().st_mode) & 0o077 == 0 or each.parent.name.startswith("task-"), each
        assert {"server.pem", "ca.pem", "spec.json"} <= {each.name for each in files}
        client.post("runs/cancel", run_id=run_id)
        client.close()
    assert not list(temporary.iterdir())


def test_those_of_a_workspace_that_was_killed_go_when_the_next_one_starts(temporary: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", SERVER]
    servers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    try:
        killed, living = [Path(server.stdout.readline().strip()) for server in servers]
        os.kill(servers[0].pid, signal.SIGKILL)
        servers[0].wait(PATIENCE)
        assert killed.with_name("server.pem").exists()
        with LocalWorkspace():
            assert not killed.parent.parent.exists()
            assert living.with_name("server.pem").exists()
    finally:
        for server in servers:
            server.kill()
            server.communicate()


def test_folders_of_others_that_only_look_alike_stay(temporary: Path) -> None:
    (temporary / "databricks-local-mine").mkdir()
    (temporary / "databricks-local-mine" / "notes").write_text("mine")
    (temporary / "databricks-local-link").symlink_to(temporary / "databricks-local-mine")
    with LocalWorkspace():
        pass
    assert (temporary / "databricks-local-mine" / "notes").exists()
    assert (temporary / "databricks-local-link").is_symlink()


def test_the_copy_that_a_fork_makes_removes_nothing(temporary: Path) -> None:
    with LocalWorkspace() as workspace:
        child = os.fork()
        if child == 0:
            workspace._temporary.remove()
            os._exit(0)
        os.waitpid(child, 0)
        assert workspace.root.exists()


def test_folders_of_any_depth_and_unreadable_ones_go(tmp_path: Path) -> None:
    folder = tmp_path / "task"
    (folder / "closed" / "inside").mkdir(parents=True)
    (folder / "closed").chmod(0)
    at = os.getcwd()
    try:
        os.chdir(folder)
        for _ in range(2000):
            os.mkdir("deep")
            os.chdir("deep")
    finally:
        os.chdir(at)
    remove_folder(folder)
    assert not folder.exists()
