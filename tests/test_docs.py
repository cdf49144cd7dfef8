"""The README and the pages of docs/: their examples run, and what they list is complete and true."""

from __future__ import annotations

import configparser
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
import yaml
from markdown_it import MarkdownIt
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

import prefect_databricks_runs
from prefect_databricks_runs import DatabricksCredentials, Run
from prefect_databricks_runs._prefect.compat import PREFECT_3, SecretStr, fields_of
from prefect_databricks_runs._report import final_state
from prefect_databricks_runs.auth.sign_in import WAYS
from prefect_databricks_runs.cli import app
from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.flows import run_now_and_wait, submit_run_and_wait
from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.options import MaySuspend, SuspendOptions, WaitForRunOptions, WaitForRunsFlowOptions
from tests.support import their_models
from tests.support.answers import HOST, run, state
from tests.support.command_line import in_this_process
from tests.support.prefect_api import PrefectApi
from tests.support.processes import PATIENCE
from tests.test_runs import STATES
from tools import reference
from tools.reference.pages import PAGES as REFERENCE
from tools.reference.pages import Reference

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
GUIDES = DOCS / "guides" / "index.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]

# Whose code the pages show and do not run: their packages are not installed here.
OTHERS = ("Airflow", "prefect-databricks")
SLACK = "https://hooks.slack.com/services/T0/B0/x"

# What a reader types beside our own command.
SHELL = (
    *("prefect ", "pip install ", "python3 -m venv ", ". .venv/bin/activate", "mkdir -p ", "cd ", "export ", "python "),
    "pytest",
    # Not run: they need an account of Databricks or of Azure, a cluster, or a browser.
    *("databricks account service-principal-federation-policy create ", "databricks auth login "),
    *("databricks account service-principals list ", "az ad sp show ", "az aks update ", "az vm identity assign "),
    *("az identity create ", "az identity federated-credential create ", "kubectl apply ", "kubectl logs "),
    "kubectl get --raw ",
)
TASK_RESULTS = {"EXCLUDED", "DISABLED", "UPSTREAM_FAILED", "UPSTREAM_CANCELED"}
INVENTED = {"DEFROSTING", "EVICTED"}


@dataclass(frozen=True)
class Fence:
    """A fenced block of a page: what it is, what is in it, and the line it begins on, from 1."""

    language: str
    title: str
    text: str
    line: int
    is_generated: bool


def fences(page: Path) -> list[Fence]:
    found, is_generated = [], False
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        if token.type == "html_block" and token.content.startswith("<!-- "):
            is_generated = token.content.startswith("<!-- reference: ")
        elif token.type == "fence":
            language, _, options = token.info.partition(" ")
            title = re.search(r'title="([^"]*)"', options)
            found.append(Fence(language, title[1] if title else "", token.content, token.map[0] + 2, is_generated))
    return found


def examples(page: Path) -> list[Fence]:
    """The blocks that are run here; `test_docstrings` runs those that come from a docstring."""
    return [fence for fence in fences(page) if not fence.is_generated]


def name_of(page: Path) -> str:
    """The page as a reader of the repository names it, such as `docs/guides/cancel.md`."""
    return page.relative_to(ROOT).as_posix()


def named(pages: list[Path]) -> Any:
    return pytest.mark.parametrize("page", pages, ids=map(name_of, pages))


@pytest.fixture
def workspace() -> Iterator[LocalWorkspace]:
    """A workspace that runs the notebooks and files of the examples, and plays what comes from Git."""
    with LocalWorkspace(script=lambda task: {} if "GIT" in str(task.settings) else None) as workspace:
        yield workspace


def in_place_of_the_tutorials(workspace: LocalWorkspace, text: str) -> str:
    """What a reader writes, for another workspace than that of the tutorial."""
    return text.replace("http://127.0.0.1:8765", workspace.url).replace("dapi-local", workspace.token)


