"""The environment that tasks see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import Client, notebook_task

SECRETS = ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PGPASSWORD", "ARM_CLIENT_SECRET", "HTTPS_PROXY", "MY_SETTING"]
NEEDED = ["PATH", "HOME", "LANG", "LC_X", "TZ", "TMPDIR", "PYTHONHASHSEED", "VIRTUAL_ENV", "JAVA_HOME", "SPARK_HOME"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, f"value of {name}")
    for name, value in {"LANG": "C", "LC_X": "C", "TZ": "UTC", "PYTHONHASHSEED": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("HOME", "TMPDIR", "VIRTUAL_ENV", "JAVA_HOME", "SPARK_HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def seen(**options: Any) -> dict[str, str]:
    with LocalWorkspace(**options) as workspace:
        client = Client(workspace)
        code = "import json, os\ndbutils.notebook.exit(json.dumps(dict(os.environ)))"
        run = client.finish(notebook_task(client.notebook(code)))
        result = client.output(run)["notebook_output"]["result"]
        client.close()
    return json.loads(result)


def test_tasks_see_what_they_need_and_no_secret_of_the_shell() -> None:
    names = seen().keys()
    assert names >= set(NEEDED)
    assert not names & set(SECRETS)


def test_tasks_see_also_what_is_named_and_there() -> None:
    variables = seen(pass_environment=["MY_SETTING", "GITHUB_TOKEN", "NOT_SET"])
    assert variables["MY_SETTING"] == "value of MY_SETTING"
    assert variables.keys() & {*SECRETS, "NOT_SET"} == {"MY_SETTING", "GITHUB_TOKEN"}


def test_the_workspaces_own_secrets_are_passed_under_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-of-the-workspace")
    monkeypatch.setenv("DATABRICKS_HOST", "named")
    variables = seen(token="dapi-of-the-workspace", pass_environment=["DATABRICKS_TOKEN", "DATABRICKS_HOST"])
    assert "DATABRICKS_TOKEN" not in variables
    assert variables["DATABRICKS_HOST"] == "named"


@pytest.mark.parametrize("names", ["GITHUB_TOKEN", [""], ["GITHUB_TOKEN=ghp-secret"], [5]])
def test_what_is_no_list_of_names_is_refused_and_not_shown(names: Any) -> None:
    with pytest.raises(ValueError, match="pass_environment must") as refused:
        LocalWorkspace(pass_environment=names)
    assert "ghp-secret" not in str(refused.value)
