"""A PostgreSQL server of a test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support.processes import wait_until


def binary(name: str) -> str:
    """Where a program of PostgreSQL is; the test is skipped where there is none."""
    found = shutil.which(name) or next((str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None)
    if not found:
        pytest.skip("There is no PostgreSQL on this machine.")
    return found


class Postgres:
    """A server with an empty database, which is reached by a socket in its folder; a context manager.

    Attributes:
        url: What Prefect is told as its database.
    """

    url: str

    def __enter__(self) -> Postgres:
        self._folder = tempfile.TemporaryDirectory(prefix="postgres-")
        # PostgreSQL does not run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._folder.name, self._user)
        data = f"{self._folder.name}/data"
        options = ["-D", data, "-U", "prefect", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run([binary("initdb"), *options], check=True, capture_output=True, user=self._user, cwd="/")
        self._process = subprocess.Popen(
            [binary("postgres"), "-D", data, "-h", "", "-k", self._folder.name, "-F"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            cwd="/",
        )
        self.url = f"postgresql+asyncpg://prefect@/postgres?host={self._folder.name}"
        ready = [binary("pg_isready"), "-h", self._folder.name]
        wait_until(lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()
