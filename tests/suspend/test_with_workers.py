"""The whole of it, with a process worker that has one slot, `serve`, and watchers of which one is killed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from prefect import Flow
from prefect.deployments import run_deployment
from prefect.flows import EntrypointType
from prefect.settings import PREFECT_API_URL

from tests.leave.children import Child, serving, worker
from tests.support.processes import wait_until
from tests.suspend import flows
from tests.suspend.place import DONE, SUSPENDED, Place

pytestmark = [pytest.mark.timeout(900), pytest.mark.long]

SECONDS = 400


class Whole:
    """A worker with one slot, and two watchers."""

    def __init__(self, stack: ExitStack, place: Place) -> None:
        self.place, self._stack = place, stack
        self.pool = f"suspend-{uuid4()}"
        place.api._post("/work_pools/", {"name": self.pool, "type": "process", "concurrency_limit": 1})
        self.watchers = [self.watcher() for _ in range(2)]
        wait_until(lambda: len(place.pages()) == 2, SECONDS)
        self.worker = stack.enter_context(worker(self.pool, PREFECT_API_URL.value()))

    def watcher(self) -> Child:
        command = ["-m", "prefect_databricks_runs", "watch", "--block", self.place.block]
        return self._stack.enter_context(Child(command, PREFECT_API_URL.value()))

    def start(self, flow: Flow[Any, Any], **parameters: Any) -> str:
        deployment = flow.to_deployment(
            f"suspend-{uuid4()}", work_pool_name=self.pool, entrypoint_type=EntrypointType.MODULE_PATH
        )
        return self.run(deployment.apply(), **parameters)

    def run(self, deployment_id: Any, **parameters: Any) -> str:
        reference = {"$ref": {"block_document_id": self.place.block_id}}
        parameters = {"databricks_credentials": reference, **parameters}
        return str(run_deployment(deployment_id, parameters=parameters, timeout=0).id)

    def wait_for(self, flow_run_ids: list[str], state: Any) -> None:
        try:
            wait_until(lambda: all(self.place.state(each) == state for each in flow_run_ids), SECONDS)
        except AssertionError:
            states = [self.place.state(each) for each in flow_run_ids]
            said = "\n".join(each.output[-3000:] for each in (self.worker, *self.watchers))
            raise AssertionError(f"{states} are not {state}:\n{said}") from None


@pytest.fixture
def whole(place: Place) -> Iterator[Whole]:
    with ExitStack() as stack:
        yield Whole(stack, place)


def test_many_flow_runs_wait_on_one_slot_and_each_goes_on_once_although_a_watcher_is_killed(
    whole: Whole, place: Place
) -> None:
    one = whole.start(flows.one_run)
    one_async = whole.start(flows.one_run_async)
    two_waits = whole.start(flows.one_after_the_other)
    many = whole.start(flows.many_runs, task_keys=["long", "longer"])
    fails = whole.start(flows.one_run_with_a_retry)
    served_name = f"served-{uuid4()}"
    whole._stack.enter_context(serving("one_run", served_name, PREFECT_API_URL.value(), "tests.suspend.flows"))
    wait_until(lambda: place.api.deployments_named(served_name), SECONDS)
    served = whole.run(place.api.deployments_named(served_name)[0]["id"])
    flow_run_ids = [one, one_async, two_waits, many, fails, served]
    whole.wait_for(flow_run_ids, SUSPENDED)  # all of them, on one slot
    assert place.starts == 7

    whole.watchers[0].process.send_signal(signal.SIGKILL)
    for task_key in ("long", "fails"):
        place.end(task_key)
    whole.wait_for([one, one_async, served], DONE)
    wait_until(lambda: place.times_resumed(two_waits) == 1 and place.state(two_waits) == SUSPENDED, SECONDS)
    wait_until(lambda: place.state(fails)[0] == "FAILED", SECONDS)
    whole.watchers[1].process.send_signal(signal.SIGKILL)
    place.end("longer")
    whole.watchers.append(whole.watcher())
    whole.wait_for([two_waits, many], DONE)

    assert place.starts == 9  # one more for the second wait, and one for the retry of the run that failed
    assert [place.times_resumed(each) for each in (one, one_async, two_waits, many, served)] == [1, 1, 2, 1, 1]
    assert not place.workspace.requests_to("POST */runs/cancel")
