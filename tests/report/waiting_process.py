"""A process that waits for a Databricks run, as a worker starts one: it talks to whatever Prefect API it is given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from prefect_databricks_runs import DatabricksCredentials, wait_for_run
from prefect_databricks_runs._report import queue
from prefect_databricks_runs.local import LocalWorkspace
from tests.report.shown_flow import ShownFlow
from tests.support.prefect_api import PrefectApi
from tests.support.processes import PATIENCE

ROOT = Path(__file__).parents[2]


class WaitingProcess(ShownFlow):
    """A waiting flow run of another process; a context manager."""

    def __init__(
        self, prefect_api: PrefectApi, api_url: str, workspace: LocalWorkspace, run_id: int, name: str, **options: Any
    ) -> None:
        super().__init__(prefect_api, name)
        self._api_url = api_url
        self._told = {"host": workspace.url, "token": workspace.token, "run_id": run_id, "name": name, **options}

    def __enter__(self) -> WaitingProcess:
        self._errors = tempfile.TemporaryFile("w+")
        command = [sys.executable, "-W", "ignore", "-m", __name__, json.dumps(self._told)]
        environment = {**os.environ, "PREFECT_API_URL": self._api_url}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error:
            print(self.log[-8000:])
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    @property
    def is_going(self) -> bool:
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has logged until now."""
        self._errors.seek(0)
        return self._errors.read()

    def end(self, seconds: float = PATIENCE) -> str:
        """The name of the state that the run ended in, or of the error that the flow raised."""
        printed, _ = self._process.communicate(timeout=seconds)
        assert self._process.returncode == 0, self.log
        return printed.strip()


def main() -> None:
    told = json.loads(sys.argv[1])
    # How fast it polls is what its options say.
    queue.TELL_SECONDS = told.pop("tell_seconds", queue.TELL_SECONDS)
    databricks = DatabricksCredentials(host=told.pop("host"), token=told.pop("token"), requests_per_second=1000)
    flow = wait_for_run.with_options(name=told.pop("name"))
    try:
        print(flow(databricks, **told).state.name)
    except Exception as error:
        print(type(error).__name__)


if __name__ == "__main__":
    main()
