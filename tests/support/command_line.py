"""Our command line, called in the process of the tests: a new process takes seconds to import Prefect."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context

from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner, Result

from prefect_databricks_runs.cli import app
from prefect_databricks_runs.demo.servers import PrefectServer


def in_this_process(server: PrefectServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call a command as a process of its own would, and return what that would.

    It runs in a thread with an empty context, so that it knows nothing of a flow run around the call.

    Args:
        server: The Prefect server that it asks.
        *arguments: The command and its options, such as `orphans`, `--json`.

    Raises:
        Exception: The command raised something other than its exit code. As an exit code that would be 1, which the
            commands use for what they have found.
    """

    def call() -> Result:
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            return CliRunner().invoke(app, list(arguments))

    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(Context().run, call).result()
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, result.stderr)
