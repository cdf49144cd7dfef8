"""The local workspace with the oldest and the newest uvicorn that we allow: what it does with uvicorn's connections."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.lines import ON_PREFECT_3

ROOT = Path(__file__).parent.parent.parent
ALLOWED = re.search(r'"(uvicorn>=([\d.]+),<\d+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
# Connections that are reset, closed half way, held up and secured; servers that start, stop, and stop in the middle.
TESTS = ["tests/local/test_faults.py", "tests/local/test_tls.py", "tests/local/test_workspace.py"]


def done(*arguments: str, path: Path | None = None) -> str:
    """Python with these arguments, and `path` before all that is installed; what it printed."""
    settings = {} if path is None else {"PYTHONPATH": os.pathsep.join([str(path), str(ROOT)])}
    process = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )
    assert process.returncode == 0, process.stdout
    return process.stdout


@pytest.mark.timeout(600)
@ON_PREFECT_3
@pytest.mark.long
@pytest.mark.parametrize("release", [f"uvicorn=={ALLOWED[2]}", ALLOWED[1]], ids=["oldest", "newest"])
def test_faults_tls_and_stops_are_the_same_with_each_uvicorn_that_we_allow(release: str, tmp_path: Path) -> None:
    done("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), release)
    assert done("-c", "import uvicorn; print(uvicorn.__file__)", path=tmp_path).startswith(str(tmp_path))
    assert " passed" in done("-m", "pytest", "-q", "-n", "0", *TESTS, path=tmp_path)
