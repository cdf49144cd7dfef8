"""A real Prefect server in a child process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

import httpx

_PREFECT = "from prefect.cli import app; app()"  # Prefect 2 has no `python -m prefect`
PREFECT = [sys.executable, "-W", "ignore", "-c", _PREFECT]
"""The command `prefect` of this interpreter."""
_SERVER_START = ["-c", _PREFECT, "server", "start"]
# The program that Prefect 2's `server start` runs after its check that the port was not used in the last minutes.
_SERVER_APP = ["-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
_START_SECONDS = 180.0  # on a machine with nothing else to do it takes 10
_STOP_SECONDS = 10.0
# A port is free when it is chosen, and the server takes it seconds later. In between, any other program may.
_MOST_PORTS = 3


class PrefectServer:
    """`prefect server start` on a free port, with its own database; a context manager.

    Args:
        database_url: The database; None for an SQLite database that is deleted with the server.

    Attributes:
        api_url: The value of `PREFECT_API_URL` to use it.
    """

    api_url: str

    def __init__(self, database_url: str | None = None) -> None:
        self._database_url = database_url

    def __enter__(self) -> PrefectServer:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: It ended, or did not answer in time. The message has the end of its output.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="prefect-databricks-runs-")
        try:
            self._start_at_a_free_port()
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def _start_at_a_free_port(self) -> None:
        for number in range(1, _MOST_PORTS + 1):
            self._port = _free_port()
            self.api_url = f"http://127.0.0.1:{self._port}/api"
            try:
                self._start(_SERVER_START)
                return
            except RuntimeError:
                if number == _MOST_PORTS or not _is_taken(self._port):
                    raise

    def restart(self) -> None:
        """Stop it and start it again at once, on the same port and with the same data.

        Raises:
            RuntimeError: It did not start.
        """
        self._stop()
        self._start(_SERVER_APP)

    def _start(self, arguments: list[str]) -> None:
        home = Path(self._folder.name)
        environment = {
            **{name: value for name, value in direct_environment().items() if not name.startswith("PREFECT_")},
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": self.api_url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            **({"PREFECT_API_DATABASE_CONNECTION_URL": self._database_url} if self._database_url else {}),
        }
        self._log = home / "server.log"
        command = [sys.executable, *arguments, "--host", "127.0.0.1", "--port", str(self._port)]
        with self._log.open("wb") as log:
            # In its own session: a Ctrl-C in the terminal must reach it last, not first.
            self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self._stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._folder.cleanup()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if self._get("/health").is_success and self._is_ours():
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        output = self._log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"The Prefect server did not start. Its output ends with:\n{output}")

    def _is_ours(self) -> bool:
        """Return whether this server answers, and not another process that has taken the port."""
        return Path(self._folder.name).name in self._get("/admin/settings").text  # its PREFECT_HOME

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.api_url}{path}", timeout=2, trust_env=False)

    def _stop(self) -> None:
        for each, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _STOP_SECONDS)):
            if self._process.poll() is not None:
                break
            os.killpg(self._process.pid, each)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue


def direct_environment() -> dict[str, str]:
    """Return the environment of this process, for a child that must not send requests for this machine to a proxy.

    Prefect's own client would ask the proxy for a server on 127.0.0.1.
    """
    environment = dict(os.environ)
    for name in ("NO_PROXY", "no_proxy"):  # if both are set, the lower-case one applies
        hosts = os.environ.get(name) or os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        environment[name] = ",".join(filter(None, [hosts, "127.0.0.1", "localhost"]))
    return environment


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
