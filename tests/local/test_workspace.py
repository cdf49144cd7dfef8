"""The workspace from outside: start, stop, what it remembers, what it leaves behind."""

from __future__ import annotations

import base64
import gc
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import API, Client, is_alive, notebook_task, python_task, state_of
from tests.support.processes import PATIENCE, wait_until

SLEEP = "import time\ntime.sleep(60)"


def test_runs_are_those_of_runs_get_also_afterwards() -> None:
    with LocalWorkspace() as workspace:
        client = Client(workspace)
        run = client.finish(notebook_task(client.notebook("")))
        assert workspace.runs == {run["run_id"]: run}
        client.close()
    assert workspace.runs == {run["run_id"]: run}


def test_stopping_ends_tasks_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = set(threading.enumerate())
    with LocalWorkspace() as workspace:
        client = Client(workspace)
        pid_file = workspace.root / "pid"
        path = client.notebook(f"import os\nopen({str(pid_file)!r}, 'w').write(f'{{os.getpid()}}.')\n{SLEEP}")
        run_id = client.submit(notebook_task(path))
        wait_until(lambda: pid_file.exists() and pid_file.read_text().endswith("."))
        pid = int(pid_file.read_text()[:-1])
        client.close()
        port = int(workspace.url.rpartition(":")[2])
    assert state_of(workspace.runs[run_id]) == ("TERMINATED", "CANCELED")
    assert not Path(f"/proc/{pid}").exists()
    assert not list(tmp_path.iterdir())
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
    wait_until(lambda: set(threading.enumerate()) <= threads)
    gc.collect()


def test_a_clients_open_connection_does_not_delay_the_end() -> None:
    with LocalWorkspace() as workspace:
        client = Client(workspace)
        client.get("list")
        with socket.create_connection(("127.0.0.1", int(workspace.url.rpartition(":")[2]))) as half:
            half.sendall(b"POST /api/2.2/jobs/create HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
            workspace.stop()
        client.close()


def test_an_answer_does_not_wait_for_the_clients_acknowledgement() -> None:
    with LocalWorkspace() as workspace:
        client = Client(workspace)
        times = []
        for _ in range(21):
            begin = time.perf_counter()
            client.get("list")
            times.append(time.perf_counter() - begin)
        client.close()
    assert sorted(times)[10] < 0.03  # 0.04 is how long Linux holds one back


def test_a_given_root_stays(tmp_path: Path) -> None:
    (tmp_path / "n.py").write_text("# Databricks notebook source\ndbutils.notebook.exit('x')")
    with LocalWorkspace(root=str(tmp_path)) as workspace:
        client = Client(workspace)
        assert client.output(client.finish(notebook_task("/n")))["notebook_output"]["result"] == "x"
        client.close()
    assert workspace.root == tmp_path
    assert [file.name for file in tmp_path.iterdir()] == ["n.py"]


def test_two_workspaces_do_not_meet() -> None:
    with LocalWorkspace() as one, LocalWorkspace() as two:
        assert one.token != two.token
        assert one.token.startswith("dapi")
        client = Client(one)
        run_id = client.submit(notebook_task("/n"))
        client.wait(run_id)
        assert run_id not in two.runs
        assert httpx.get(f"{two.url}{API}/list", headers=client.http.headers).status_code == 403
        client.close()


def test_a_port_that_is_taken_is_an_error_with_nothing_left() -> None:
    with LocalWorkspace() as one:
        two = LocalWorkspace(port=int(one.url.rpartition(":")[2]))
        with pytest.raises(OSError, match="in use"):
            two.start()
        two.stop()
        assert not two.root.exists()


def test_misuse_is_named() -> None:
    with pytest.raises(ValueError, match="both login and password"):
        LocalWorkspace(login="x")
    with pytest.raises(ValueError, match="at least 1"):
        LocalWorkspace(concurrency=0)
    workspace = LocalWorkspace()
    with pytest.raises(RuntimeError, match="was not started"):
        _ = workspace.url
    with workspace, pytest.raises(RuntimeError, match="only once"):
        workspace.start()
    workspace.stop()


def test_only_as_many_tasks_run_at_once_as_allowed() -> None:
    with LocalWorkspace(concurrency=1) as workspace:
        client = Client(workspace)
        path = client.write("import time\nprint(time.monotonic())\ntime.sleep(0.1)\nprint(time.monotonic())", ".py")
        run = client.finish(*({**python_task(path), "task_key": key} for key in "ab"))
        spans = sorted([float(line) for line in client.output(run, key)["logs"].split()] for key in "ab")
        assert spans[0][1] < spans[1][0]
        client.close()


SERVER = """
import sys
from prefect_databricks_runs.local import LocalWorkspace
workspace = LocalWorkspace(token="dapi-test", root=sys.argv[1]).start()
print(workspace.url, flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def server(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("end", ["kill", "forgotten stop"])
def test_however_the_process_ends_no_child_outlives_it(server: subprocess.Popen[str], tmp_path: Path, end: str) -> None:
    pids = tmp_path / "pids"
    (tmp_path / "n.py").write_text(
        "# Databricks notebook source\nimport os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}} .')\n"
        "time.sleep(60)"
    )
    url = server.stdout.readline().strip()
    body = {"tasks": [notebook_task("/n")]}
    httpx.post(f"{url}{API}/runs/submit", json=body, headers={"Authorization": "Bearer dapi-test"})
    wait_until(lambda: pids.exists() and pids.read_text().endswith("."))
    if end == "kill":
        os.kill(server.pid, signal.SIGKILL)
    else:
        server.stdin.write("\n")
        server.stdin.flush()
    server.wait(PATIENCE)
    if end == "forgotten stop":
        assert not list(tmp_path.glob("databricks-*"))
    for pid in pids.read_text().split()[:2]:
        wait_until(lambda pid=pid: not is_alive(int(pid)))


def test_no_child_finds_a_secret_in_its_environment_also_not_in_base64(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"token": "dapi-1", "login": "ada", "password": "pw-2", "client_id": "app", "client_secret": "cs-3"}
    texts = ["dapi-1", "pw-2", "cs-3", "token:dapi-1", "ada:pw-2", "app:cs-3"]
    for number, text in enumerate(texts):
        monkeypatch.setenv(f"PLAIN_{number}", f"Bearer {text}")
        monkeypatch.setenv(f"CODED_{number}", f"Basic {base64.b64encode(text.encode()).decode()}")
    monkeypatch.setenv("HARMLESS", "yes")
    passed = [name for name in os.environ if name.startswith(("PLAIN_", "CODED_", "HARMLESS"))]
    with LocalWorkspace(**secrets, pass_environment=passed) as workspace:
        client = Client(workspace)
        ours = "n[:6] in ('PLAIN_', 'CODED_', 'HARMLE')"
        code = f"import os\ndbutils.notebook.exit(' '.join(n for n in os.environ if {ours}))"
        run = client.finish(notebook_task(client.notebook(code)))
        assert client.output(run)["notebook_output"]["result"] == "HARMLESS"
        assert not any(secret in repr(workspace._parts) for secret in texts)
        client.close()
