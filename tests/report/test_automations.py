"""Automations of a real Prefect 3 server act on the events of Databricks runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.flows import EntrypointType

from prefect_databricks_runs import Run
from prefect_databricks_runs._prefect.compat import PREFECT_3
from tests.local.simulated import simulated, task
from tests.report.deployed import parent
from tests.report.waiting_flow import WaitingFlow, waiting_flow
from tests.support.prefect_api import PrefectApi
from tests.support.processes import wait_until
from tests.test_docs import ROOT, fences

if PREFECT_3:
    from prefect.automations import Automation, CancelFlowRun, EventTrigger, Posture

pytestmark = [
    pytest.mark.long,
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.timeout(240),
    pytest.mark.skipif(not PREFECT_3, reason="Prefect 2 has no automations unless events are switched on"),
]

PENDING, RUNNING = ("PENDING", "Pending"), ("RUNNING", "Running")


@pytest.fixture(autouse=True)
def no_automations(prefect_api) -> Iterator[None]:
    """None is there but those of the test."""
    prefect_api.delete_automations()
    yield
    prefect_api.delete_automations()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    webhook = Webhook()
    yield webhook
    webhook.close()


class Webhook:
    """A server that remembers what is posted to it."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        posted = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def example() -> str:
    """The automation of the documentation."""
    (text,) = [fence.text for fence in fences(ROOT / "docs" / "waiting.md") if "Automation(" in fence.text]
    return text


def with_other(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


def test_the_automation_of_the_documentation_tells_of_a_run_that_is_pending_and_of_no_other(
    webhook, prefect_api
) -> None:
    text = with_other(example(), "https://hooks.slack.com/services/T0/B0/x", webhook.url)
    exec(with_other(text, "minutes=30", "seconds=20"), {})
    script = {"quick": {"pending": 1, "running": 1000}, "failing": {"pending": 1, "result_state": "FAILED"}}
    with simulated({**script, "stuck": {"pending": 100}}) as client, ExitStack() as stack:

        def begin(task_key: str) -> WaitingFlow:
            run_id = client.submit(task(task_key), run_name=task_key)
            waits = waiting_flow(prefect_api, client.workspace, run_id, f"automated-{task_key}")
            waiting = stack.enter_context(waits)
            waiting.wait_until_it_shows(("RUNNING", "Pending"), {task_key: PENDING})
            return waiting

        quick = begin("quick")
        client.workspace.advance(1)
        quick.wait_until_it_shows(RUNNING, {"quick": RUNNING})
        failing = begin("failing")
        client.workspace.advance(1)
        failing.end()
        # Last, so that whatever is told of the others is told before.
        stuck = begin("stuck")
        wait_until(lambda: webhook.posted)
        run_id = stuck.flow_run["name"].removeprefix("stuck-")
        client.workspace.advance(1000)
        assert isinstance(stuck.end(), Run)
        assert isinstance(quick.end(), Run)
    (told,) = webhook.posted
    assert told["text"].startswith(f"Databricks run {run_id} has been pending for 30 minutes: {client.workspace.url}")


@contextmanager
def deployed(prefect_api: PrefectApi, **parameters: Any) -> Iterator[dict[str, Any]]:
    """A flow run of a deployment, in a process that Prefect starts for it and can stop."""
    deployment_id = parent.to_deployment("automated", entrypoint_type=EntrypointType.MODULE_PATH).apply()
    with get_client(sync_client=True) as client:
        flow_run = client.create_flow_run_from_deployment(deployment_id, parameters=parameters)
    command = [sys.executable, "-W", "ignore", "-c", "from prefect.cli import app; app()", "flow-run", "execute"]
    environment = {**os.environ, "PREFECT_API_URL": prefect_api.url, "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
    process = subprocess.Popen([*command, str(flow_run.id)], cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)})
    try:
        yield {"id": str(flow_run.id)}
        process.wait(60)
    finally:
        process.kill()
        process.wait()


def test_an_automation_cancels_a_deployed_flow_run_and_with_it_the_databricks_run(prefect_api) -> None:
    with simulated({"a": {"pending": 10, "running": 100}}) as client:
        workspace = client.workspace
        run_id = client.submit(task("a"))
        name = f"databricks.run.{workspace.url.removeprefix('http://')}.{run_id}"
        trigger = EventTrigger(
            posture=Posture.Reactive,
            match={"prefect.resource.id": name},
            expect={"databricks.run.running"},
            threshold=1,
            within=timedelta(0),
        )
        Automation(name="cancel-what-runs", trigger=trigger, actions=[CancelFlowRun()]).create()
        with deployed(prefect_api, host=workspace.url, token=workspace.token, run_id=run_id) as outermost:
            wait_until(lambda: related(prefect_api, "databricks.run.pending", name))
            workspace.advance(10)
            wait_until(lambda: workspace.runs[run_id]["state"].get("result_state") == "CANCELED")
        wait_until(lambda: prefect_api.flow_run(outermost["id"])["state"]["type"] == "CANCELLED")
    wait_until(lambda: related(prefect_api, "databricks.run.canceled", name))
    (waiting,) = [each for each in prefect_api.flow_runs_named("wait-for-run") if str(run_id) in each["name"]]
    for event in ("databricks.run.pending", "databricks.run.canceled"):
        ids = related(prefect_api, event, name)
        assert ids[0] == f"prefect.flow-run.{outermost['id']}"
        assert {f"prefect.flow-run.{waiting['id']}", f"prefect.flow.{waiting['flow_id']}"} <= set(ids)


def related(prefect_api: PrefectApi, event: str, resource: str) -> list[str]:
    """The related resources of an event as the server has it; empty while it does not."""
    return [
        each["prefect.resource.id"]
        for found in prefect_api.events(event)
        if found["resource"]["prefect.resource.id"] == resource
        for each in found["related"]
    ]
