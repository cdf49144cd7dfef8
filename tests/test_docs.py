"""The README and the pages of docs/: their examples run, and what they list is complete and true."""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from markdown_it import MarkdownIt
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

import prefect_databricks_runs
from prefect_databricks_runs import DatabricksCredentials, DatabricksError, Run, errors
from prefect_databricks_runs._prefect.compat import PREFECT_3, SecretStr, fields_of
from prefect_databricks_runs._report import final_state
from prefect_databricks_runs.auth.sign_in import WAYS
from prefect_databricks_runs.cli import app
from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.flows import run_now_and_wait, submit_run_and_wait
from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.options import WaitForRunsOptions, WaitOptions
from tests.support.answers import HOST, run, state
from tests.test_runs import STATES

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]

# What the pages name as being there: in the workspace that the saved block `prod` signs in to.
NOTEBOOKS = {
    "nightly": 'dbutils.notebook.exit("42 rows")',
    "hello": 'dbutils.notebook.exit("hello")',
    "broken": 'raise ValueError("no rows today")',
    "sleep": "import time\ntime.sleep(60)",
}
FILES = {"count.py": "import sys\n\nprint(len(sys.argv))\n"}
JOB = {"name": "nightly", "tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/Shared/nightly"}}]}

# What a reader types beside our own command.
SHELL = ("prefect ", "pip install ", "python3 -m venv ", ". .venv/bin/activate", "mkdir -p ")
TASK_RESULTS = {"EXCLUDED", "DISABLED", "UPSTREAM_FAILED", "UPSTREAM_CANCELED"}
INVENTED = {"DEFROSTING", "EVICTED"}


@dataclass(frozen=True)
class Fence:
    """A fenced block of a page: what it is, what is in it, and the line it begins on, from 1."""

    language: str
    title: str
    text: str
    line: int


def fences(page: Path) -> list[Fence]:
    found = []
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        if token.type == "fence":
            language, _, options = token.info.partition(" ")
            title = re.search(r'title="([^"]*)"', options)
            found.append(Fence(language, title[1] if title else "", token.content, token.map[0] + 2))
    return found


def named(pages: list[Path]) -> Any:
    return pytest.mark.parametrize("page", pages, ids=[page.name for page in pages])


@pytest.fixture
def prod(
    prefect_server: PrefectServer, workspace: LocalWorkspace, databricks: DatabricksCredentials, monkeypatch
) -> Iterator[LocalWorkspace]:
    """The workspace of the examples: its files, its job, and the blocks that know it."""
    shared = workspace.root / "Shared"
    shared.mkdir()
    for name, source in NOTEBOOKS.items():
        (shared / f"{name}.py").write_text(f"# Databricks notebook source\n{source}\n")
    for name, source in FILES.items():
        (shared / name).write_text(source)
    with databricks.get_client() as client:
        client.post("/api/2.2/jobs/create", json=JOB).raise_for_status()
    databricks.save("prod", overwrite=True)
    OtherCredentials(databricks_instance=workspace.url, token=workspace.token).save("my-old-block", overwrite=True)
    secret = json.dumps({"host": workspace.url, "token": workspace.token})
    monkeypatch.setenv("DATABRICKS_CONNECTION_STRING", secret)
    monkeypatch.setenv("DATABRICKS_HOST", workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", workspace.token)
    return workspace


class OtherCredentials(Block):
    """A block of the package prefect-databricks, as far as it matters."""

    _block_type_name = "Databricks Credentials"
    _block_type_slug = "databricks-credentials"

    databricks_instance: str
    token: SecretStr


@named([page for page in PAGES if any(fence.language == "python" for fence in fences(page))])
def test_every_example_runs(page: Path, prod: LocalWorkspace) -> None:
    reader = Reader(page, prod)
    for fence in fences(page):
        reader.do(fence)


class Reader:
    """Does what a page says, from top to bottom, with one namespace for all of its Python."""

    def __init__(self, page: Path, workspace: LocalWorkspace) -> None:
        self.page, self.workspace = page, workspace
        self.names: dict[str, Any] = {"__name__": page.stem.replace("-", "_").lower()}
        self.printed = ""
        self.worker: list[str] = []

    def do(self, fence: Fence) -> None:
        if fence.language == "python" and fence.title.startswith("workspace/"):
            (self.workspace.root / fence.title.removeprefix("workspace/")).write_text(fence.text)
        elif fence.language == "python" and (PREFECT_3 or fence.title != "Prefect 3"):
            self.run(fence)
        elif fence.language == "text" and fence.title == "output":
            assert self.printed.strip() == fence.text.strip(), f"{self.page.name}, line {fence.line}"
        elif fence.language == "json":
            asked = [each for each in self.workspace.requests if each.path.endswith(("/submit", "/run-now"))]
            assert json.loads(fence.text).items() <= without_marker(asked[-1].body).items()
        elif fence.language == "bash":
            for line in fence.text.splitlines():
                self.type(line)
        elif fence.language != "python":
            assert fence.language == "text", f"{self.page.name}, line {fence.line}: nothing checks {fence.language!r}"

    def run(self, fence: Fence) -> None:
        text = fence.text.replace("http://127.0.0.1:8765", self.workspace.url)
        text = text.replace("dapi-local", self.workspace.token)
        # As if the page were the program: tracebacks, and Prefect's look at a flow's source, find its lines.
        code = compile("\n" * (fence.line - 1) + text, str(self.page), "exec", dont_inherit=True)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, self.names)
        self.printed = printed.getvalue()

    def type(self, line: str) -> None:
        """Do what can be done without a second terminal; the worker takes one flow run and ends."""
        command = shlex.split(line)
        if command[:3] == ["prefect", "work-pool", "create"]:
            prefect(*command[1:])
        elif command[:3] == ["prefect", "worker", "start"]:
            self.worker = command[1:]
        elif command[:3] == ["prefect", "deployment", "run"]:
            answer = prefect(*command[1:])
            log = prefect(*self.worker, "--run-once")
            flow_run_id = re.search(r"UUID: ([0-9a-f-]{36})", answer)[1]
            with get_client(sync_client=True) as client:
                assert client.read_flow_run(flow_run_id).state.name == "Success", log


