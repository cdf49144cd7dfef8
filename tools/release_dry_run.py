"""Build a release and try it in empty environments, on every Python and Prefect that it is for; nothing is uploaded.

    pip install -e ".[release]"
    python tools/release_dry_run.py

It needs a clean working tree. A Python that does not run from PATH is skipped and named; `--python PATH` adds one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
LINES = {"Prefect 2": "prefect<3", "Prefect 3": "prefect>=3"}
ALL_NAMES = """\
import importlib.metadata, prefect_databricks_runs as package
for name in package.__all__:
    getattr(package, name)
assert package.__version__ == importlib.metadata.version("prefect-databricks-runs")
"""


class Failed(Exception):
    """A step failed; its text is what the step printed."""


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command and return what it printed.

    Raises:
        Failed: It ended with another status than 0.
    """
    done = subprocess.run(  # noqa: S603 -- commands of this script
        [str(each) for each in command],
        cwd=cwd,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def check_the_tree() -> None:
    """Check that what is built is what is committed.

    Raises:
        Failed: There are changes that are not committed.
    """
    changed = run("git", "status", "--porcelain", cwd=ROOT)
    if changed:
        raise Failed(f"Commit or remove these first:\n{changed}")


def build(folder: Path) -> tuple[Path, Path]:
    """Build the wheel and the source distribution into a folder, and check what an index would show of them."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(folder.iterdir()))
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def check_the_sources(sources: Path) -> None:
    """Check that the source distribution has what is needed to test it.

    Raises:
        Failed: A part is missing.
    """
    with tarfile.open(sources) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    missing = {"README.md", "LICENSE", "CHANGELOG.md", "tests/conftest.py", "docs/index.md"} - names
    if missing:
        raise Failed(f"{sources.name} has no {', '.join(sorted(missing))}.")


def check_the_pictures(version: str) -> None:
    """Check that the pictures of the docs show the UI of a release of Prefect 3, or of a later one.

    Args:
        version: The release; one of Prefect 2 has no pictures.

    Raises:
        Failed: The pictures are of an older minor release.
    """
    made = json.loads((ROOT / "docs" / "pictures" / "made.json").read_text("utf-8"))["prefect"]
    if [int(part) for part in made.split(".")[:2]] < [int(part) for part in version.split(".")[:2]]:
        raise Failed(f"The pictures are of Prefect {made}: run `python docs/pictures/make.py` with Prefect {version}.")


def try_wheel(wheel: Path, python: str, prefect: str, folder: Path) -> str:
    """Install the wheel in an empty environment, use all of it once, and return the version of Prefect.

    Args:
        wheel: The wheel.
        python: The interpreter.
        prefect: Which Prefect to install, such as `prefect<3`.
        folder: An empty folder.
    """
    run(python, "-m", "venv", folder / "venv")
    own = folder / "venv" / "bin" / "python"
    run(own, "-m", "pip", "install", "-q", wheel, prefect)
    outside = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT", "PYTHONPATH"))}
    env = {**outside, "PREFECT_HOME": str(folder / "home")}
    run(own, "-c", ALL_NAMES, cwd=folder, env=env)
    run(folder / "venv" / "bin" / "prefect-databricks-runs", "demo", cwd=folder, env=env)
    run(own, "-m", "pip", "install", "-q", "mypy", "pyright")
    # Not called `typing`: a program in the same folder would import it instead of Python's.
    checked = shutil.copytree(ROOT / "tests" / "typing", folder / "public_types")
    version = run(own, "-c", "import prefect; print(prefect.__version__)", cwd=folder, env=env).split()[-1]
    if version.startswith("2."):
        (checked / "prefect_3.py").unlink()
    run(own, "-m", "mypy", "--strict", checked.name, cwd=folder)
    run(own, "-m", "pyright", "--pythonpath", own, checked.name, cwd=folder)
    return version


def runs(python: str) -> bool:
    """Return whether an interpreter runs and can make an environment with pip."""
    try:
        run(python, "-c", "import ensurepip")
    except (Failed, OSError):
        return False
    return True


def pythons(added: Sequence[str]) -> list[str]:
    """Return the interpreters to try it on, and say which are missing."""
    found = []
    for version in PYTHONS:
        # pyenv has a shim on PATH for every version that it has installed, and only those that are selected run.
        on_path = [shutil.which(f"python{version}", path=folder) for folder in os.get_exec_path()]
        works = next((path for path in on_path if path and runs(path)), None)
        if works:
            found.append(works)
        else:
            why = "does not run" if any(on_path) else "is not on PATH"
            print(f"Python {version}: skipped, python{version} {why}")
    return [*found, *added]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every step and print how each ended; return 0 if all passed, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", default=[], metavar="PATH", help="another Python to try it on")
    interpreters = pythons(parser.parse_args(arguments).python)
    failed = not interpreters
    with tempfile.TemporaryDirectory() as temporary:
        try:
            check_the_tree()
            wheel, sources = build(Path(temporary, "dist"))
            check_the_sources(sources)
        except Failed as error:
            print(error)
            return 1
        print(f"{wheel.name}, {sources.name}: built, and accepted by twine check")
        for python, (line, prefect) in itertools.product(interpreters, LINES.items()):
            began, folder = time.monotonic(), Path(temporary, f"{Path(python).name}-{line}")
            folder.mkdir()
            try:
                version = try_wheel(wheel, python, prefect, folder)
                check_the_pictures(version)
                ended = f"passed with Prefect {version}"
            except Failed as error:
                ended, failed = f"FAILED: {error}", True
            print(f"{python}, {line}: {ended}, {time.monotonic() - began:.0f} s", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
