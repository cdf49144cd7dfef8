"""`prefect-databricks-runs apply`: what it prints, and how it ends."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from prefect_databricks_runs._apply.printing import _line
from prefect_databricks_runs._jobs.difference import changes_of
from tests.support.command_line import in_this_process

TASK = {"task_key": "main", "notebook_task": {"notebook_path": "/Shared/nightly"}}
JOB: dict[str, Any] = {"name": "nightly", "tasks": [TASK]}
Command = Callable[..., "subprocess.CompletedProcess[str]"]

MODULE = """
from prefect_databricks_runs import Job

nightly = Job("nightly")
nightly.notebook("/Shared/nightly", key="main")
number = 3


class Jobs:
    inside = {"name": "inside", "tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/x"}}]}

    class _Fault:
        def __get__(self, *_):
            return 1 / 0

    inside_fault = _Fault()
"""


@pytest.fixture
def command(workspace, prefect_server, monkeypatch, tmp_path: Path) -> Command:
    """Calls the command in a folder of its own, with the workspace in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABRICKS_HOST", workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", workspace.token)

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return in_this_process(prefect_server, "apply", *arguments)

    return call


def write(job: Any, name: str = "job.json") -> str:
    Path(name).write_text(json.dumps(job), "utf-8")
    return name


def test_a_file_is_applied_and_applied_again(command: Command, workspace) -> None:
    first = command(write(JOB))
    assert (first.returncode, first.stdout) == (0, "")
    assert "Created Databricks job" in first.stderr
    again = command(write(JOB))
    assert (again.returncode, again.stdout) == (0, "")
    assert "is up to date" in again.stderr
    done = command(write({**JOB, "timeout_seconds": 60, "tags": {"a": "b"}}))
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["~\ttimeout_seconds\t0\t60", '+\ttags\t\t{"a": "b"}']
    assert len(workspace.requests_to("POST */jobs/create")) == 1


def test_a_dry_run_ends_with_1_where_something_differs_and_changes_nothing(command: Command, workspace) -> None:
    done = command(write(JOB), "--dry-run")
    assert (done.returncode, "A job 'nightly' would be created." in done.stderr) == (1, True)
    command(write(JOB))
    workspace.clear_requests()
    assert command(write(JOB), "--dry-run").returncode == 0
    done = command(write({**JOB, "timeout_seconds": 60}), "--dry-run")
    assert (done.returncode, done.stdout) == (1, "~\ttimeout_seconds\t0\t60\n")
    assert "would be updated: 1 setting differs" in done.stderr
    assert [each for each in workspace.requests if each.method != "GET"] == []


def test_json_has_all_of_it_for_a_program(command: Command, workspace) -> None:
    command(write(JOB))
    done = command(write({**JOB, "timeout_seconds": 60}), "--json")
    found = json.loads(done.stdout)
    assert found.pop("job_id") == int(found.pop("url").rpartition("/")[2])
    change = {"change": "changed", "path": "timeout_seconds", "before": "0", "after": "60"}
    assert found == {"action": "updated", "dry_run": False, "job_name": "nightly", "changes": [change]}


@pytest.mark.parametrize("target", ["{name}:nightly", "{name}.py:nightly", "{name}:Jobs.inside"])
def test_a_job_in_python_is_applied(target: str, command: Command, request, workspace) -> None:
    name = f"jobs_{abs(hash(request.node.name))}"
    Path(f"{name}.py").write_text(MODULE, "utf-8")
    done = command(target.format(name=name))
    assert (done.returncode, "Created Databricks job" in done.stderr) == (0, True), done.stderr


def test_a_file_of_yaml_and_what_databricks_has_exported_are_applied(command: Command) -> None:
    yaml = "name: nightly\ntasks:\n- task_key: main\n  notebook_task: {notebook_path: /Shared/nightly}\n"
    Path("job.yml").write_text(yaml, "utf-8")
    assert "Created" in command("job.yml").stderr
    assert "up to date" in command(write({"job_id": 7, "settings": JOB}, "exported.json")).stderr


def test_a_job_of_others_is_taken_over_only_with_adopt(command: Command, databricks) -> None:
    with databricks.get_client() as client:
        client.post("/api/2.2/jobs/create", json={**JOB, "description": "by hand"}).raise_for_status()
    done = command(write(JOB))
    assert (done.returncode, "--adopt" in done.stderr) == (2, True)
    done = command(write(JOB), "--adopt")
    assert (done.returncode, done.stdout) == (0, '-\tdescription\t"by hand"\t\n')


