"""A workspace all of whose texts want something: of a terminal, a log, a database, a browser, or its reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

FORGED = "23:59:59.000 | INFO | Flow run 'forged' - all is well"
RUN_ID, OTHER_RUN_ID, RETRIED, FAILED, FOR_EACH, RUN_JOB, NESTED, INNER = 71, 72, 711, 712, 713, 714, 715, 721
NORMAL_TASK, NORMAL_ERROR = "load_orders_2024", "KeyError: 'order_id' not in ['id', 'customer_name']"
NORMAL_TRACE = f"""\x1b[0;31m---------------------------------------------------------------------------\x1b[0m
\x1b[0;31mKeyError\x1b[0m                                  Traceback (most recent call last)
File \x1b[0;32m<command-1>:3\x1b[0m
\x1b[0;32m----> 3\x1b[0m rows\x1b[38;5;241m.\x1b[39mpop(\x1b[38;5;124m"order_id"\x1b[39m)  # `pop`

\x1b[0;31m{NORMAL_ERROR}\x1b[0m"""


class Hostile:
    """The texts.

    Args:
        beacon: An address that counts who asks for it.
        huge: How many characters follow each text.
    """

    def __init__(self, beacon: str, huge: int = 0) -> None:
        self._beacon, self._huge = beacon, huge

    def text(self, field: str) -> str:
        """One of them.

        Args:
            field: Where it stands; in the paths of the beacons.
        """
        at = f"{self._beacon}/{field}"
        lines = [
            f"{field} \x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07\x1b]8;;{at}/osc\x1b\\osc\x1b]8;;\x1b\\ \x9b31m",
            "\u202ebidi\u2066 \u200f\u061c zero\u200bwidth \ud800 \udfff \x00 \x08 \x7f \u2028 \r",
            FORGED,
            f"![x]({at}/image) <img src={at}/img> <img src='{at}/quoted' onerror=alert(1)>",
            f"[x](javascript:alert(1)) [y]({at}/link) <{at}/angle> {at}/bare www.evil.example/{field} me@evil.example",
            f"[ref]: {at}/ref",
            f"[ref] ![ref] `code` ]({at}/out) | </td></table> &lt;img src={at}/entity&gt; &#60;img src={at}/number>",
            f"<span class='ansired'>&lt;img src={at}/span&gt;</span>",
            "``` ````",
            "````",
            f"![x]({at}/fence)",
            "# heading",
            "~~~~~",
            f"<script>fetch('{at}/script')</script><iframe src={at}/frame></iframe><style>@import '{at}/css';</style>",
        ]
        return "\n".join(lines) + "x" * self._huge

    def first(self, field: str) -> str:
        """The same without the first lines, so that a place that shows only the beginning meets the worst of it."""
        return self.text(field).split("\n", 3)[3]

    def state(self, life_cycle: str, result: str | None, field: str) -> dict[str, Any]:
        result_state = {"result_state": result} if result else {}
        return {"life_cycle_state": life_cycle, "state_message": self.first(field), **result_state}

    def task(self, task_key: str, run_id: int, result: str | None, **more: Any) -> dict[str, Any]:
        life_cycle = "TERMINATED" if result else "RUNNING"
        ended = {"end_time": 1_700_000_060_000} if result else {}
        state = self.state(life_cycle, result, f"state-{run_id}")
        fields = {"task_key": task_key, "run_id": run_id, "state": state, "start_time": 1_700_000_000_000}
        return {**fields, "notebook_task": {"notebook_path": "/n"}, **ended, **more}

    def run(self, *, is_over: bool) -> dict[str, Any]:
        """The answer for the run that is waited for."""
        end, odd = ("FAILED", self.first("result")) if is_over else (None, None)
        stats = {"error_message_stats": [{"error_message": self.first("stats"), "count": 2}]}
        for_each = {"inputs": "[1]", "task": {"task_key": "nested", "max_retries": 1}, "stats": stats}
        tasks = [
            self.task(NORMAL_TASK, FAILED, end),
            self.task(self.text("retried"), RETRIED, "FAILED"),
            self.task(self.text("retried"), RETRIED + 100, odd, attempt_number=1),
            self.task(self.first("each"), FOR_EACH, end, for_each_task=for_each),
            self.task(self.first("job"), RUN_JOB, end, run_job_task={"job_id": f"1) {self.first('job_id')}"}),
            self.task("condition", RUN_JOB + 1, odd, condition_task={"outcome": self.first("outcome")}),
        ]
        state = self.state("TERMINATED" if is_over else self.first("life_cycle"), end, "run")
        return {"run_id": RUN_ID, "job_id": 7, "run_name": self.first("run_name"), "state": state, "tasks": tasks}

    def answers(self, run_id: int, *, is_over: bool) -> dict[str, Any]:
        """The answer of `runs/get`."""
        if run_id == FOR_EACH:
            iteration = self.task(self.text("iteration"), NESTED, "FAILED")
            return {**self.task(self.first("each"), FOR_EACH, "FAILED"), "iterations": [iteration]}
        if run_id == OTHER_RUN_ID:
            state, tasks = self.state("TERMINATED", "FAILED", "other"), [self.task(self.first("in"), INNER, "FAILED")]
            return {"run_id": OTHER_RUN_ID, "job_id": 8, "run_name": self.text("other"), "state": state, "tasks": tasks}
        return self.run(is_over=is_over)

    def output(self, run_id: int) -> dict[str, Any]:
        """The answer of `runs/get-output`."""
        if run_id == FAILED:
            return {"error": NORMAL_ERROR, "error_trace": NORMAL_TRACE}
        if run_id == RUN_JOB:
            return {"run_job_output": {"run_id": OTHER_RUN_ID}}
        result = {"notebook_output": {"result": self.first(f"result-{run_id}")}}
        if run_id > RETRIED + 50:
            return result
        trace = self.text(f"trace-{run_id}")
        return {"error": self.first(f"error-{run_id}"), "error_trace": trace, "logs": trace, **result}


@contextmanager
def hostile_workspace(hostile: Hostile, polls: int = 2) -> Iterator[str]:
    """A server that answers so, over after some polls; gives its address."""
    asked = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            nonlocal asked
            url = urlsplit(self.path)
            run_id = int(parse_qs(url.query).get("run_id", ["0"])[0])
            if url.path.endswith("get-output"):
                return self._answer(200, hostile.output(run_id))
            if url.path.endswith("runs/get") and run_id:
                asked += run_id == RUN_ID
                return self._answer(200, hostile.answers(run_id, is_over=asked > polls))
            error = {"error_code": hostile.text("code"), "message": f"{hostile.text('message')} [ReqId: {'r' * 5000}]"}
            return self._answer(400, error)

        do_POST = do_GET  # noqa: N815 - the name that it is called by

        def _answer(self, status: int, answer: dict[str, Any]) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
