"""Suspended flow runs to which things happen by chance, while watchers are killed and both servers are in trouble."""

from __future__ import annotations

import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs._start.pause_key import PREFIX, PauseKey
from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.runs.simulation import TaskStart
from tests.leave.children import Child
from tests.support.prefect_api import PrefectApi
from tests.support.processes import wait_until

BLOCK = "suspended-chaos"
RESUMED, CANCELLED, LEFT = "is resumed", "has its run cancelled", "is left alone"
# What happens to a flow run while it is suspended, how often of a hundred times, and what is to come of it.
FATES: dict[str, tuple[int, str]] = {
    "nothing": (30, RESUMED),
    "its run is cancelled in Databricks": (5, RESUMED),
    "its run is deleted in Databricks": (5, RESUMED),
    "it is resumed by hand and suspended again": (10, RESUMED),
    "its time is over": (5, RESUMED),
    "it is cancelled": (15, CANCELLED),
    "its pause expires": (5, CANCELLED),
    "it is marked crashed": (5, CANCELLED),
    "it is deleted": (8, CANCELLED),
    "its deployment is deleted": (4, "is crashed"),
    "it is marked completed": (4, LEFT),
    "its key cannot be read": (4, LEFT),
}
# What these do to a flow run that has been resumed already is another matter.
_WHILE_SUSPENDED = {"it is marked crashed", "it is marked completed", "its deployment is deleted"}
_SECONDS = 420.0
_OVER = ("TERMINATED", "INTERNAL_ERROR", "SKIPPED")


@dataclass
class One:
    """One flow run, and its Databricks runs: that which it waits for, and one that it has only started."""

    number: int
    fate: str
    flow_run_id: str
    run_id: int
    beside: int
    by_hand: int = 0


