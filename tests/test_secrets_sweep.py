"""A whole flow against a workspace that repeats the `Authorization` header in every place: nothing of it is left.

Everything is logged at DEBUG, the server is Prefect's own, and what is left is all that it keeps, and all that is
logged, shown or pickled here.
"""

from __future__ import annotations

import base64
import json
import logging
import pickle
import sqlite3
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from prefect_databricks_runs import DatabricksCredentials, RunFailed, submit_run_and_wait
from tests.support.answers import RUN_ID, run, task
from tests.test_secrets_stay import everything

TOKEN = "".join(["dapi", "fedcba9876543210" * 2])
FETCHED = "".join(["eyJhbGciOi.eyJ", "0123456789abcdef" * 2, ".signed-by-databricks"])
PASSWORD = "".join(["correct-horse-", "battery-staple"])
LOGGERS = ("", "prefect", "prefect.flow_runs", "prefect.task_runs", "prefect_databricks_runs", "httpx", "httpcore")


class Echo(ThreadingHTTPServer):
    """A workspace whose run fails after some odd answers, each of which repeats what was signed in with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.polls = self.echoes = self.asked = 0


class _Handler(BaseHTTPRequestHandler):
    server: Echo
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        said = self.headers["Authorization"]
        self.server.echoes += 1
        if "runs/get-output" in self.path:
            outputs = {"error": said, "error_trace": f"Traceback\n  {said}", "logs": said}
            self.answer(200, json.dumps({**outputs, "notebook_output": {"result": said}}))
        elif "runs/get" in self.path or "runs/list" in self.path:
            self.server.polls += 1
            self.poll(self.server.polls, said)
        else:
            self.answer(400, json.dumps({"error_code": said, "message": said}))

    def poll(self, number: int, said: str) -> None:
        if number == 2:
            self.answer(502, f"<h1>Bad gateway</h1><pre>Authorization: {said}</pre>", kind="text/html")
        elif number == 3:
            self.answer(302, "", Location=f"/login?next={said.replace(' ', '+')}&header={said.replace(' ', '%20')}")
        elif number == 4:
            self.answer(500, json.dumps({"error_code": f"NO_{said}", "message": f"{said} is no good"}))
        elif number == 5:
            self.answer(200, f"not JSON: {said}", kind=said.replace(" ", "/"))
        elif number == 6:
            self.wfile.write(f"HTTP/1.1 {said}\r\n\r\n".encode())  # no valid HTTP
            self.close_connection = True
        else:
            over = ("TERMINATED", "FAILED") if number > 8 else ("RUNNING", None)
            tasks = [task("main", *over, description=said, notebook_task={"notebook_path": f"/{said}"})]
            found = run(*over, f"{said} has failed", run_name=f"run of {said}", tasks=tasks, creator_user_name=said)
            self.answer(200, json.dumps({"runs": [found]} if "list" in self.path else found))

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/oidc/v1/token":
            self.server.asked += 1
            if self.server.asked == 1:
                said = f"{self.headers['Authorization']} {sent}"
                self.answer(503, json.dumps({"error": "down", "error_description": said}))
            else:
                said = {"access_token": FETCHED, "expires_in": 3600, "said": self.headers["Authorization"]}
                self.answer(200, json.dumps(said))
            return
        self.answer(200, json.dumps({"run_id": RUN_ID, "said": self.headers["Authorization"]}))

    def answer(self, status: int, body: str, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        more = {"X-Request-Id": self.headers["Authorization"], "Set-Cookie": f"a={self.headers['Authorization']}"}
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **more, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Lines(logging.Handler):
    """All that is logged, by whomever, with the tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def logged() -> Iterator[Lines]:
    handler = Lines()
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield handler
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def database(folder: str) -> str:
    """All that the Prefect server has kept."""
    with sqlite3.connect(Path(folder) / "prefect.db") as opened:
        tables = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return "\n".join(f"{name} {row}" for name in tables for row in opened.execute(f'SELECT * FROM "{name}"'))


WAYS: dict[str, dict[str, str]] = {
    "token": {"token": TOKEN},
    "password": {"login": "ada", "password": PASSWORD},
    "principal": {"client_id": "ada", "client_secret": PASSWORD},
}


@pytest.mark.parametrize(
    "way", ["token", *(pytest.param(each, marks=pytest.mark.long) for each in ("principal", "password"))]
)
def test_nothing_is_left_of_what_a_workspace_repeats(way, echo, logged, prefect_server, prefect_api) -> None:
    databricks = DatabricksCredentials(host=echo.url, **WAYS[way])
    secret = TOKEN if way == "token" else PASSWORD
    caught: list[BaseException] = []
    ids: list[str] = []

    @flow(name=f"sweep-{way}")
    def sweep(databricks: Any) -> None:
        from prefect.runtime import flow_run

        ids.append(str(flow_run.id))
        try:
            submit_run_and_wait(
                databricks,
                {"tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]},
                polling_period_seconds=0.05,
                databricks_retry_delay=0.05,
            )
        except RunFailed as error:
            caught.append(error)
            raise

    with pytest.raises(RunFailed):
        sweep(databricks)
    assert echo.polls > 8
    error = caught.pop()
    # The log and the events are sent a little later.
    for _ in range(100):
        kept = database(prefect_server._folder.name)
        if "has failed" in kept and any("***" in line for line in prefect_api.log(ids[0])):
            break
        time.sleep(0.1)
    time.sleep(2)
    assert error.__traceback__ is not None
    error = error.with_traceback(error.__traceback__.tb_next)  # what this test has in its own variables does not count
    left = {
        "database": database(prefect_server._folder.name),
        "log": "\n".join(logged.lines),
        "pickle": pickle.dumps(error, protocol=0).decode("latin-1"),
        "shown": everything(error),
    }
    pair = base64.b64encode(f"ada:{secret}".encode()).decode()
    forms = [secret, base64.b64encode(secret.encode()).decode().rstrip("=")[:-1], pair, FETCHED]
    hits = [
        (place, line[:300])
        for place, text in left.items()
        for line in text.split("\n")
        for form in forms
        if form in line
    ]
    assert hits == []
    assert all("***" in text for text in left.values())
    assert "receive_response_headers" in left["log"]