def without_marker(body: dict[str, Any]) -> dict[str, Any]:
    """A request without what `submit_run` adds to say who asked for the run."""
    tasks = [dict(task) for task in body.get("tasks", ())]
    for task in tasks:
        if str(task.get("description")).startswith("Prefect flow run "):
            del task["description"]
    return {**body, "tasks": tasks} if tasks else body


def prefect(*arguments: str) -> str:
    """Prefect's own command line; what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", "from prefect.cli import app; app()", *arguments],
        env={**os.environ, "PREFECT_API_URL": PREFECT_API_URL.value()},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@named(PAGES)
def test_every_command_is_one_that_there_is(page: Path) -> None:
    commands = {fence.text.strip() for fence in readme_commands().values()}
    for fence in fences(page):
        for line in fence.text.splitlines() if fence.language == "bash" else ():
            name, *arguments = shlex.split(line)
            if name == "prefect-databricks-runs":
                check_own_command(arguments)
            else:
                assert line in commands or line.startswith(SHELL), f"{page.name}, line {fence.line}: {line}"


def own_commands() -> dict[str, set[str]]:
    """The options of each of our commands, by its name; the empty name has those of all."""
    group = typer.main.get_command(app)
    commands = {"": group, **group.commands}
    return {
        name: {option for each in command.params for option in each.opts if option.startswith("--")}
        for name, command in commands.items()
    }


def check_own_command(arguments: list[str]) -> None:
    name = "" if arguments[0].startswith("--") else arguments[0]
    assert name in own_commands()
    assert {each for each in arguments if each.startswith("--")} <= own_commands()[name]


def test_the_commands_of_the_readme_in_running_text_are_ones_that_there_are() -> None:
    for page in PAGES:
        for words in re.findall(r"`prefect-databricks-runs ([^`]*)`", page.read_text("utf-8")):
            check_own_command(words.split())


def readme_commands() -> dict[str, Fence]:
    """The two commands that CI takes out of the README, by the comment on the line before."""
    lines = README.read_text("utf-8").splitlines()
    return {lines[fence.line - 3]: fence for fence in fences(README) if lines[fence.line - 3].startswith("<!-- the ")}


@pytest.mark.parametrize("name", ["demo", "test"])
def test_each_command_of_the_readme_is_one_line_that_makes_its_own_environment(name: str) -> None:
    fence = readme_commands()[f"<!-- the {name} command -->"]
    assert fence.language == "bash"
    assert fence.text.count("\n") == 1
    assert fence.text.startswith("python3 -m venv .venv")


def test_every_option_of_our_command_is_in_the_documentation() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    for name, options in own_commands().items():
        assert all(f"`{option}`" in text or f"{name} {option}`" in text for option in options - {"--help"})


def test_every_command_and_option_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    for name in own_commands():
        assert f"`prefect-databricks-runs {name}".rstrip() in text
    for option in own_commands()["orphans"] - {"--help"}:
        assert f"`prefect-databricks-runs orphans {option}`" in text


def test_every_public_name_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference.md").read_text("utf-8")
    shown = set(re.findall(r"^::: prefect_databricks_runs\.(\w+)$", text, re.MULTILINE))
    assert "errors" in shown
    missing = set(prefect_databricks_runs.__all__) - shown - set(vars(errors))
    assert missing == {"__version__"}
    assert "`prefect_databricks_runs.__version__`" in text


def test_every_error_is_explained() -> None:
    text = "".join((ROOT / "docs" / name).read_text("utf-8") for name in ("waiting.md", "credentials.md"))
    public = {name: getattr(prefect_databricks_runs, name) for name in prefect_databricks_runs.__all__}
    for name, value in public.items():
        if isinstance(value, type) and issubclass(value, DatabricksError):
            assert f"`{name}`" in text


def test_every_field_of_the_block_is_explained() -> None:
    text = (ROOT / "docs" / "credentials.md").read_text("utf-8")
    fields = DatabricksCredentials.model_fields if PREFECT_3 else DatabricksCredentials.__fields__
    assert {"host", "sign_in"} <= set(fields)
    assert all(f"| `{name}` |" in text for name in fields)
    for way in WAYS:
        (row,) = [line for line in text.splitlines() if line.endswith(f" | `{way.__name__}` |")]
        assert all(f"`{name}`" in row for name in fields_of(way))


@pytest.mark.parametrize(("page", "options"), [("waiting", WaitOptions), ("many-runs", WaitForRunsOptions)])
def test_every_way_to_wait_is_explained(page: str, options: Any) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    assert all(f"`{name}`" in text for name in options.__optional_keys__)


@pytest.mark.parametrize(("flow", "heading"), [(submit_run_and_wait, "SubmitRun"), (run_now_and_wait, "RunNow")])
def test_parameters_of_prefect_1_have_their_place(flow, heading: str) -> None:
    rows = table(ROOT / "docs" / "from-prefect-1.md", f"### Databricks{heading}")
    known = inspect.signature(flow.fn).parameters
    for old, new in rows:
        if old == new:
            assert old.strip("`") in known
    assert {old.strip("`") for old, _ in rows} >= {"databricks_conn_secret", "json", "databricks_retry_delay"}


def table(page: Path, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, as lists of cells."""
    text = page.read_text("utf-8").split(f"\n{heading}\n")[1]
    lines = text[text.index("\n|") :].strip().split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:] if line.startswith("|")]


