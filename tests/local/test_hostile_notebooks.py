"""Notebooks that do what they should not: the workspace keeps answering, and nothing of them is left."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import Client, is_alive, notebook_task, state_of
from tests.support.processes import wait_until

OUTCOME = "import os, sys\noutcome = os.path.join(os.path.dirname(sys.orig_argv[-1]), 'outcome.json')\n"
FILES = "/api/2.0/workspace"


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ("os.mkfifo(outcome)", "it is not a regular file"),
        ("os.mkdir(outcome)", "directory"),
        ("os.symlink('/dev/zero', outcome)", "it is not a regular file"),
        ("os.symlink('/dev/tty', outcome)", ""),
        ("os.truncate(os.open(outcome, os.O_CREAT | os.O_WRONLY), 1 << 40)", "more than"),
        ("open(outcome, 'w').write('[' * 100_000)", "RecursionError"),
        ("open(outcome, 'w').write('[]')", "ValueError"),
        ("open(outcome, 'w').write('{\"succeeded\": true, \"result\": 5}')", "ValueError"),
        ("open(outcome, 'w').write('{\"succeeded\": true, \"unknown\": 5}')", "ValueError"),
        ("open(outcome, 'wb').write(b'\\xff')", "UnicodeDecodeError"),
        ("open(outcome, 'w').close(); os.chmod(outcome, 0)", ""),
    ],
)
def test_whatever_is_in_the_place_of_the_outcome_fails_that_task_alone(client: Client, left: str, why: str) -> None:
    run = client.finish(notebook_task(client.notebook(f"{OUTCOME}{left}\nos._exit(0)")))
    assert state_of(run) == ("TERMINATED", "FAILED")
    error = client.output(run)["error"]
    assert "The outcome of the task" in error
    assert why in error
    assert client.finish(notebook_task(client.notebook("1")))["state"]["result_state"] == "SUCCESS"


def test_a_pipe_among_the_workspaces_files_blocks_no_request(shared_workspace: LocalWorkspace, client: Client) -> None:
    folder = shared_workspace.root / "pipes"
    folder.mkdir()
    os.mkfifo(folder / "pipe.py")
    listed = client.http.get(f"{FILES}/list", params={"path": "/pipes"}).json()
    assert [each["path"] for each in listed["objects"]] == ["/pipes/pipe.py"]
    content = base64.b64encode(b"1").decode()
    asked = {"path": "/pipes/pipe.py", "format": "RAW", "content": content, "overwrite": True}
    refused = [
        client.http.get(f"{FILES}/export", params={"path": "/pipes/pipe.py", "format": "AUTO"}),
        client.http.post(f"{FILES}/import", json=asked),
    ]
    assert [answer.status_code for answer in refused] == [400, 400]
    run = client.finish(notebook_task("/pipes/pipe"))
    assert "pipes/pipe" in run["tasks"][0]["state"]["state_message"]


def test_a_file_that_is_too_large_to_be_a_notebook_is_not_read(
    shared_workspace: LocalWorkspace, client: Client
) -> None:
    with (shared_workspace.root / "large.py").open("wb") as file:
        file.truncate(1 << 40)
    run = client.finish(notebook_task("/large"))
    assert "has more than" in run["tasks"][0]["state"]["state_message"]
    answer = client.http.get(f"{FILES}/export", params={"path": "/large.py", "format": "AUTO"})
    assert answer.status_code == 400


def test_an_error_of_any_length_is_cut_and_is_the_tasks_error(client: Client) -> None:
    run = client.finish(notebook_task(client.notebook("raise ValueError('é' * 50_000_000)")))
    output = client.output(run)
    assert output["error"].startswith("ValueError: éé")
    assert len(output["error"]) <= 1024 * 1024


DAEMON = """
import os, signal, time
def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for each in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(each, signal.SIG_IGN)
            with open({pids!r}, 'a') as file:
                file.write(f'{{os.getpid()}}\\n')
            while True:
                time.sleep(60)
        os._exit(0)
    os.wait()
for _ in range(3):
    daemon()
while len(open({pids!r}).readlines()) < 3:
    time.sleep(0.01)
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux lets a process adopt orphans.")


@linux
@pytest.mark.parametrize(
    ("then", "result"),
    [
        ("dbutils.notebook.exit('started')", "SUCCESS"),
        ("raise ValueError", "FAILED"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "FAILED"),
        ("os.killpg(0, signal.SIGKILL)", "FAILED"),
        ("os.kill(os.getppid(), signal.SIGTERM); time.sleep(0.2)", "SUCCESS"),
        ("time.sleep(60)", "TIMEDOUT"),
        ("time.sleep(60)", "CANCELED"),
        ("os.kill(os.getpid(), signal.SIGSTOP)", "CANCELED"),
    ],
)
def test_no_daemon_outlives_its_run(client: Client, tmp_path: Path, then: str, result: str) -> None:
    pids = tmp_path / "pids"
    limit = {"timeout_seconds": 2} if result == "TIMEDOUT" else {}
    run_id = client.submit(notebook_task(client.notebook(DAEMON.format(pids=str(pids)) + then), **limit))
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 3)
    if result == "CANCELED":
        client.post("runs/cancel", run_id=run_id)
    run = client.wait(run_id)
    assert run["tasks"][0]["state"]["result_state"] == result
    assert not [pid for pid in pids.read_text().split() if is_alive(int(pid))]


@linux
def test_no_daemon_outlives_a_workspace_that_is_stopped(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with LocalWorkspace() as workspace:
        client = Client(workspace)
        client.submit(notebook_task(client.notebook(DAEMON.format(pids=str(pids)) + "time.sleep(60)")))
        wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 3)
        client.close()
    assert not [pid for pid in pids.read_text().split() if is_alive(int(pid))]


def test_a_notebook_that_kills_the_process_around_it_ends_with_it(client: Client, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"open({str(pid)!r}, 'w').write(str(os.getpid()))\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(60)"
    run = client.finish(notebook_task(client.notebook(f"import os, signal, time\n{code}")))
    assert run["tasks"][0]["state"]["result_state"] == "FAILED"
    wait_until(lambda: not is_alive(int(pid.read_text())))


@pytest.mark.parametrize("code", [0, 3, -6, -9, -11])
def test_how_the_process_ended_is_said_as_ever(client: Client, code: int) -> None:
    end = f"os._exit({code})" if code >= 0 else f"os.kill(os.getpid(), {-code})"
    run = client.finish(notebook_task(client.notebook(f"import os\n{end}")))
    said = f"exit code {code}" if code >= 0 else f"signal {-code}"
    assert f"without an outcome ({said}" in client.output(run)["error"]
