"""The pieces of a workspace, put together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from .accounts.accounts import Accounts
from .accounts.grants import Grants
from .accounts.oauth_pages import OAuthPages
from .accounts.sign_in import SignIn
from .api.answers import Answers
from .api.file_endpoints import FileEndpoints
from .api.job_endpoints import JobEndpoints
from .api.platform_endpoints import PlatformEndpoints
from .api.run_endpoints import RunEndpoints
from .app import App
from .clock import Clock
from .faults.fault_endpoints import FaultEndpoints
from .faults.faults import Faults
from .faults.waits import Waits
from .runs.engine import Engine
from .runs.records import RunRecord, TaskRecord
from .runs.references import References
from .runs.simulation import Simulation
from .runs.states import State
from .runs.store import Store
from .runs.works import Works
from .runs.workshop import Workshop
from .web.addresses import OriginForm
from .web.request_log import RequestLog


@dataclass(frozen=True, repr=False)  # it holds secrets
class Parts:
    """What a workspace has before it serves.

    Attributes:
        store: its jobs and runs.
        clock: its time.
        simulation: which tasks are played.
        accounts: who may sign in.
        root: the folder that plays its files.
        temporary: the folder for temporary files.
        pass_environment: names of environment variables that tasks see besides those that Python needs.
        concurrency: how many tasks run at once in child processes.
        failed_state: the state of a run of which a task failed.
        log: what clients asked.
        faults: what goes wrong.
        waits: requests that wait.
    """

    store: Store
    clock: Clock
    simulation: Simulation
    accounts: Accounts
    root: Path
    temporary: Path
    pass_environment: Collection[str]
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

        workshop = Workshop(
            parts.root, parts.temporary, parts.accounts.hidden, parts.pass_environment, parts.concurrency
        )
        works = Works(parts.simulation, workshop, references)
        self.engine = Engine(parts.store, parts.clock, works, parts.failed_state)
        self.answers = Answers(url, workspace_id)
        self.endpoints = {
            **JobEndpoints(parts.store, self.engine.job_changed).served,
            **RunEndpoints(parts.store, self.engine, self.answers).served,
            **PlatformEndpoints(parts.accounts.users).served,
            **FileEndpoints(parts.root).served,
        }
        accounts = parts.accounts
        sign_in = SignIn(accounts)
        grants = Grants(accounts.service_principals, accounts.federation, accounts.oauth_tokens)
        pages = {
            **OAuthPages(grants, workspace_id, accounts.account_id, url).served,
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
