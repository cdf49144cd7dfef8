"""The local workspace from outside: start it, ask what clients asked and what ran, stop it."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
import weakref
from pathlib import Path
from types import TracebackType
from typing import Any

from starlette.types import ASGIApp

from .answers import Answers
from .app import App
from .controls import Controls
from .engine import Engine
from .fault_endpoints import FaultEndpoints
from .job_endpoints import JobEndpoints
from .request_log import DEFAULT_MAX_REQUESTS
from .run_endpoints import RunEndpoints
from .server import ServerThread
from .sign_in import SignIn
from .store import Store
from .waits import Waits
from .workshop import Workshop

DEFAULT_CONCURRENCY = 8


class LocalWorkspace(Controls):
    """A small Databricks workspace on this machine, which really runs what it is given.

    It serves the Jobs API on 127.0.0.1 and runs notebooks and Python files in child processes, with the rights of
    whoever started it: anyone who has the token can run code here. A workspace is started once, by `with` or by
    `start()`.

    Example:
        ```python
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
        concurrency: how many tasks run at once.
        max_requests: how many requests `requests` remembers; older ones are forgotten.

    Raises:
        ValueError: only one of `login` and `password` is given, or `concurrency` or `max_requests` is below 1.

    Attributes:
        token: the token that clients need.
        login: the login of basic sign-in; None when that is off.
        password: its password; None when that is off.
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
        max_requests: int = DEFAULT_MAX_REQUESTS,
    ) -> None:
        super().__init__(max_requests)
        if bool(login) != bool(password):
            raise ValueError("Basic sign-in needs both login and password, or neither")
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, it is {concurrency}")
        self.token = token or f"dapi{secrets.token_hex(16)}"
        self.login = login or None
        self.password = password or None
        self.root = Path(tempfile.mkdtemp(prefix="databricks-workspace-") if root is None else root).absolute()
        self._remove_root = (
            weakref.finalize(self, shutil.rmtree, self.root, ignore_errors=True) if root is None else None
        )
        self._port = port
        self._concurrency = concurrency
        self._store = Store()
        self._waits = Waits()
        self._answers: Answers | None = None
        self._engine: Engine | None = None
        self._server: ServerThread | None = None

    @property
    def url(self) -> str:
        """The workspace's address, such as `http://127.0.0.1:8765`.

        Raises:
            RuntimeError: it was not started.
        """
        return f"http://127.0.0.1:{self._started().port}"

    @property
    def runs(self) -> dict[int, dict[str, Any]]:
        """The runs by their run ids, each as `runs/get` would answer it now; also after the workspace has stopped.

        Raises:
            RuntimeError: it was not started.
        """
        return self._started().call(self._all_runs)

    def start(self) -> LocalWorkspace:
        """Starts to serve and returns this workspace.

        Raises:
            RuntimeError: it was started before, or this is not Linux or macOS.
            OSError: the port is taken.
        """
        if self._server is not None:
            raise RuntimeError("A local workspace can be started only once")
        if os.name != "posix":
            raise RuntimeError("The local workspace needs Linux or macOS: it ends tasks by their process group")
        self._server = ServerThread(self._port)
        atexit.register(self.stop)
        self._server.start(self._app, self._close)
        return self

    def stop(self) -> None:
        """Stops to serve and ends all tasks; returns when no thread, child process or temporary file is left."""
        if self._server is not None:
            self._waits.end()
            self._server.stop()
        if self._remove_root:
            self._remove_root()
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
        """Puts the pieces together, in the server's event loop."""
        hidden = tuple(secret for secret in (self.token, self.password) if secret)
        self._engine = Engine(Workshop(self.root, hidden, self._concurrency))
        self._answers = Answers(self.url, self._store.new_id())
        endpoints = {
            **JobEndpoints(self._store, self._answers).served,
            **RunEndpoints(self._store, self._engine, self._answers).served,
        }
        sign_in = SignIn(self.token, self.login, self.password)
        pages = FaultEndpoints(self._faults, sign_in.check).served
        return App(endpoints, pages, sign_in=sign_in, log=self._log, faults=self._faults, waits=self._waits)

    async def _close(self) -> None:
        if self._engine:
            await self._engine.close()

    def _all_runs(self) -> dict[int, dict[str, Any]]:
        answers = self._answers
        return {run.run_id: answers.run(run) for run in self._store.runs.values()} if answers else {}
