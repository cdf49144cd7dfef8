"""The dry run of a release takes the Pythons that run, and no others."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "release_dry_run.py"
# pyenv has such a file for each version that it has installed; it runs those that are selected.
SHIM = '#!/bin/sh\necho "pyenv: python: command not found" >&2\nexit 127\n'


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two folders, which are all that is on PATH."""
    folders = [tmp_path / "shims", tmp_path / "bin"]
    for folder in folders:
        folder.mkdir()
    monkeypatch.setenv("PATH", ":".join(map(str, folders)))
    return folders


def program(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def pythons(*added: str) -> list[str]:
    return runpy.run_path(str(SCRIPT))["pythons"](added)


def test_a_python_that_does_not_run_is_left_out_and_named(on_path, capfd) -> None:
    shims, folder = on_path
    runs = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    program(shims / "python3.10", SHIM)
    program(shims / "python3.11", SHIM)
    behind_a_shim = program(folder / "python3.11", runs)
    first = program(shims / "python3.12", runs)
    program(folder / "python3.12", runs)
    assert pythons("/opt/python") == [behind_a_shim, first, "/opt/python"]
    assert capfd.readouterr().out.splitlines() == [
        "Python 3.10: skipped, python3.10 does not run",
        "Python 3.13: skipped, python3.13 is not on PATH",
    ]


def test_a_file_that_is_not_a_program_is_left_out(on_path, capfd) -> None:
    program(on_path[0] / "python3.10", "#!/no/interpreter\n")
    assert pythons() == []
    assert "Python 3.10: skipped, python3.10 does not run" in capfd.readouterr().out
