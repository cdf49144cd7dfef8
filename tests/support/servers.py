"""The Prefect server of the tests: as users have it, but with a database that was made before."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import prefect

from prefect_databricks_runs.demo.servers import _SERVER_APP, PrefectServer

_DATABASE = "prefect.db"


class ReadyServer(PrefectServer):
    """A Prefect server that begins with a copy of an empty database; a context manager.

    Making the database, and what `prefect server start` does before uvicorn starts, take two thirds of the time until a
    server answers. That a server starts as users start it is tested with the demo.

    Args:
        cache: A folder that stays, for the empty database of each release of Prefect.
    """

    def __init__(self, cache: Path) -> None:
        super().__init__()
        self._empty = cache / f"prefect-{prefect.__version__}.db"

    def _start(self, arguments: list[str]) -> None:
        _make_once(self._empty)
        database = Path(self._folder.name) / _DATABASE
        if not database.exists():
            shutil.copy(self._empty, database)
        super()._start(_SERVER_APP)


def _make_once(database: Path) -> None:
    """Have the database made by the first process that needs it; the others wait for it."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with database.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if database.exists():
            return
        made = database.with_suffix(f".{os.getpid()}")
        with PrefectServer() as server:
            server._stop()
            with (
                closing(sqlite3.connect(Path(server._folder.name) / _DATABASE)) as old,
                closing(sqlite3.connect(made)) as new,
            ):
                old.backup(new)
        made.replace(database)
