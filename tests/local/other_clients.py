"""What other clients of the Jobs API send, each in its very form: paths, headers, spellings of numbers."""

from __future__ import annotations

import json
from typing import Any

import httpx

from prefect_databricks_runs.local import LocalWorkspace
from tests.support.processes import wait_until


class LegacyCli:
    """databricks-cli: version 2.0, through a proxy, with bodies that it calls text/json."""

    def __init__(self, workspace: LocalWorkspace, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token or workspace.token}", "Content-Type": "text/json"}
        self.http = httpx.Client(proxy=workspace.url, trust_env=False, headers=headers, timeout=20)

    def ask(self, endpoint: str, version: str = "2.0", **query: Any) -> httpx.Response:
        return self.http.get(f"http://anything.local/api/{version}/jobs/{endpoint}", params=query)

    def get(self, endpoint: str, version: str = "2.0", **query: Any) -> dict[str, Any]:
        answer = self.ask(endpoint, version, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, endpoint: str, version: str = "2.0", **body: Any) -> dict[str, Any]:
        url = f"http://anything.local/api/{version}/jobs/{endpoint}"
        answer = self.http.post(url, content=json.dumps(body))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait(self, run_id: int) -> dict[str, Any]:
        """Waits as `runs submit --wait` does, which takes what it finds without a look."""

        def look() -> dict[str, Any] | None:
            state = self.get("runs/get", run_id=run_id)["state"]
            ended = state["life_cycle_state"] in {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}
            return {"result": state["result_state"], "message": state["state_message"]} if ended else None

        return wait_until(look)


class Airflow:
    """The Databricks provider of Airflow: version 2.2, with numbers as texts; its async half sends GETs with a body."""

    def __init__(self, workspace: LocalWorkspace) -> None:
        headers = {"User-Agent": "databricks-airflow/7.23.0 _/0.0.0", "X-Databricks-Azure-SP-Management-Token": "x"}
        auth = (workspace.login or "", workspace.password or "")
        self.http = httpx.Client(base_url=f"{workspace.url}/api", headers=headers, auth=auth, timeout=20)

    def get(self, endpoint: str, **query: Any) -> dict[str, Any]:
        """Asks as `requests` does, which writes booleans as Python does."""
        words = {name: str(value) for name, value in query.items()}
        answer = self.http.get(f"/2.2/jobs/{endpoint}", params=words)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get_with_body(self, endpoint: str, **fields: Any) -> dict[str, Any]:
        answer = self.http.request("GET", f"/2.2/jobs/{endpoint}", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, endpoint: str, **body: Any) -> dict[str, Any]:
        answer = self.http.post(f"/2.2/jobs/{endpoint}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait(self, run_id: int) -> dict[str, Any]:
        ended = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}

        def look() -> dict[str, Any] | None:
            run = self.get_with_body("runs/get", run_id=run_id)
            return run if run["state"]["life_cycle_state"] in ended else None

        return wait_until(look)
