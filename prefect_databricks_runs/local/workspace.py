"""The local workspace from outside: start it, ask what clients asked and what ran, stop it."""

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
from .runs.environment import check_names
from .runs.simulation import Script, Simulation
from .runs.store import Store
from .web.certificates import Certificates
from .web.request_log import DEFAULT_MAX_REQUESTS
from .web.server import ServerThread

DEFAULT_CONCURRENCY = 8
DEFAULT_OAUTH_TOKEN_SECONDS = 3600.0


class LocalWorkspace(Controls, AccountControls):
    """A small Databricks workspace on this machine, which really runs what it is given.

    It serves the Jobs API on 127.0.0.1 and runs notebooks and Python files in child processes, with the rights of
    whoever started it: anyone who can sign in can run code here. That is why it cannot be reached from other machines,
    and does nothing for a request without sign-in, which is all that a page in a browser can send. A workspace is
    started once, by `with` or by `start()`.

    Example:
        ```python
        from prefect_databricks_runs.local import LocalWorkspace

        with LocalWorkspace(root="notebooks") as workspace:
            print(workspace.url, workspace.token)
        ```

    Args:
        port: the port to listen on; 0 = any free one.
        token: the personal access token that clients need; a random one when None.
        login: the login for basic sign-in, which is off unless both `login` and `password` are given.
        password: its password.
        root: the folder that plays the workspace's files: `/a/b` is `root/a/b`. When None, a temporary one that is
            removed on stop.
        concurrency: how many tasks run at once in child processes.
        script: tasks that are only played, so that they cost nothing: the course of each task by its key, with `*` for
            all others; for each attempt, where it is a list; or a function from a `TaskStart` to a course, or to None
            for real work. A course is a `SimulatedTask`, or a dict with its fields.
        virtual_time: let the time of the workspace stand still but for `advance()`. Real work goes on as it does.
        missing_status: the HTTP status for jobs and runs that are not there: 400, or 404 as newer workspaces have it.
        failed_as_internal_error: let a run of which a task failed end in the life-cycle state `INTERNAL_ERROR`, as
            seen on serverless compute, instead of `TERMINATED`; the result state is `FAILED` in both.
        max_requests: how many requests `requests` remembers; older ones are forgotten.
        client_id: the client id of a service principal, for OAuth machine-to-machine, which is off unless both
            `client_id` and `client_secret` are given.
        client_secret: its secret.
        oauth_token_seconds: how long an OAuth token is good for, s.
        oauth_token_early_seconds: how much earlier than it says an OAuth token ends, s; Databricks refuses tokens 30 s
            before their end.
        token_refusal: how a refused token is answered: `invalid` and `expiring` are two texts of the API, `Invalid
            access token.` and `Token is expiring within 30 seconds. (token expired)`; `page` is an HTML page, as older
            workspaces send it.
        tls: whether it serves https, with a certificate of its own, instead of http.
        pass_environment: names of environment variables that tasks see besides those that Python needs.

    Raises:
        ValueError: only one of `login` and `password` or of `client_id` and `client_secret` is given, `concurrency` or
            `max_requests` is below 1, `oauth_token_seconds` is not positive and finite,
            `oauth_token_early_seconds` is negative, `token_refusal` is not one of the three, `missing_status` is
            neither 400 nor 404, `pass_environment` has no names, or the script makes no sense.

    Attributes:
        token: the token that clients need.
        login: the login of basic sign-in; None when that is off.
        password: its password; None when that is off.
        client_id: the client id of the service principal; None when there is none.
        client_secret: its newest secret; None when there is none.
        root: the folder that plays the workspace's files.
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
        )
        simulation = Simulation(script)
        # From a whole second on, since tokens say in whole seconds when they end.
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
            RuntimeError: it was not started.
        """
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._started().port}"

    @property
    def ca_file(self) -> Path | None:
        """The certificate that clients are to trust, for `SSL_CERT_FILE` or `verify=`; None without TLS.

        It is made on start, and the file is removed on stop.

        Raises:
            RuntimeError: it was not started.
        """
        self._started()
        return self._certificates.files.ca_file if self._certificates else None

    @property
    def runs(self) -> dict[int, dict[str, Any]]:
        """The runs by their run ids, each as `runs/get` would answer it now; also after the workspace has stopped.

        Raises:
            RuntimeError: it was not started.
        """
        return self._started().call(self._all_runs)

    def advance(self, seconds: float) -> None:
        """Advance the virtual time: each event that falls due happens at its own time.

        Args:
            seconds: how long, 0 or more.

        Raises:
            RuntimeError: its time is not virtual, or it was not started.
            ValueError: `seconds` is negative.
        """
        clock = self._parts.clock
        if not isinstance(clock, VirtualClock):
            raise RuntimeError("The time of this workspace is real: give LocalWorkspace(virtual_time=True)")
        if seconds < 0:
            raise ValueError(f"Time cannot go back: {seconds} s")
        self._started().call(lambda: clock.advance(seconds))

    def start(self) -> LocalWorkspace:
        """Start the workspace and return it.

        Raises:
            RuntimeError: it was started before, or this is not Linux or macOS.
            OSError: the port is taken.
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
