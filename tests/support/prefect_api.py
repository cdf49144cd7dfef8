"""What Prefect's API says of runs: the UI shows the same."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import UUID

import httpx

from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.support.connections import api_client

_PAGE = 200  # the most that Prefect gives at once


class PrefectApi:
    """Reads flow runs from a Prefect server.

    Attributes:
        since: When the current test began, before its fixtures. Other tests share the server, and may share names.
    """

    since = datetime.fromtimestamp(0, timezone.utc)

    def __init__(self, server: PrefectServer) -> None:
        self.url = server.api_url
        self._client = api_client(server.api_url)

    def create_work_pool(self, name: str, kind: str) -> None:
        """A new work pool."""
        self._post("/work_pools/", {"name": name, "type": kind})

    def deployments_named(self, name: str) -> list[dict[str, Any]]:
        """All deployments of a name."""
        return self._post("/deployments/filter", {"deployments": {"name": {"any_": [name]}}})

    def cancel(self, flow_run_id: UUID | str) -> None:
        """What the UI's button does."""
        self._post(f"/flow_runs/{flow_run_id}/set_state", {"state": {"type": "CANCELLING"}})

    def retry(self, flow_run_id: UUID | str) -> None:
        """What the UI's button does with a flow run of a deployment that is over."""
        state = {"type": "SCHEDULED", "name": "AwaitingRetry"}
        self._post(f"/flow_runs/{flow_run_id}/set_state", {"state": state})

    def flow_run(self, flow_run_id: UUID | str) -> dict[str, Any]:
        """One flow run."""
        return self._request("GET", f"/flow_runs/{flow_run_id}").json()

    def state_names(self, flow_run_id: UUID | str) -> list[tuple[str, str]]:
        """The type and name of each state that a flow run had, oldest first."""
        return self._states("/flow_run_states/", flow_run_id=str(flow_run_id))

    def task_state_names(self, task_run_id: UUID | str) -> list[tuple[str, str]]:
        """The type and name of each state that a task run had, oldest first."""
        return self._states("/task_run_states/", task_run_id=str(task_run_id))

    def flow_runs_named(self, flow_name: str) -> list[dict[str, Any]]:
        """All runs of a flow since this test began, newest first."""
        body = {
            "flows": {"name": {"any_": [flow_name]}},
            "flow_runs": {"expected_start_time": {"after_": self.since.isoformat()}},
            "sort": "EXPECTED_START_TIME_DESC",
        }
        return self._post("/flow_runs/filter", body)

    def flow_runs_of_deployment(self, deployment_id: UUID | str) -> list[dict[str, Any]]:
        """All runs of a deployment."""
        return self._post("/flow_runs/filter", {"deployments": {"id": {"any_": [str(deployment_id)]}}})

    def subflow_runs(self, flow_run_id: UUID | str) -> list[dict[str, Any]]:
        """The flow runs that a flow run has called."""
        return self._post("/flow_runs/filter", {"flow_runs": {"parent_flow_run_id": {"any_": [str(flow_run_id)]}}})

    def log(self, flow_run_id: UUID | str) -> list[str]:
        """The log of a flow run, as far as it has arrived."""
        body = {"logs": {"flow_run_id": {"any_": [str(flow_run_id)]}}, "sort": "TIMESTAMP_ASC"}
        return [line["message"] for line in self._post("/logs/filter", body)]

    def task_runs(self, flow_run_id: UUID | str) -> list[dict[str, Any]]:
        """The task runs of a flow run."""
        found: list[dict[str, Any]] = []
        while True:
            body = {"flow_runs": {"id": {"any_": [str(flow_run_id)]}}, "sort": "ID_DESC", "offset": len(found)}
            page = self._post("/task_runs/filter", {**body, "limit": _PAGE})
            found += page
            if len(page) < _PAGE:
                return found

    def task_run_states(self, task_run_id: UUID | str) -> list[dict[str, Any]]:
        """Each state that a task run had, oldest first."""
        states = self._request("GET", "/task_run_states/", params={"task_run_id": str(task_run_id)})
        return sorted(states.json(), key=lambda state: state["timestamp"])

    def mirrored(self, flow_run_id: UUID | str) -> dict[str, tuple[str, str]]:
        """The type and the name of the state of each task run that mirrors a Databricks task, by its name."""
        mirrored = [each for each in self.task_runs(flow_run_id) if each["task_key"] == "databricks-task"]
        return {each["name"]: (each["state"]["type"], each["state"]["name"]) for each in mirrored}

    def events(self, prefix: str) -> list[dict[str, Any]]:
        """The newest events whose name begins so, on Prefect 3."""
        body = {"filter": {"event": {"prefix": [prefix]}}, "limit": 50}
        return self._post("/events/filter", body)["events"]

    def delete_alerts(self) -> None:
        """Delete every automation of Prefect 3, or every notification of Prefect 2."""
        kind = "automations" if PREFECT_3 else "flow_run_notification_policies"
        for alert in self._post(f"/{kind}/filter", {}):
            self._delete(f"/{kind}/{alert['id']}")

    def delete_blocks(self, block_type_slug: str) -> None:
        """Delete every saved block of a type."""
        body = {
            "block_documents": {"is_anonymous": {"eq_": False}},
            "block_types": {"slug": {"any_": [block_type_slug]}},
        }
        for block in self._post("/block_documents/filter", body):
            self._delete(f"/block_documents/{block['id']}")

    def artifacts(self, flow_run_id: UUID | str) -> list[dict[str, Any]]:
        """The artifacts of a flow run, but for those that Prefect 3 makes of results, which have no key."""
        body = {"artifacts": {"flow_run_id": {"any_": [str(flow_run_id)]}}}
        artifacts = self._post("/artifacts/filter", body)
        return [artifact for artifact in artifacts if artifact["key"]]

    def _states(self, path: str, **query: str) -> list[tuple[str, str]]:
        states = self._request("GET", path, params=query).json()
        return [(state["type"], state["name"]) for state in sorted(states, key=lambda state: state["timestamp"])]

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._request("POST", path, json=body).json()

    def _delete(self, path: str) -> None:
        self._request("DELETE", path)

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._client.request(method, path, **more).raise_for_status()
