"""Run other clients of the Jobs API, none of which we wrote, against the local workspace over HTTP.

    python tools/other_clients.py                       run all clients
    python tools/other_clients.py databricks-sdk …      run some of them
    python tools/other_clients.py --write               run all, and write the tables of the docs

Each client has a virtual environment of its own, which stays in the folder given with `--cache`. Its script in
`tools/clients` takes the steps of `tools/clients/steps.py`. It ends with 0 if no step failed, with 1 if one did, and
with 2 if a client could not be installed or did not finish.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "clients")]

from steps import ABSENT, FAILED, NOTEBOOKS, STEPS, UNTRIED, WORKS  # noqa: E402 - the path comes first

from prefect_databricks_runs.local import LocalWorkspace  # noqa: E402

PAGE = HERE.parent / "docs" / "reference" / "local-workspace.md"
BEGIN, END = "<!-- python tools/other_clients.py --write -->\n", "<!-- its end -->\n"
SECONDS = 600.0
# dbt tells a secret of Databricks from one of Azure by how it begins.
SIGN_IN = {"token": "dapi-local", "client_id": "my-app", "client_secret": "dose-my-secret"}
MARKS = {WORKS: "yes", ABSENT: "no", FAILED: "**failed**", UNTRIED: "not tried"}


@dataclass(frozen=True)
class Client:
    """A client, as it is installed and shown.

    Attributes:
        name: The name on the command line, and of the environment.
        requirements: What pip installs; the first one is the client.
        script: Its script in `tools/clients`.
        settings: What its users set to use a local workspace, as markdown.
    """

    name: str
    requirements: tuple[str, ...]
    script: str
    settings: str

    @property
    def version(self) -> str:
        """The pinned versions, of the client and of what it runs on."""
        return ", ".join(each.replace("==", " ") for each in self.requirements)


CLIENTS = [
    Client(
        "databricks-sdk",
        ("databricks-sdk==0.162.0",),
        "run_databricks_sdk.py",
        "`host` = `url`. `dbfs`, `files` and `clusters.get` are an error 501.",
    ),
    Client(
        "airflow",
        ("apache-airflow-providers-databricks==7.23.0", "apache-airflow==3.3.2"),
        "run_airflow.py",
        "A connection with `schema` = `http`, `host` = `127.0.0.1`, and the port of `url`; or with `https`,"
        " `REQUESTS_CA_BUNDLE` and `SSL_CERT_FILE` = `ca_file`. OAuth needs `LocalWorkspace(tls=True, port=443)`: the"
        " provider drops the port when it asks for a token.",
    ),
    Client(
        "dagster-databricks",
        ("dagster-databricks==0.29.27", "databricks-sdk==0.60.0"),
        "run_dagster_databricks.py",
        "`host` = `url`. `put_file` and `retrieve_logs_for_run_id` do not work: there are no DBFS and no clusters.",
    ),
    Client(
        "prefect-databricks",
        ("prefect-databricks==0.4.2", "prefect==3.9.1"),
        "run_prefect_databricks.py",
        "`LocalWorkspace(tls=True)`, `SSL_CERT_FILE` = `ca_file`, `databricks_instance` = `url` without `https://`.",
    ),
    Client(
        "databricks-cli",
        ("databricks-cli==0.18.0",),
        "run_databricks_cli.py",
        "`HTTP_PROXY` = `url`, `DATABRICKS_HOST=http://anything.local`. `runs submit --wait` fails with a `KeyError` if"
        " the run ends in `INTERNAL_ERROR` without a result.",
    ),
    Client(
        "dbt-databricks",
        ("dbt-databricks==1.12.7", "dbt-core==1.11.16"),
        "run_dbt_databricks.py",
        "In the profile, `host` = `url`. Python models alone: the SQL of a project needs a warehouse."
        " `grants` and `notebook_access_control_list` are an error 501: notebooks have no permissions.",
    ),
]


@dataclass(frozen=True)
class Result:
    """How a client got through a step; `call` is what its users call."""

    step: str
    call: str
    result: str
    note: str


class NotRunError(Exception):
    """A client could not be run, so nothing is known of it."""


def installed(client: Client, cache: Path) -> Path:
    """Return the Python of the client's environment, which is made if it is not there or has other versions."""
    folder = cache / client.name
    python, mark = folder / "bin" / "python", folder / "requirements.txt"
    wanted = "\n".join(client.requirements)
    if not mark.exists() or mark.read_text("utf-8") != wanted:
        commands = [
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", *client.requirements],
        ]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
            if done.returncode:
                raise NotRunError(f"{client.name} could not be installed:\n{done.stderr[-2000:]}")
        mark.write_text(wanted, "utf-8")
    return python