def test_the_workspace_is_that_of_the_block(command: Command, databricks, monkeypatch) -> None:
    monkeypatch.delenv("DATABRICKS_HOST")
    monkeypatch.delenv("DATABRICKS_TOKEN")
    databricks.save("prod", overwrite=True)
    assert command(write(JOB), "--block", "prod").returncode == 0
    done = command(write(JOB), "--block", "none")
    assert (done.returncode, "The saved block 'none'" in done.stderr) == (2, True)


BROKEN = """
from prefect_databricks_runs import Job

job = Job("broken")
job.notebook("/a", cluster="shared")
"""


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("bomb.yml", "bomb.yml has more than 500,000 values"),
        ("circle.yml", "circle.yml has an alias *t inside of what it stands for"),
        ("unclear.yml", "unclear.yml: tasks[0].enabled has no clear value: quote text such as `yes`"),
        ("two.yml", "two.yml has 2 documents; pass a file with one job."),
        ("nothing.yml", "nothing.yml is empty"),
        ("twice.json", "twice.json has the key 'name' twice"),
        ("twice.yml", "twice.yml has the key 'name' twice in one object, the second time in line 2"),
        ("exiting_job:job", "'exiting_job' ends the program when it is imported: sys.exit(0) ("),
        ("raising_job:job", "raising_job.py:1)"),
        ("fine_jobs:Jobs.inside_fault", "fine_jobs:Jobs.inside_fault cannot be read: ZeroDivisionError"),
        ("gone.json", "gone.json cannot be read: No such file"),
        ("text.json", "text.json is not JSON"),
        ("text.yml", "text.yml is not YAML"),
        ("bundle.yml", "bundle.yml is part of a bundle"),
        ("list.json", "is not a job: it has list instead of an object"),
        ("empty.json", "name: is missing"),
        ("nightly", "does not name a job"),
        ("no_such_module:job", "The module 'no_such_module' does not exist"),
        ("gone.py:job", "The file gone.py does not exist"),
        ("fine_jobs.py", "name the job in it too, as fine_jobs.py:job"),
        ("fine_jobs:nihgtly", "fine_jobs has no 'nihgtly'. Jobs in it: nightly."),
        ("fine_jobs:number", "fine_jobs:number is not a job: it is 3."),
        ("fine_jobs:Jobs", "is not a job"),
        ("broken_job:job", "broken_job.py:5: The job has no job cluster 'shared'"),
        ("raising_job:job", "'raising_job' cannot be imported: ZeroDivisionError: division by zero"),
        ("lacking_job:job", "'lacking_job' cannot be imported: ModuleNotFoundError: No module named 'not_installed'"),
    ],
)
def test_what_is_no_job_is_one_clear_error(target: str, says: str, command: Command, workspace) -> None:
    Path("text.json").write_text("name: nightly", "utf-8")
    write([JOB], "list.json")
    Path("text.yml").write_text("name: [", "utf-8")
    bomb = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)), "tasks: *a8"]
    Path("bomb.yml").write_text("\n".join(["name: bomb", *bomb]), "utf-8")
    Path("circle.yml").write_text("name: circle\ntasks: &t\n- task_key: a\n  more: *t", "utf-8")
    Path("unclear.yml").write_text("name: unclear\ntasks:\n- task_key: a\n  enabled: yes", "utf-8")
    Path("two.yml").write_text("name: a\n---\nname: b", "utf-8")
    Path("nothing.yml").write_text("# nothing", "utf-8")
    Path("twice.json").write_text('{"name": "a", "name": "b"}', "utf-8")
    Path("twice.yml").write_text("name: a\nname: b", "utf-8")
    Path("exiting_job.py").write_text("import sys\n\nsys.exit(0)", "utf-8")
    Path("bundle.yml").write_text("resources: {jobs: {nightly: {name: nightly}}}", "utf-8")
    write({}, "empty.json")
    Path("fine_jobs.py").write_text(MODULE, "utf-8")
    Path("broken_job.py").write_text(BROKEN, "utf-8")
    Path("raising_job.py").write_text("1 / 0", "utf-8")
    Path("lacking_job.py").write_text("import not_installed", "utf-8")
    done = command(target)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert workspace.requests == ()


def test_a_terminal_shows_it_in_colors_and_without_markup_of_others() -> None:
    wanted = {"tasks": [{"task_key": "[red]a", "notebook_task": {"notebook_path": "[bold]/x"}}], "timeout_seconds": 3}
    console = Console(force_terminal=True, color_system="standard", width=200, record=True, file=io.StringIO())
    for each in changes_of(wanted, {"timeout_seconds": 2, "tasks": []}, is_other=False):
        console.print(_line(each), soft_wrap=True)
    text = console.export_text(styles=True)
    assert "[bold]/x" in text
    assert "[red]a" in text
    assert "\x1b[1;32m+" in text
    assert "\x1b[31m2\x1b" in text