STATE_ROWS = table(README, "## What each Databricks state becomes")


@pytest.mark.parametrize("row", STATE_ROWS, ids=[" ".join(row[:2]) for row in STATE_ROWS])
def test_a_state_becomes_what_the_readme_says(row: list[str]) -> None:
    life_cycle, results, name, kinds, given = ([*re.findall(r"`(\w+)`", cell)] or [cell] for cell in row)
    for result in [each for each in results if each.isupper()] or [None]:
        got = Run.from_api({**run(life_cycle[0], result), "state": state(life_cycle[0], result)}, HOST)
        assert got.state.name == name[0]
        if not got.state.is_terminal:
            assert (kinds, given) == (["Running"], [""])
            continue
        end = final_state(got, fail_on_task_failures=False)
        assert (end.name, end.type.value.lower()) == (name[0], row[3].lower())
        assert type(end.data).__name__ == given[0]


def test_no_known_state_is_missing_in_the_readme() -> None:
    rows = {(row[0].strip("`"), result) for row in STATE_ROWS for result in re.findall(r"`(\w+)`|none", row[1]) or [""]}
    for life_cycle, result, _, name, _ in STATES:
        if result in TASK_RESULTS:
            assert f"`{result}`" in README.read_text("utf-8")
            assert f"`{name}`" in README.read_text("utf-8")
        elif {life_cycle, result}.isdisjoint(INVENTED) and (life_cycle, result) != ("TERMINATED", None):
            assert (life_cycle, result or "") in rows


def test_every_test_that_the_docs_name_is_one_that_there_is() -> None:
    text = (ROOT / "docs" / "what-happens-when.md").read_text("utf-8")
    named_tests = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named_tests) > 10
    for file, test in named_tests:
        assert (f"def {test}(" if test else "") in (ROOT / file).read_text("utf-8"), (file, test)


@named(PAGES)
def test_links_between_the_files_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        assert (page.parent / target).exists()
