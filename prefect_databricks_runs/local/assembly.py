"""The pieces of a workspace, put together."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from .addresses import OriginForm
from .answers import Answers
from .app import App
from .clock import Clock
from .engine import Engine
from .fault_endpoints import FaultEndpoints
from .faults import Faults
from .file_endpoints import FileEndpoints
from .job_endpoints import JobEndpoints
from .oauth_pages import OAuthPages
from .oauth_tokens import OAuthTokens
from .platform_endpoints import PlatformEndpoints
from .records import RunRecord, TaskRecord
from .references import References
from .request_log import RequestLog
from .run_endpoints import RunEndpoints
from .sign_in import SignIn
from .simulation import Simulation
from .states import State
from .store import Store
from .users import Users
from .waits import Waits
from .works import Works
from .workshop import Workshop


@dataclass(frozen=True, repr=False)  # it holds secrets
class Parts:
    """What a workspace has before it serves.

    Attributes:
        store: its jobs and runs.
        clock: its time.
        simulation: which tasks are played.
        users: who may sign in with a token.
        oauth_tokens: the OAuth tokens that it issues.
        login: the login of basic sign-in; None when that is off.
        password: its password.
        root: the folder that plays its files.
        hidden: texts that no child process may find in its environment.
        concurrency: how many tasks run at once in child processes.
        failed_state: the state of a run of which a task failed.
        log: what clients asked.
        faults: what goes wrong.
        waits: requests that wait.
    """

    store: Store
    clock: Clock
    simulation: Simulation
    users: Users
    oauth_tokens: OAuthTokens
    login: str | None
    password: str | None
    root: Path
    hidden: Collection[str]
    concurrency: int
    failed_state: State
    log: RequestLog
    faults: Faults
    waits: Waits


class Assembly:
    """A workspace that can answer. Made in the server's event loop.

    Args:
        parts: what it is made of.
        url: its address.

    Attributes:
        engine: what runs its runs.
        answers: what makes the JSON of runs.
        endpoints: what it serves under `/api/2.x/`, by method and path.
        app: the ASGI application.
    """

    def __init__(self, parts: Parts, url: str) -> None:
        workspace_id = parts.store.new_id()

        def references(run: RunRecord, task: TaskRecord) -> References:
            return References(run, task, url, workspace_id)

        works = Works(parts.simulation, Workshop(parts.root, parts.hidden, parts.concurrency), references)
        self.engine = Engine(parts.store, parts.clock, works, parts.failed_state)
        self.answers = Answers(url, workspace_id)
        self.endpoints = {
            **JobEndpoints(parts.store, self.engine.job_changed).served,
            **RunEndpoints(parts.store, self.engine, self.answers).served,
            **PlatformEndpoints(parts.users).served,
            **FileEndpoints(parts.root).served,
        }
        sign_in = SignIn(parts.users, parts.oauth_tokens, parts.login, parts.password)
        pages = {
            **OAuthPages(parts.oauth_tokens, workspace_id, str(uuid.uuid4()), url).served,
            **FaultEndpoints(parts.faults, sign_in.check).served,
        }
        self.app: ASGIApp = OriginForm(
            App(
                self.endpoints,
                pages,
                sign_in=sign_in,
                log=parts.log,
                faults=parts.faults,
                waits=parts.waits,
                workspace_id=workspace_id,
            )
        )