@contextlib.contextmanager
def workspaces() -> Iterator[dict[str, str]]:
    """Start a workspace on http and one on https, and yield the environment that tells a client script of them."""
    with tempfile.TemporaryDirectory(prefix="other-clients-") as folder, contextlib.ExitStack() as stack:
        shared = Path(folder) / "root" / "Shared"
        shared.mkdir(parents=True)
        for name, text in NOTEBOOKS.items():
            (shared / f"{name}.py").write_text(f"# Databricks notebook source\n{text}\n", "utf-8")
        options = {**SIGN_IN, "root": shared.parent}
        http = stack.enter_context(LocalWorkspace(**options))
        try:
            https = stack.enter_context(LocalWorkspace(tls=True, port=443, **options))
        except OSError:  # another process has the port, or we may not take it
            https = stack.enter_context(LocalWorkspace(tls=True, **options))
        home = Path(folder) / "home"
        home.mkdir()
        yield {
            "LOCAL_HTTP": http.url,
            "LOCAL_HTTPS": https.url,
            "LOCAL_CA_FILE": str(https.ca_file),
            **{f"LOCAL_{name.upper()}": value for name, value in SIGN_IN.items()},
            "LOCAL_FOLDER": folder,
            "LOCAL_RESULTS": str(Path(folder) / "results"),
            "HOME": str(home),
        }


def run(client: Client, python: Path) -> list[Result]:
    """Run the client's script against workspaces of its own, without the machine's own settings."""
    with workspaces() as environment:
        foreign = ("DATABRICKS_", "AIRFLOW", "PREFECT_", "DAGSTER_", "DBT_", "PYTHON")
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}
        kept = {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}
        log = Path(environment["LOCAL_FOLDER"]) / "log"
        with log.open("w") as file:
            command = [str(python), str(HERE / "clients" / client.script)]
            process = subprocess.Popen(  # noqa: S603 - ours
                command, stdout=file, stderr=file, env={**kept, **environment}, start_new_session=True
            )
            try:
                status = process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                status = None
            finally:  # with what it has started, such as a Prefect server
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        found = Path(environment["LOCAL_RESULTS"])
        lines = found.read_text("utf-8").splitlines() if found.exists() else []
        text = log.read_text("utf-8", "replace")
    results = [Result(**json.loads(line)) for line in lines]
    if status is None or [each.step for each in results] != list(STEPS):
        raise NotRunError(f"{client.name} did not finish (status {status}):\n{text[-3000:]}")
    if any(each.result == FAILED for each in results):
        print(text[-6000:], file=sys.stderr)
    return results


def section(ran: dict[str, list[Result]], day: datetime.date) -> str:
    """Return the clients, their steps, and the notes, in markdown."""
    clients = [client for client in CLIENTS if client.name in ran]
    lines = [f"They ran on {day}:", "", _row("client", "version", "what was called", "what to set"), _rule(4)]
    for client in clients:
        calls = dict.fromkeys(each.call for each in ran[client.name] if each.call and each.result == WORKS)
        lines.append(_row(client.name, client.version, ", ".join(f"`{call}`" for call in calls), client.settings))
    lines += ["", _row("step", *(client.name for client in clients)), _rule(len(clients) + 1)]
    notes: list[str] = []
    for step, words in STEPS.items():
        cells = []
        for client in clients:
            result = next(each for each in ran[client.name] if each.step == step)
            cells.append(MARKS[result.result])
            if result.note:
                note = f"{client.name}: {result.note}."
                if note not in notes:
                    notes.append(note)
                cells[-1] += f" ({notes.index(note) + 1})"
        lines.append(_row(words, *cells))
    lines += ["", *(f"{number}. {note}" for number, note in enumerate(notes, 1))]
    return "\n".join(lines).rstrip()


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def with_section(page: str, text: str) -> str:
    """Return the page with another section between its two marks."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page has no {BEGIN.strip()} with {END.strip()} after it.")
    return f"{head}{begin}\n{text}\n\n{end}{tail}"


def main(arguments: list[str] | None = None) -> int:
    """Run the clients that the command line names."""
    parser = argparse.ArgumentParser(description="Run other clients of the Jobs API against the local workspace.")
    names = [client.name for client in CLIENTS]
    parser.add_argument("clients", nargs="*", metavar="CLIENT", help=f"one of {', '.join(names)}; all by default")
    parser.add_argument("--cache", type=Path, help="the folder of the environments; a temporary one by default")
    parser.add_argument("--write", action="store_true", help="write the table of the docs, for which all clients run")
    options = parser.parse_args(arguments)
    if unknown := set(options.clients) - set(names):
        parser.error(f"no such client: {', '.join(sorted(unknown))}; the clients are {', '.join(names)}")
    if options.write and options.clients:
        parser.error("--write needs all clients: name none")
    ran: dict[str, list[Result]] = {}
    not_run = False
    with contextlib.ExitStack() as stack:
        cache = options.cache or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="other-clients-")))
        for client in CLIENTS:
            if options.clients and client.name not in options.clients:
                continue
            try:
                ran[client.name] = run(client, installed(client, cache.absolute()))
            except NotRunError as error:
                print(error, file=sys.stderr)
                not_run = True
                continue
            for each in ran[client.name]:
                print(
                    f"{client.name:20} {each.result:7} {STEPS[each.step]}{each.note and f': {each.note}'}", flush=True
                )
    if options.write and not not_run:
        today = datetime.datetime.now(datetime.timezone.utc).date()
        PAGE.write_text(with_section(PAGE.read_text("utf-8"), section(ran, today)), "utf-8")
    if not_run:
        return 2
    return int(any(each.result == FAILED for results in ran.values() for each in results))


if __name__ == "__main__":
    sys.exit(main())