@pytest.fixture
def prod(
    prefect_api: PrefectApi, workspace: LocalWorkspace, databricks: DatabricksCredentials, monkeypatch
) -> Iterator[LocalWorkspace]:
    """The workspace of the examples, prepared as the page of guides says, and the blocks that know it."""
    (prepare,) = [fence for fence in fences(GUIDES) if fence.title == "prepare.py"]
    monkeypatch.chdir(workspace.root.parent)
    exec(compile(in_place_of_the_tutorials(workspace, prepare.text), str(GUIDES), "exec"), {"__name__": "prepare"})
    databricks.save("prod", overwrite=True)
    OtherCredentials(databricks_instance=workspace.url, token=workspace.token).save("my-old-block", overwrite=True)
    secret = json.dumps({"host": workspace.url, "token": workspace.token})
    monkeypatch.setenv("DATABRICKS_CONNECTION_STRING", secret)
    monkeypatch.setenv("DATABRICKS_HOST", workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", workspace.token)
    their_models.install(monkeypatch)
    yield workspace
    prefect_api.delete_alerts()


class OtherCredentials(Block):
    """A block of the package prefect-databricks, as far as it matters."""

    _block_type_name = "Databricks Credentials"
    _block_type_slug = "databricks-credentials"

    databricks_instance: str
    token: SecretStr


MARKS = {
    # They start Prefect's command line several times, and a worker.
    "docs/guides/deploy-a-job.md": pytest.mark.long,
    "docs/tutorial.md": pytest.mark.long,
    "docs/guides/record-assets.md": pytest.mark.skipif(not PREFECT_3, reason="Prefect 2 has no assets."),
}
# `tests/auth/test_guides.py` does what these say, with the parties that issue the tokens.
GUIDES_ELSEWHERE = {
    f"docs/guides/sign-in-{way}.md" for way in ("token", "service-principal", "azure", "federation", "environment")
}
WITH_EXAMPLES = [
    page
    for page in PAGES
    if name_of(page) not in GUIDES_ELSEWHERE and any(fence.language == "python" for fence in examples(page))
]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # of Apprise, by which Prefect notifies
@pytest.mark.timeout(600)  # each process that imports Prefect may need a minute on a machine with other work
@pytest.mark.parametrize(
    "page", [pytest.param(page, id=name_of(page), marks=MARKS.get(name_of(page), ())) for page in WITH_EXAMPLES]
)
def test_every_example_runs(page: Path, prod: LocalWorkspace, prefect_server: PrefectServer, monkeypatch) -> None:
    reader = Reader(page, prod, prefect_server)
    monkeypatch.chdir(reader.folder)
    monkeypatch.syspath_prepend(reader.folder)
    for fence in examples(page):
        reader.do(fence)
    reader.work()


class Reader:
    """Does what a page says, from top to bottom, with one namespace for all of its Python."""

    def __init__(self, page: Path, workspace: LocalWorkspace, server: PrefectServer) -> None:
        self.page, self.workspace, self.server = page, workspace, server
        self.names: dict[str, Any] = {}
        self.printed = ""
        self.worker: list[str] = []
        self.flow_runs: dict[str, str] = {}  # those that wait for the worker, and the messages of those that fail
        self.folder = workspace.root.parent / "project"
        self.folder.mkdir()

    def do(self, fence: Fence) -> None:
        if fence.language == "python" and fence.title.startswith("workspace/"):
            (self.workspace.root / fence.title.removeprefix("workspace/")).write_text(fence.text)
        elif fence.title in OTHERS:
            compile(fence.text, str(self.page), "exec", dont_inherit=True)
        elif fence.language == "python":
            if not fence.title.startswith("Prefect ") or fence.title == f"Prefect {3 if PREFECT_3 else 2}":
                self.run(fence)
        elif fence.language == "text" and fence.title == "output":
            assert self.printed.strip() == fence.text.strip(), f"{name_of(self.page)}, line {fence.line}"
        elif fence.language == "text" and fence.title == "state":
            self.flow_runs[next(reversed(self.flow_runs))] = fence.text.strip()
        elif fence.language == "json":
            asked = [each for each in self.workspace.requests if each.path.endswith(("/submit", "/run-now"))]
            assert json.loads(fence.text).items() <= without_marker(asked[-1].body).items()
        elif fence.language == "yaml":
            self.configure(fence)
        elif fence.language == "bash":
            for line in fence.text.splitlines():
                self.type(line)
        elif fence.language == "ini":
            check_own_command(shlex.split(ini(fence.text)["Service"]["ExecStart"])[1:])
        else:
            place = f"{name_of(self.page)}, line {fence.line}"
            assert fence.language == "text", f"{place}: nothing checks {fence.language!r}"

    def run(self, fence: Fence) -> None:
        text = in_place_of_the_tutorials(self.workspace, fence.text)
        text = text.replace(SLACK, f"{self.workspace.url.replace('http', 'json')}/slack")  # of Apprise
        # As if the page were the program: tracebacks, and Prefect's look at a flow's source, find its lines.
        code = compile("\n" * (fence.line - 1) + text, str(self.page), "exec", dont_inherit=True)
        module = self.page.stem.replace("-", "_").lower()
        self.names["__name__"] = "__main__" if fence.title.endswith(".py") else module
        if fence.title.endswith(".py"):
            (self.folder / fence.title).write_text(text)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, self.names)
        self.printed = printed.getvalue()

    def configure(self, fence: Fence) -> None:
        """Read a file of Prefect's, and keep it for its command; a part of one, or one of Kubernetes, is only read."""
        read = yaml.safe_load(fence.text)
        if read.get("apiVersion") == "apps/v1":  # of Kubernetes
            (container,) = read["spec"]["template"]["spec"]["containers"]
            check_own_command(container["command"][1:])
        elif fence.title == "prefect.yaml":
            (self.folder / fence.title).write_text(fence.text)
        else:
            assert set(read) <= {"work_pool"}, f"{name_of(self.page)}, line {fence.line}: nothing checks this YAML"

    def type(self, line: str) -> None:
        """Do what can be done without a second terminal; a worker comes at the end."""
        command = shlex.split(line)
        if command[0] == "prefect-databricks-runs" and command[1] in ("apply", "deploy"):
            done = in_this_process(self.server, *command[1:])
            assert done.returncode == 0, done.stderr
        elif command[:3] in (["prefect", "--no-prompt", "deploy"], ["prefect", "work-pool", "create"]):
            prefect(*command[1:])
        elif command[:3] == ["prefect", "worker", "start"]:
            self.worker = command[1:]
        elif command[:3] == ["prefect", "deployment", "run"]:
            answer = prefect(*command[1:])
            self.flow_runs[re.search(r"UUID: ([0-9a-f-]{36})", answer)[1]] = ""

    def work(self) -> None:
        """Let the worker of the page run what was started, all at once."""
        log = prefect(*self.worker, "--run-once") if self.flow_runs else ""
        with get_client(sync_client=True) as client:
            for flow_run_id, failure in self.flow_runs.items():
                state = client.read_flow_run(flow_run_id).state
                assert state.name == ("Failed" if failure else "Success"), log
                assert without_ids(state.message).startswith(without_ids(failure))


