"""Makes the environment of prefect-databricks, which this package is measured against: `.venv-peers`.

    python -m tests.benchmarks.peers

It is not among this package's own dependencies. databricks-sdk is one of the tests, and is measured in their
environment.
"""

from __future__ import annotations

import subprocess
import sys
import venv

from tests.benchmarks.workspace_process import ROOT

_FOLDER = ROOT / ".venv-peers"
PEERS_PYTHON = _FOLDER / "bin" / "python"
# With a newer fastapi, Prefect 3 up to 3.8 does not work.
_PEERS = ["prefect-databricks>=0.4,<0.5", "prefect>=3,<4", "fastapi<0.151"]


def install() -> None:
    """Make it, with the newest releases that go together."""
    venv.create(_FOLDER, with_pip=True, clear=True)
    subprocess.run([PEERS_PYTHON, "-m", "pip", "install", "--quiet", *_PEERS], check=True)


def versions() -> dict[str, str]:
    """The releases that are there; none without the environment."""
    if not PEERS_PYTHON.exists():
        return {}
    return _versions(str(PEERS_PYTHON), "prefect-databricks", "prefect", "httpx")


def our_versions() -> dict[str, str]:
    """The releases in the environment that this runs in."""
    return _versions(sys.executable, "prefect-databricks-runs", "prefect", "httpx", "databricks-sdk", "requests")


def _versions(python: str, *names: str) -> dict[str, str]:
    code = "import importlib.metadata as m, sys; print(*(m.version(each) for each in sys.argv[1:]))"
    done = subprocess.run([python, "-c", code, *names], check=True, capture_output=True, text=True)
    return dict(zip(names, done.stdout.split(), strict=True))


def main() -> None:
    """Entry point of the command."""
    install()
    print(*(f"{name} {version}" for name, version in versions().items()), sep="\n")


if __name__ == "__main__":
    main()
