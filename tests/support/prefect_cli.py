"""The `prefect` command line, as a user has it in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys

from prefect_databricks_runs.demo.servers import PrefectServer
from tests.support.processes import PATIENCE

PREFECT = [sys.executable, "-W", "ignore", "-c", "from prefect.cli import app; app()"]


def prefect(server: PrefectServer, *arguments: str) -> str:
    """The output of a `prefect` command against this server."""
    done = subprocess.run(
        [*PREFECT, *arguments],
        env={**os.environ, "PREFECT_API_URL": server.api_url, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
