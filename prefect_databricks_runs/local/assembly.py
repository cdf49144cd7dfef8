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
from .api.permission_endpoints import PermissionEndpoints
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
    """The pieces that a workspace has before it serves.

    Attributes:
        store: Its jobs and runs.
        clock: Its time.
        simulation: The tasks to simulate.
        accounts: The accounts that may sign in.
        root: The folder with its files.
        temporary: The folder for temporary files.
        pass_environment: Names of environment variables that tasks see in addition to the variables that Python needs.
        concurrency: The number of tasks that run at once in child processes.
        failed_state: The state of a run with a failed task.
        max_active_runs: The number of runs that may be active at once.
        log: The recorded requests.
        faults: The faults that are set.
        waits: Requests that wait.
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
    max_active_runs: int
    log: RequestLog
    faults: Faults
    waits: Waits


class Assembly:
    """A workspace that can answer. Made in the server's event loop.

    Args:
        parts: The pieces to put together.
        url: The workspace's address.

    Attributes:
        engine: Runs the runs.
        answers: Makes the JSON of runs.
        endpoints: The endpoints under `/api/2.x/`, by method and path.
        app: The ASGI application.
    """

    def __init__(self, parts: Parts, url: str) -> None:
        workspace_id = parts.store.new_id()

        def references(run: RunRecord, task: TaskRecord) -> References:
            return References(run, task, url, workspace_id)

        workshop = Workshop(
            parts.root, parts.temporary, parts.accounts.hidden, parts.pass_environment, parts.concurrency
        )
        works = Works(parts.simulation, workshop, references)
        self.engine = Engine(parts.store, parts.clock, works, parts.failed_state, parts.max_active_runs)
        self.answers = Answers(url, workspace_id)
        self.endpoints = {
            **JobEndpoints(parts.store, parts.accounts.users, self.engine.job_changed).served,
            **RunEndpoints(parts.store, parts.accounts.users, self.engine, self.answers).served,
            **PermissionEndpoints(parts.store, parts.accounts.users).served,
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