class SuspendedStorm:
    """The chaos, once.

    Args:
        count: How many flow runs are suspended.
        seed: What happens to which of them, and when.
        tell: Told how it goes.
    """

    def __init__(self, count: int, seed: int, tell: Callable[[str], None]) -> None:
        self._count, self._chooser, self._tell = count, random.Random(seed), tell
        self.met: Counter[str] = Counter()

    def run(self) -> list[str]:
        """Do it; return one sentence for each broken promise."""
        with ExitStack() as stack:
            self._server = stack.enter_context(PrefectServer())
            self._api = PrefectApi(self._server)
            self._workspace = stack.enter_context(LocalWorkspace(script=self._course, concurrency=1000))
            self._save(self._workspace.token)
            self._stack = stack
            self._watchers = [self._watcher() for _ in range(2)]
            self._flow_id = self._api._post("/flows/", {"name": "suspended-chaos"})["id"]
            fates = [fate for fate, (often, _) in FATES.items() for _ in range(round(often * self._count / 100))]
            self._chooser.shuffle(fates)
            self._ones = [self._suspended(number, fate) for number, fate in enumerate(fates)]
            self._tell(f"{len(self._ones)} flow runs are suspended")
            self._delete_some()
            self._happen()
            self._wait()
            return [fault for one in self._ones for fault in self._faults_of(one)]

    def _course(self, start: TaskStart) -> dict[str, Any]:
        if start.task_key == "beside":
            return {"running": 3600}
        ends = {"result_state": "FAILED", "error": "ValueError: no rows"} if self._chooser.random() < 0.2 else {}
        return {"running": self._chooser.uniform(240, 420), **ends}

    def _save(self, token: str) -> None:
        from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

        # A server on SQLite that has this much to do may answer 503 for longer than a minute.
        with temporary_settings({PREFECT_API_URL: self._server.api_url, PREFECT_CLIENT_MAX_RETRIES: 15}):
            block = DatabricksCredentials(host=self._workspace.url, token=token, requests_per_second=50)
            self._block_id = str(block.save(BLOCK, overwrite=True))

    def _watcher(self) -> Child:
        command = ["-m", "prefect_databricks_runs", "watch", "--block", BLOCK]
        return self._stack.enter_context(Child(command, self._server.api_url))

    def _suspended(self, number: int, fate: str) -> One:
        body = {"name": f"chaos-{uuid4()}", "flow_id": self._flow_id}
        deployment_id = self._api._post("/deployments/", body)["id"]
        flow_run = self._api._post(f"/deployments/{deployment_id}/create_flow_run", {"state": {"type": "SCHEDULED"}})
        one = One(number, fate, flow_run["id"], *self._databricks_runs(flow_run))
        self._set(one, "RUNNING", "Running")
        key = PREFIX + "{" if fate == "its key cannot be read" else str(self._key(one, 0))
        self._pause(one, key, 8 if fate == "its pause expires" else 10**8)
        return one

    def _databricks_runs(self, flow_run: dict[str, Any]) -> tuple[int, int]:
        return self._started("main", flow_run), self._started("beside", flow_run)

    def _started(self, task_key: str, flow_run: dict[str, Any]) -> int:
        """A run that names its flow run, or that its flow run has an artifact of."""
        is_marked = self._chooser.random() < 0.5
        marker = {"description": f"Prefect flow run {flow_run['name']} ({flow_run['id']})"} if is_marked else {}
        task = {"task_key": task_key, "notebook_task": {"notebook_path": "/n"}, **marker}
        run_id = self._databricks("POST", "submit", json={"tasks": [task]})["run_id"]
        if not is_marked:
            metadata = {"databricks_host": self._workspace.url, "databricks_run_id": str(run_id)}
            artifact = {"key": f"databricks-run-{run_id}", "type": "markdown", "data": "", "metadata_": metadata}
            self._api._post("/artifacts/", {**artifact, "flow_run_id": flow_run["id"]})
        return int(run_id)

    def _databricks(self, method: str, call: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._workspace.token}"}
        url = f"{self._workspace.url}/api/2.2/jobs/runs/{call}"
        return httpx.request(method, url, headers=headers, timeout=60, **more).raise_for_status().json()

    def _key(self, one: One, number: int) -> PauseKey:
        until = time.time() + 20 if one.fate == "its time is over" else None
        return PauseKey(
            self._workspace.url,
            self._block_id,  # type: ignore[arg-type]  # as text it is written the same
            run_ids=(one.run_id,),
            started=(one.beside,),
            until=until,
            number=number,
        )

    def _pause(self, one: One, key: str, seconds: float) -> None:
        until = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + seconds))
        details = {"pause_key": key, "pause_reschedule": True, "pause_timeout": until}
        self._set(one, "PAUSED", "Suspended", state_details=details)

    def _set(self, one: One, kind: str, name: str, **more: Any) -> None:
        # By force only what ends it: Prefect keeps no key of a pause that is forced.
        state, is_end = {"type": kind, "name": name, **more}, kind not in ("RUNNING", "PAUSED")
        self._api._post(f"/flow_runs/{one.flow_run_id}/set_state", {"state": state, "force": is_end})

    def _delete_some(self) -> None:
        """Delete flow runs while a watcher has seen them: of those that no watcher knew nothing is known."""
        deleted, count = self._with("it is deleted"), len(self._ones)
        left = sum(
            one.fate in ("its key cannot be read", "its pause expires", "its time is over") for one in self._ones
        )
        wait_until(lambda: all(watched >= count - left for watched in self._watched()), _SECONDS)
        for one in deleted:
            self.met[one.fate] += 1
            self._api._delete(f"/flow_runs/{one.flow_run_id}")
        wait_until(lambda: not any(fault for one in deleted for fault in self._faults_of(one)), _SECONDS)

    def _watched(self) -> list[int]:
        """How many flow runs each watcher watches, by its page."""
        found = self._api._post("/artifacts/filter", {"artifacts": {"key": {"like_": "databricks-watcher-%"}}})
        counts = [re.match(r"\*\*(\d+) suspended", each["data"]) for each in found]
        return [int(each[1]) if each else 0 for each in counts] or [0]

    def _with(self, fate: str) -> list[One]:
        return [one for one in self._ones if one.fate == fate]

    def _happen(self) -> None:
        """Have all else happen, one after the other, while watchers are killed, the token changes, and servers fail."""
        left = [one for one in self._ones if one.fate != "it is deleted"]
        self._chooser.shuffle(left)
        kinds: list[dict[str, Any]] = [{"status": 503}, {"reset": True}, {"status": 429}, {"truncate": True}]
        for kind in kinds:
            self._workspace.fault("GET *", **kind, probability=0.05, seed=self._chooser.getrandbits(32))
        for number, one in enumerate(left):
            self._supervise()
            self._meet(one)
            if number % 15 == 7:
                self._kill_a_watcher()
            if number == len(left) // 3:
                self._save(self._workspace.add_user("another"))
                self._workspace.expire_tokens()
            if number == len(left) // 2:
                self._server.restart()
            time.sleep(self._chooser.uniform(0.2, 0.8))

    def _kill_a_watcher(self) -> None:
        watcher = self._watchers.pop(self._chooser.randrange(len(self._watchers)))
        watcher.process.send_signal(signal.SIGKILL)
        self.met["a watcher is killed"] += 1
        self._watchers.append(self._watcher())

    def _supervise(self) -> None:
        """Start a watcher again that has ended, as systemd does: it does so where Prefect is away at its start."""
        for watcher in [each for each in self._watchers if each.process.poll() is not None]:
            self._watchers.remove(watcher)
            self._watchers.append(self._watcher())

    def _meet(self, one: One) -> None:
        if one.fate in _WHILE_SUSPENDED and self._state(one)[0] != "PAUSED":
            one.fate = "nothing"
        self.met[one.fate] += 1
        match one.fate:
            case "its run is cancelled in Databricks":
                self._databricks("POST", "cancel", json={"run_id": one.run_id})
            case "its run is deleted in Databricks":
                self._databricks("POST", "cancel", json={"run_id": one.run_id})
                self._until_over(one.run_id)
                self._databricks("POST", "delete", json={"run_id": one.run_id})
            case "it is resumed by hand and suspended again":
                self._resume_by_hand(one)
            case "it is cancelled":
                self._api.cancel(one.flow_run_id)
            case "it is marked crashed":
                self._set(one, "CRASHED", "Crashed")
            case "it is marked completed":
                self._set(one, "COMPLETED", "Completed")
            case "its deployment is deleted":
                self._api._delete(f"/deployments/{self._api.flow_run(one.flow_run_id)['deployment_id']}")

    def _resume_by_hand(self, one: One) -> None:
        if self._state(one)[0] == "PAUSED":
            self._api._post(f"/flow_runs/{one.flow_run_id}/resume", {})
            self._set(one, "RUNNING", "Running")
            self._pause(one, str(self._key(one, 1)), 10**8)
            one.by_hand = 1

    def _until_over(self, run_id: int) -> None:
        while self._workspace.runs[run_id]["state"]["life_cycle_state"] not in _OVER:
            time.sleep(0.05)

    def _wait(self) -> None:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline and (left := [one for one in self._ones if list(self._faults_of(one))]):
            self._tell(f"{len(left)} are not as they are to be")
            self._supervise()
            time.sleep(5)
        time.sleep(10)  # for what is done once too often

    def _state(self, one: One) -> tuple[str, str]:
        state = self._api.flow_run(one.flow_run_id)["state"]
        return state["type"], state["name"]

    def _is_active(self, run_id: int) -> bool:
        run = self._workspace.runs.get(run_id)
        return run is not None and run["state"]["life_cycle_state"] not in _OVER

    def _faults_of(self, one: One) -> list[str]:
        wanted, who = FATES[one.fate][1], f"Flow run {one.number}, and {one.fate}:"
        cancelled = {each.body["run_id"] for each in self._workspace.requests_to("POST */runs/cancel")}
        faults: list[str] = []
        if wanted == CANCELLED:
            faults += [f"{who} {run_id} is active." for run_id in (one.run_id, one.beside) if self._is_active(run_id)]
        if wanted == RESUMED:
            times = self._api.state_names(one.flow_run_id).count(("SCHEDULED", "Resuming"))
            if times != 1 + one.by_hand:
                faults.append(f"{who} resumed {times} times, {one.by_hand} by hand, and is {self._state(one)}.")
            if one.beside in cancelled:
                faults.append(f"{who} its run was cancelled.")
        if wanted == LEFT:
            faults += [f"{who} {each} was cancelled." for each in (one.run_id, one.beside) if each in cancelled]
        if wanted == "is crashed" and (self._state(one)[0] != "CRASHED" or self._is_active(one.beside)):
            faults.append(f"{who} it is {self._state(one)}.")
        return faults
