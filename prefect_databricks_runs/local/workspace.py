"""The local workspace from outside: start it, read its requests and runs, stop it."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from starlette.types import ASGIApp

from .account_controls import AccountControls
from .accounts.accounts import Accounts
from .assembly import Assembly, Parts
from .clock import RealClock, VirtualClock
from .controls import Controls
from .faults.waits import Waits
from .files.temporary import TemporaryFolder, remove_forgotten
from .option_checks import check_options
from .runs import states
from .runs.engine import DEFAULT_MAX_ACTIVE_RUNS
from .runs.environment import check_names
from .runs.simulation import Script, Simulation
from .runs.store import Store
from .web.certificates import Certificates
from .web.request_log import DEFAULT_MAX_REQUESTS
from .web.server import ServerThread

DEFAULT_CONCURRENCY = 8
DEFAULT_OAUTH_TOKEN_SECONDS = 3600.0


class LocalWorkspace(Controls, AccountControls):
    """Run a small Databricks workspace on this machine, which really runs notebooks and Python files.

    It serves the Jobs API on 127.0.0.1 and runs tasks in child processes with your rights, so anyone who can sign in
    can run code as you. For that reason it cannot be reached from other machines, and it refuses every request that
    does not sign in: a page in a browser cannot use it. Start a workspace once, with `with` or with `start()`.

    Example:
        ```python
        from prefect_databricks_runs.local import LocalWorkspace

        with LocalWorkspace(root="notebooks") as workspace:
            print(workspace.url, workspace.token)
        ```

    Args:
        port: The port to listen on; 0 = any free port.
        token: The personal access token that clients need; None = a random token.
        login: The login for basic sign-in, which is off unless you set both `login` and `password`.
        password: The password for basic sign-in.
        root: The folder with the workspace's files: `/a/b` is `root/a/b`. None = a temporary folder, removed on stop.
        concurrency: The number of tasks that run at once in child processes.
        script: Tasks to simulate, so that they cost nothing. A mapping from a task key (`*` for all other tasks) to a
            course, or to a list of courses, one for each attempt; or a function that takes a `TaskStart` and returns a
            course, or None for real work. A course is a `SimulatedTask`, or a dict with its fields.
        virtual_time: Whether the workspace's time passes only with `advance()`. Tasks that really run take real time.
        missing_status: The HTTP status for jobs and runs that do not exist: 400, or 404 as in newer workspaces.
        max_active_runs: The number of runs that may be active at once, not counting queued runs. A further run is
            queued if its request or its job allows it; otherwise the request is refused with status 429.
        failed_as_internal_error: Whether a run with a failed task ends in the life-cycle state `INTERNAL_ERROR`, as
            seen on serverless compute, instead of `TERMINATED`. The result state is `FAILED` in both cases.
        max_requests: The number of requests that `requests` keeps; older requests are dropped.
        client_id: The client id of a service principal for OAuth machine-to-machine, which is off unless you set both
            `client_id` and `client_secret`.
        client_secret: The secret of the service principal.
        oauth_token_seconds: The lifetime of an OAuth token, in seconds.
        oauth_token_early_seconds: The number of seconds by which an OAuth token ends before the end that it states.
            Databricks refuses tokens 30 seconds before their end.
        token_refusal: The answer to a refused token: `invalid` (`Invalid access token.`), `expiring` (`Token is
            expiring within 30 seconds. (token expired)`), or `page`, an HTML page as older workspaces send it.
        tls: Whether to serve https, with a certificate made for this workspace, instead of http.
        pass_environment: Names of environment variables that tasks see in addition to the variables that Python needs.

    Raises:
        ValueError: Only one of `login` and `password`, or of `client_id` and `client_secret`, is set; `concurrency`,
            `max_requests` or `max_active_runs` is below 1; `oauth_token_seconds` is not positive and finite;
            `oauth_token_early_seconds` is negative; `token_refusal` or `missing_status` is not one of its values;
            `pass_environment` is not a list of names; or the script is not valid.

    Attributes:
        token: The token that clients need.
        login: The login of basic sign-in; None when it is off.
        password: The password of basic sign-in; None when it is off.
        client_id: The client id of the service principal; None without one.
        client_secret: The newest secret of the service principal; None without one.
        root: The folder with the workspace's files.
    """

    def __init__(
        self,
        port: int = 0,
        token: str | None = None,
        login: str | None = None,
        password: str | None = None,
        root: str | Path | None = None,
        *,
        concurrency: int = DEFAULT_CONCURRENCY,
        script: Script | None = None,
        virtual_time: bool = False,
        missing_status: int = 400,
        failed_as_internal_error: bool = False,
        max_active_runs: int = DEFAULT_MAX_ACTIVE_RUNS,
        max_requests: int = DEFAULT_MAX_REQUESTS,
        client_id: str | None = None,
        client_secret: str | None = None,
        oauth_token_seconds: float = DEFAULT_OAUTH_TOKEN_SECONDS,
        oauth_token_early_seconds: float = 0.0,
        token_refusal: str = "invalid",  # noqa: S107 - no password
        tls: bool = False,
        pass_environment: Iterable[str] = (),
    ) -> None:
        Controls.__init__(self, max_requests)
        check_options(
            login=login,
            password=password,
            client_id=client_id,
            client_secret=client_secret,
            oauth_token_seconds=oauth_token_seconds,
            oauth_token_early_seconds=oauth_token_early_seconds,
            token_refusal=token_refusal,
            concurrency=concurrency,
            missing_status=missing_status,
            max_active_runs=max_active_runs,
        )
        simulation = Simulation(script)
        # Virtual time begins at a whole second, since tokens state their end in whole seconds.
        clock = VirtualClock(float(int(time.time()))) if virtual_time else RealClock()
        accounts = Accounts.made(
            login=login or None,
            password=password or None,
            token_refusal=token_refusal,
            oauth_token_seconds=oauth_token_seconds,
            oauth_token_early_seconds=oauth_token_early_seconds,
            now=clock.now,
        )
        AccountControls.__init__(self, accounts, token, client_id, client_secret)
        self._temporary = TemporaryFolder()
        self.root = (self._temporary.folder("workspace") if root is None else Path(root)).absolute()
        self._parts = Parts(
            store=Store(clock, missing_status),
            clock=clock,
            simulation=simulation,
            accounts=accounts,
            root=self.root,
            temporary=self._temporary.path,
            pass_environment=check_names(pass_environment),
            concurrency=concurrency,
            failed_state=states.FAILED_AS_INTERNAL_ERROR if failed_as_internal_error else states.FAILED,
            max_active_runs=max_active_runs,
            log=self._log,
            faults=self._faults,
            waits=Waits(),
        )
        self._port = port
        self._tls = tls
        self._certificates: Certificates | None = None
        self._assembly: Assembly | None = None
        self._server: ServerThread | None = None

    @property
    def url(self) -> str:
        """The workspace's address, such as `http://127.0.0.1:8765`; with TLS it begins with `https`.

        Raises:
            RuntimeError: The workspace was not started.
        """
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._started().port}"

    @property
    def ca_file(self) -> Path | None:
        """The certificate for clients to trust, with `SSL_CERT_FILE` or `verify=`; None without TLS.

        The file is made on start and removed on stop.

        Raises:
            RuntimeError: The workspace was not started.
        """
        self._started()
        return self._certificates.files.ca_file if self._certificates else None

    @property
    def runs(self) -> dict[int, dict[str, Any]]:
        """The runs by run id, each as `runs/get` answers it now. They stay readable when the workspace has stopped.

        Raises:
            RuntimeError: The workspace was not started.
        """
        return self._started().call(self._all_runs)

    def advance(self, seconds: float) -> None:
        """Advance the virtual time. Each event that falls due happens at its own time.

        Args:
            seconds: The number of seconds to pass, 0 or more.

        Raises:
            RuntimeError: The workspace's time is not virtual, or the workspace was not started.
            ValueError: `seconds` is negative.
        """
        clock = self._parts.clock
        if not isinstance(clock, VirtualClock):
            raise RuntimeError("The time of this workspace is real: use LocalWorkspace(virtual_time=True)")
        if seconds < 0:
            raise ValueError(f"Time cannot go back: {seconds} s")
        self._started().call(lambda: clock.advance(seconds))

    def start(self) -> LocalWorkspace:
        """Start the workspace and return it.

        Raises:
            RuntimeError: The workspace was started before, or this machine does not run Linux or macOS.
            OSError: The port is taken.
        """
        if self._server is not None:
            raise RuntimeError("A local workspace can be started only once")
        if os.name != "posix":
            raise RuntimeError("The local workspace needs Linux or macOS: it ends tasks by their process group")
        remove_forgotten()
        self._certificates = Certificates(self._temporary.folder("certificates")) if self._tls else None
        self._server = ServerThread(self._port)
        atexit.register(self.stop)
        self._server.start(self._app, self._close, self._certificates.files.server_file if self._certificates else None)
        return self

    def stop(self) -> None:
        """Stop the workspace and end all tasks; return when no thread, child process or temporary file is left."""
        if self._server is not None:
            self._parts.waits.end()
            self._server.stop()
        self._temporary.remove()
        atexit.unregister(self.stop)

    def __enter__(self) -> LocalWorkspace:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"LocalWorkspace({self.url if self._server else 'not started'}, root={str(self.root)!r})"

    def _started(self) -> ServerThread:
        if self._server is None:
            raise RuntimeError("The local workspace was not started: use `with LocalWorkspace() as workspace:`")
        return self._server

    def _app(self) -> ASGIApp:
        """Put the pieces together, in the server's event loop."""
        self._assembly = Assembly(self._parts, self.url)
        return self._assembly.app

    async def _close(self) -> None:
        if self._assembly:
            await self._assembly.engine.close()

    def _all_runs(self) -> dict[int, dict[str, Any]]:
        if not self._assembly:
            return {}
        answers = self._assembly.answers
        return {run.run_id: answers.whole_run(run) for run in self._parts.store.runs.values()}
