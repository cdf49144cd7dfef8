"""A PostgreSQL server of a test's own."""

from __future__ import annotations

import os
import shutil
import socket
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
    """A server on a free port with an empty database; a context manager.

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
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        self._process = subprocess.Popen(
            [binary("postgres"), "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", self._folder.name, "-F"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            cwd="/",
        )
        self.url = f"postgresql+asyncpg://prefect@127.0.0.1:{port}/postgres"
        ready = [binary("pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
        wait_until(lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()
