"""What every test may ask for: one Prefect server for the session, and local workspaces."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent.parent))  # so that `tests.support` is found, however called

from tests.support.certificates import read_once
from tests.support.leftovers import own_folder  # before anything asks where temporary files go

_folder = own_folder()
read_once()

# Where the environment says so, every process would compile all of this again: the tests themselves take 4 s in each
# worker, and most of the processes that they start import the package.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Registered before Prefect is imported, so that it is done after Prefect has sent its last log lines at exit; it would
# try for a minute to reach a server that is gone.
_until_exit = ExitStack()
atexit.register(_until_exit.close)

os.environ["PREFECT_HOME"] = str(_folder / "home")
os.environ.pop("PREFECT_API_URL", None)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Prefect 2 warns of what it stands on, at import
    import prefect.settings
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_CSRF_SUPPORT_ENABLED, temporary_settings

    from prefect_databricks_runs import DatabricksCredentials
    from prefect_databricks_runs._prefect.compat import PREFECT_3
    from prefect_databricks_runs.demo.servers import PrefectServer
    from prefect_databricks_runs.local import LocalWorkspace
    from prefect_databricks_runs.local.web.server import ServerThread
    from tests.support.prefect_api import PrefectApi
    from tests.support.servers import ReadyServer


CACHE = Path(__file__).parents[1] / ".pytest_cache" / "prefect"


def pytest_configure(config: pytest.Config) -> None:
    """On Prefect 3 a warning is an error; what Prefect 2 stands on has moved on, and warns all the time."""
    # A shell lets its background jobs ignore Ctrl-C, and their children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # anyio is a plugin of pytest, which parses what it imports of it; Python 3.11 fails when two threads parse at once.
    anyio.run(anyio.sleep, 0)
    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")
    if not PREFECT_3:
        for kind in ("DeprecationWarning", "PendingDeprecationWarning", "UserWarning", "ResourceWarning"):
            config.addinivalue_line("filterwarnings", f"ignore::{kind}")


_ports: set[int] = set()
_serve = ServerThread.__init__


def _serve_at_a_new_port(self: ServerThread, port: int) -> None:
    """Never use the port of an earlier workspace: what is saved or kept for that one would fit this one."""
    _serve(self, port)
    taken = []
    while not port and self.port in _ports:
        taken.append(self._socket)  # held, so that another one is given
        _serve(self, port)
    for each in taken:
        each.close()
    _ports.add(self.port)


ServerThread.__init__ = _serve_at_a_new_port

# The files that take long, with the long tests and without: a worker that begins with one of them last would work on
# alone at the end. Two of the first four need no Prefect server: a fresh machine makes its database first, and the
# others wait for that. `benchmarks/test_suspended.py` is not among them, though it takes two minutes: it measures
# delays, and begins when most others are over.
LONGEST = (
    "test_docs.py",
    "local/test_any_json.py",
    "test_docstrings.py",
    "local/test_other_notebooks.py",
    "suspend/test_failures.py",
    "suspend/test_with_workers.py",
    "test_cli.py",
    "report/test_prefect_outages.py",
    "suspend/test_suspended.py",
    "leave/test_cancelled.py",
    "orphans/test_orphans.py",
    "leave/test_stopped.py",
    "browser/test_flow_run_page.py",
    "test_block.py",
    "start/test_found_again.py",
    "leave/test_in_process.py",
    "leave/test_ctrl_c.py",
    "leave/test_signals.py",
    "report/test_automations.py",
    "test_state_hooks.py",
    "benchmarks/test_prefect_calls.py",
    "test_the_suite.py",
    "test_pytest_plugin.py",
    "client/test_memory.py",
    "benchmarks/test_watching.py",
    "browser/test_texts_of_others.py",
    "browser/test_sign_in_forms.py",
    "browser/test_job_forms.py",
    "browser/test_forms.py",
    "auth/test_waits.py",
    "local/test_uvicorn.py",
    "report/test_every_state.py",
    "wait/test_many_runs.py",
    "test_package.py",
)


LONG = "PREFECT_DATABRICKS_RUNS_LONG"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, and leave out what is marked `long` where that is not asked for."""
    tests = Path(__file__).parent
    rank = {tests / file: number for number, file in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
    for item in items:
        if item.get_closest_marker("long") and LONG not in os.environ:
            item.add_marker(pytest.mark.skip(reason=f"{LONG}=1 runs it."))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Show a test and its fixtures no flow runs of earlier tests, whatever these have named their flows."""
    PrefectApi.since = datetime.now(timezone.utc)


@pytest.fixture
def anyio_backend() -> str:
    """Ours is asyncio, as is Prefect's."""
    return "asyncio"


# Each sync flow run waits for the thread that sends its heartbeats, which sleeps for a second at a time. Each client
# asks for a token against forged requests, which the server does not use unless it is told to.
_heartbeats = getattr(prefect.settings, "PREFECT_FLOWS_HEARTBEAT_FREQUENCY", None)  # none before Prefect 3
PREFECT_SETTINGS = {PREFECT_CLIENT_CSRF_SUPPORT_ENABLED: False, **({} if _heartbeats is None else {_heartbeats: None})}


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[PrefectServer]:
    """A real Prefect server, which the whole session shares and flows report to."""
    server = _until_exit.enter_context(ReadyServer(CACHE))
    with temporary_settings({PREFECT_API_URL: server.api_url, **PREFECT_SETTINGS}):
        yield server


@pytest.fixture(autouse=True)
def no_block_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Remove the credentials that a test has saved: who looks at all saved ones would meet workspaces that are gone."""
    prefect_api = request.getfixturevalue("prefect_api") if "prefect_server" in request.fixturenames else None
    yield
    if prefect_api:
        prefect_api.delete_blocks(DatabricksCredentials.get_block_type_slug())


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    """A local workspace with nothing in it."""
    with LocalWorkspace() as workspace:
        yield workspace


@pytest.fixture
def notebook(workspace: LocalWorkspace) -> Callable[[str, str], None]:
    """Writes a notebook into `workspace`: `notebook("/etl", "dbutils.notebook.exit('done')")`."""

    def write(path: str, *cells: str) -> None:
        file = workspace.root / f"{path.strip('/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("# Databricks notebook source\n" + "\n# COMMAND ----------\n".join(cells) + "\n")

    return write


@pytest.fixture
def databricks(workspace: LocalWorkspace) -> DatabricksCredentials:
    """Credentials for `workspace`, which answers faster than a test should wait for the pace of a real one."""
    return DatabricksCredentials(host=workspace.url, token=workspace.token, requests_per_second=100)


# The last one is what Prefect makes of this package's own name.
LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "prefect_databricks_runs", "prefect.prefect_databricks_runs")


class RunLog(logging.Handler):
    """Keeps what Prefect runs logged: Prefect's loggers do not propagate, so `caplog` sees nothing of them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def lines(self) -> list[str]:
        """The messages, in order."""
        return [record.getMessage() for record in self.records]

    @property
    def text(self) -> str:
        """All messages."""
        return "\n".join(self.lines)


@pytest.fixture
def run_log(prefect_server: PrefectServer) -> Iterator[RunLog]:
    """What flow and task runs log during the test."""
    handler = RunLog()
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.fixture(scope="session")
def prefect_api(prefect_server: PrefectServer) -> PrefectApi:
    """What the session's Prefect server says."""
    return PrefectApi(prefect_server)