def without_ids(text: str) -> str:
    """A text without the ids of runs, which differ each time."""
    return re.sub(r"\b\d{9,}\b", "ID", text)


def ini(text: str) -> configparser.ConfigParser:
    """A unit of systemd."""
    parser = configparser.ConfigParser()
    parser.read_string(text)
    return parser


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
        timeout=PATIENCE,
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
                assert line in commands or line.startswith(SHELL), f"{name_of(page)}, line {fence.line}: {line}"


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
    """The generated page is held against the commands, and not only against what generates it."""
    _, *sections = re.split(r"^## ", (DOCS / "reference" / "commands.md").read_text("utf-8"), flags=re.MULTILINE)
    shown = {section.partition("\n")[0]: set(re.findall(r"^\| `(--[\w-]+)`", section, re.M)) for section in sections}
    commands = {name: options - {"--help"} for name, options in own_commands().items() if name}
    assert shown == commands


def test_the_reference_is_as_the_source_is() -> None:
    written = Reference()
    old = [name_of(page) for page in REFERENCE if written.page(page) != page.read_text("utf-8")]
    assert old == [], reference.__doc__


def test_every_public_name_is_in_the_reference() -> None:
    shown = set(Reference().places)
    assert set(prefect_databricks_runs.__all__) - shown == {"__version__"}
    assert "`prefect_databricks_runs.__version__`" in (DOCS / "reference" / "index.md").read_text("utf-8")


def test_every_field_of_the_block_is_explained() -> None:
    text = "".join(page.read_text("utf-8") for page in sorted(DOCS.glob("guides/sign-in*.md")))
    fields = DatabricksCredentials.model_fields if PREFECT_3 else DatabricksCredentials.__fields__
    assert {"host", "sign_in"} <= set(fields)
    assert all(f"| `{name}` |" in text for name in fields)
    for way in WAYS:
        (row,) = [line for line in text.splitlines() if line.endswith(f" | `{way.__name__}` |")]
        assert all(f"`{name}`" in row for name in fields_of(way))


@pytest.mark.parametrize(
    ("page", "options"),
    [
        ("reference/tasks-and-flows", WaitForRunOptions),
        ("guides/run-many-at-once", WaitForRunsFlowOptions),
        ("guides/wait-without-a-process", SuspendOptions),
        ("guides/wait-without-a-process", MaySuspend),
    ],
)
def test_every_way_to_wait_is_explained(page: str, options: Any) -> None:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    assert all(f"`{name}`" in text for name in options.__optional_keys__)


@pytest.mark.parametrize(("flow", "heading"), [(submit_run_and_wait, "SubmitRun"), (run_now_and_wait, "RunNow")])
def test_parameters_of_prefect_1_have_their_place(flow, heading: str) -> None:
    rows = table(DOCS / "guides" / "from-prefect-1.md", f"### Databricks{heading}")
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


STATES_PAGE = DOCS / "reference" / "states.md"
STATE_ROWS = table(STATES_PAGE, "## Runs")


@pytest.mark.parametrize("row", STATE_ROWS, ids=[" ".join(row[:2]) for row in STATE_ROWS])
def test_a_state_becomes_what_the_page_of_states_says(row: list[str]) -> None:
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


def test_no_known_state_is_missing_on_the_page_of_states() -> None:
    rows = {(row[0].strip("`"), result) for row in STATE_ROWS for result in re.findall(r"`(\w+)`|none", row[1]) or [""]}
    for life_cycle, result, _, name, _ in STATES:
        if result in TASK_RESULTS:
            assert f"`{result}`" in STATES_PAGE.read_text("utf-8")
            assert f"`{name}`" in STATES_PAGE.read_text("utf-8")
        elif {life_cycle, result}.isdisjoint(INVENTED) and (life_cycle, result) != ("TERMINATED", None):
            assert (life_cycle, result or "") in rows


def test_every_test_that_the_docs_name_is_one_that_there_is() -> None:
    text = (DOCS / "explanation" / "what-happens-when.md").read_text("utf-8")
    named_tests = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named_tests) > 10
    for file, test in named_tests:
        assert (f"def {test}(" if test else "") in (ROOT / file).read_text("utf-8"), (file, test)
