"""The steps that every client is put through, and what a client script needs to take them.

A client script runs in the client's own environment, so this module needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

STEPS = {
    "submit": "submit a run and wait for it",
    "job": "run a saved job and wait for it",
    "output": "read the output of a notebook",
    "failure": "read why a run failed",
    "cancel": "cancel a run",
    "pages": "list jobs or runs over several pages",
    "repair": "repair a failed run",
    "idempotency": "start one run with two requests of one idempotency token",
    "rate_limit": "send a request again after a 429",
    "server_error": "send a request again after a 503",
    "oauth": "sign in with OAuth machine-to-machine",
    "refused": "report a wrong token",
}
"""The steps in the order of the table, each with its words there."""

WORKS, ABSENT, FAILED, UNTRIED = "works", "absent", "failed", "untried"
"""How a step ends. The client cannot do what is `absent`; this machine does not let it do what is `untried`."""

NOTEBOOKS = {
    "nightly": "dbutils.widgets.text('who', 'nobody')\ndbutils.notebook.exit('hello ' + dbutils.widgets.get('who'))",
    "fails": "raise ValueError('no rows')",
    "slow": "import time\ntime.sleep(120)",
    "flaky": (
        "from pathlib import Path\n"
        "flag = Path(dbutils.widgets.get('flag'))\n"
        "if not flag.exists():\n"
        "    flag.touch()\n"
        "    raise ValueError('not yet')\n"
        "dbutils.notebook.exit('repaired')"
    ),
}
"""The notebooks in the workspace's folder /Shared. The flaky one fails until its file `flag` exists."""


class AbsentError(Exception):
    """The client cannot do this step; the message says why."""


class UntriedError(Exception):
    """The client cannot do this step on this machine; the message says why."""


class Workspace:
    """The local workspaces that the client is run against, one on http and one on https, and their faults."""

    def __init__(self) -> None:
        self.http = os.environ["LOCAL_HTTP"]
        self.https = os.environ["LOCAL_HTTPS"]
        self.ca_file = os.environ["LOCAL_CA_FILE"]
        self.token = os.environ["LOCAL_TOKEN"]
        self.client_id = os.environ["LOCAL_CLIENT_ID"]
        self.client_secret = os.environ["LOCAL_CLIENT_SECRET"]
        self.folder = Path(os.environ["LOCAL_FOLDER"])

    @property
    def https_without_port(self) -> str:
        """The https address for a client that drops the port; there is none without port 443."""
        if not self.https.endswith(":443"):
            raise UntriedError("the client drops the port of an address, and port 443 was taken")
        return self.https.removesuffix(":443")

    def ask(self, method: str, path: str, body: Any = None, url: str | None = None) -> Any:
        """Send a request as no client would, past the client."""
        raw = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request((url or self.http) + path, raw, headers, method=method)  # noqa: S310 - ours
        trust = ssl.create_default_context(cafile=self.ca_file)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        with opener.open(request, timeout=20) as answer:
            return json.load(answer)

    @contextlib.contextmanager
    def fault(self, pattern: str, url: str | None = None, **what: Any) -> Iterator[None]:
        """Let a fault happen once in the body; it is an error if it does not."""
        self.ask("POST", "/local/faults", {"pattern": pattern, "times": 1, **what}, url)
        try:
            yield
            (fault,) = self.ask("GET", "/local/faults", url=url)["faults"]
            assert fault["met"] == 1, f"the client sent no {pattern}"
        finally:
            self.ask("DELETE", "/local/faults", url=url)

    def job(self, notebook: str, name: str = "job", url: str | None = None, **fields: Any) -> int:
        """Make a job for a client that makes none."""
        task = {"task_key": "main", **self.task(notebook)}
        return self.ask("POST", "/api/2.2/jobs/create", {"name": name, "tasks": [task], **fields}, url)["job_id"]

    def task(self, notebook: str, **parameters: str) -> dict[str, Any]:
        """Fields of a task that runs one of the notebooks."""
        wanted = {"notebook_path": f"/Shared/{notebook}", "base_parameters": parameters}
        return {"notebook_task": wanted, "existing_cluster_id": "1234-567890-local"}

    def flag(self, name: str) -> str:
        """The path of a file for the flaky notebook."""
        return str(self.folder / name)


def equal(seen: Any, expected: Any) -> None:
    """Hold what was seen against what should be."""
    assert seen == expected, f"{seen!r} is not {expected!r}"


def holds(text: object, part: str) -> None:
    """Look for a part in a text."""
    assert part in str(text), f"{part!r} is not in {str(text)!r}"


def raises(call: Callable[[], object], part: str = "") -> Exception:
    """Return the error that the call raises, with the part in its text."""
    try:
        result = call()
    except Exception as error:
        holds(f"{type(error).__name__}: {error}", part)
        return error
    raise AssertionError(f"no error, but {result!r}")


def until(look: Callable[[], T], seconds: float = 30) -> T:
    """Return what `look` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not true after {seconds} s"
        time.sleep(0.05)
    return seen


class Script:
    """The steps of one client, each a function of the workspace.

    script = Script()

    @script.step("cancel", "jobs.cancel")
    def cancel(workspace): ...

    script.main()
    """

    def __init__(self) -> None:
        self._steps: dict[str, tuple[str, Callable[[Workspace], object]]] = {}

    def step(self, name: str, call: str = "") -> Callable[[Callable[[Workspace], object]], None]:
        """Make a function a step; `call` is what the client's users call."""
        assert name in STEPS and name not in self._steps, name

        def decorate(function: Callable[[Workspace], object]) -> None:
            self._steps[name] = (call, function)

        return decorate

    def absent(self, name: str, why: str) -> None:
        """Say that the client has no way to do a step."""

        def function(workspace: Workspace) -> None:  # noqa: ARG001 - a step like others
            raise AbsentError(why)

        self.step(name)(function)

    def main(self) -> None:
        """Take all steps, and write a line of JSON for each to the file of the environment."""
        assert list(self._steps) == list(STEPS), set(STEPS) ^ set(self._steps)
        workspace = Workspace()
        with Path(os.environ["LOCAL_RESULTS"]).open("w", encoding="utf-8") as file:
            for name, (call, function) in self._steps.items():
                result, note = _taken(function, workspace)
                line = {"step": name, "call": call, "result": result, "note": note}
                print(json.dumps(line), file=file, flush=True)


def _taken(function: Callable[[Workspace], object], workspace: Workspace) -> tuple[str, str]:
    """Return how a step ends, and what there is to say about it."""
    try:
        note = function(workspace)
    except AbsentError as why:
        return ABSENT, str(why)
    except UntriedError as why:
        return UNTRIED, str(why)
    except BaseException as error:
        traceback.print_exc(file=sys.stderr)
        return FAILED, " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return WORKS, str(note or "")
