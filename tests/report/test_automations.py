"""A real Prefect server alerts when a run fails: by automations on Prefect 3, by notifications on Prefect 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.flows import EntrypointType

from prefect_databricks_runs import Run, RunFailed
from prefect_databricks_runs._prefect.compat import PREFECT_3
from tests.local.simulated import simulated, task
from tests.report.deployed import parent
from tests.report.waiting_flow import WaitingFlow, waiting_flow
from tests.support.prefect_api import PrefectApi
from tests.support.processes import descendants, wait_until
from tests.test_docs import DOCS, ROOT, SLACK, fences

if PREFECT_3:
    from prefect.automations import Automation, CancelFlowRun, EventTrigger, Posture

pytestmark = [
    pytest.mark.long,
    pytest.mark.usefixtures("prefect_server"),
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated"),  # of Apprise, by which Prefect notifies
]
with_automations = pytest.mark.skipif(not PREFECT_3, reason="Prefect 2 has no automations unless events are on")
with_notifications = pytest.mark.skipif(PREFECT_3, reason="Prefect 3 has automations instead")

PENDING, RUNNING = ("PENDING", "Pending"), ("RUNNING", "Running")


@pytest.fixture(autouse=True)
def no_alerts(prefect_api) -> Iterator[None]:
    """None is there but those of the test."""
    prefect_api.delete_alerts()
    yield
    prefect_api.delete_alerts()


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
        self.url = f"json://127.0.0.1:{self._server.server_port}/"  # as Apprise calls it
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def alerts(title: str, webhook: Webhook) -> list[str]:
    """The code of the documentation for one release of Prefect, or for both, with another webhook."""
    page = [fence for fence in fences(DOCS / "guides" / "alert-on-failure.md") if fence.language == "python"]
    return [fence.text.replace(SLACK, webhook.url) for fence in page if fence.title == title]


def with_other(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


@with_automations
def test_the_automations_of_the_documentation_alert_of_a_run_that_failed_and_of_one_that_is_pending(
    webhook, prefect_api
) -> None:
    failed, pending = alerts("Prefect 3", webhook)
    names: dict[str, Any] = {}
    exec(failed, names)
    exec(with_other(pending, "minutes=30", "seconds=20"), names)
    failure = {"result_state": "FAILED", "error": "ValueError: no rows today"}
    script = {"quick": {"pending": 1, "running": 1000}, "failing": {"pending": 1, **failure}}
    with simulated({**script, "stuck": {"pending": 100}}) as client, ExitStack() as stack:

        def begin(task_key: str) -> WaitingFlow:
            run_id = client.submit(task(task_key), run_name=task_key)
            waits = waiting_flow(prefect_api, client.workspace, run_id, f"wait-for-run-automated-{task_key}")
            waiting = stack.enter_context(waits)
            waiting.wait_until_it_shows(("RUNNING", "Pending"), {task_key: PENDING})
            return waiting

        quick = begin("quick")
        client.workspace.advance(1)
        quick.wait_until_it_shows(RUNNING, {"quick": RUNNING})
        failing = begin("failing")
        client.workspace.advance(1)
        assert isinstance(failing.end(), RunFailed)
        # Last, so that the alerts of the others come before.
        stuck = begin("stuck")
        wait_until(lambda: len(webhook.posted) > 1)
        run_id = stuck.flow_run["name"].removeprefix("stuck-")
        client.workspace.advance(1000)
        assert isinstance(stuck.end(), Run)
        assert isinstance(quick.end(), Run)
    of_failure, of_wait = webhook.posted
    assert of_failure["title"] == f"{failing.flow_run['name']}: Failed"
    assert "ValueError: no rows today" in of_failure["message"]
    assert f"/flow-run/{failing.flow_run['id']}" in of_failure["message"]
    assert of_wait["message"].startswith(f"Run {run_id} has been pending for 30 minutes: {client.workspace.url}")


@with_notifications
def test_the_notification_of_the_documentation_alerts_of_a_run_that_failed_and_of_no_other(
    webhook, prefect_api
) -> None:
    (notification,) = alerts("Prefect 2", webhook)
    exec(notification, {})
    with simulated({"good": {"running": 1}, "slow": {"running": 100}}) as client, ExitStack() as stack:
        for task_key in ("good", "slow"):
            run_id = client.submit(task(task_key), run_name=task_key, timeout_seconds=10)
            waits = waiting_flow(prefect_api, client.workspace, run_id, f"notified-{task_key}")
            waiting = stack.enter_context(waits)
            waiting.wait_until_it_shows(RUNNING, {task_key: RUNNING})
            client.workspace.advance(10)
            waiting.end()
        wait_until(lambda: webhook.posted)
    (told,) = webhook.posted
    title, *message = told["message"].splitlines()
    assert title == f"{waiting.flow_run['name']}: TimedOut"
    assert "slow" in message[0]
    assert message[-1].endswith(f"/flow-run/{waiting.flow_run['id']}")


def test_the_hook_of_the_documentation_alerts_with_the_error_of_the_task(webhook, databricks, notebook) -> None:
    notebook("/Shared/broken", 'raise ValueError("no rows today")')
    databricks.save("prod", overwrite=True)
    hook, _ = alerts("", webhook)
    exec(hook, {"__name__": "hook"})
    (told,) = webhook.posted
    assert "ValueError: no rows today" in told["message"]


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
    finally:
        # When the flow's own process has ended, that of Prefect around it may need another minute.
        for each in [*descendants(process.pid), process]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()


@with_automations
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
