"""`prefect-databricks-runs deploy`: a deployment whose form has the parameters of one saved job."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.utilities.schema_tools.validation import validate

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs._deploy.command import warnings_of
from prefect_databricks_runs._deploy.form import SavedJob, form_of
from prefect_databricks_runs._deploy.schedules import cron_schedule
from prefect_databricks_runs._prefect.compat import PREFECT_3
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.support.command_line import in_this_process
from tests.support.connections import api_client

POOL = "of-deploy"
FLOW = "run-now-and-wait"


@pytest.fixture
def make_job(databricks: DatabricksCredentials) -> Callable[..., int]:
    """Makes a saved job with parameters: `make_job("nightly", day="")`."""

    def make(name: str, **parameters: str) -> int:
        body = {
            "name": name,
            "parameters": [{"name": key, "default": value} for key, value in parameters.items()],
            "tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/greet"}}],
        }
        with databricks.get_client() as client:
            return int(client.post("/api/2.2/jobs/create", json=body).raise_for_status().json()["job_id"])

    return make


@pytest.fixture
def api(prefect_server: PrefectServer) -> Iterator[httpx.Client]:
    with api_client(prefect_server.api_url) as api:
        yield api


@pytest.fixture
def deploy(prefect_server: PrefectServer, prefect_api, databricks, api) -> Iterator[Callable[..., Any]]:
    """Calls the command with a block and a pool that exist; the deployments that it makes are removed."""
    databricks.save("prod", overwrite=True)
    if api.get(f"/work_pools/{POOL}").status_code == 404:
        prefect_api.create_work_pool(POOL, "process")

    def call(job: str, *options: str) -> Any:
        given_pool = () if "--pool" in options else ("--pool", POOL)
        given_block = () if "--block" in options else ("--block", "prod")
        return in_this_process(prefect_server, "deploy", job, *given_block, *given_pool, *options)

    before = deployments(api)
    yield call
    for each in deployments(api) - before:
        api.delete(f"/deployments/{each}")


def deployments(api: httpx.Client) -> set[str]:
    """The ids of all that are there: other tests of the same server may have some too."""
    return {each["id"] for each in api.post("/deployments/filter", json={}).raise_for_status().json()}


@pytest.fixture
def deployment(api: httpx.Client) -> Callable[[str], dict[str, Any] | None]:
    """Reads a deployment of the flow; None if it does not exist."""

    def read(name: str) -> dict[str, Any] | None:
        answer = api.get(f"/deployments/name/{FLOW}/{name}")
        return None if answer.status_code == 404 else answer.raise_for_status().json()

    return read


def schedules(found: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(each["schedule"]["cron"], each["schedule"]["timezone"], each["active"]) for each in found["schedules"]]


def test_the_form_is_the_jobs_own_parameters_with_their_defaults(deploy, make_job, deployment) -> None:
    make_job("nightly", who="world", day="")
    done = deploy("Nightly", "--cron", "0 3 * * *", "--timezone", "Europe/Berlin")
    assert done.returncode == 0, done.stderr
    assert "Created the deployment 'run-now-and-wait/nightly'" in done.stderr
    assert 'schedules[0]\t\t"0 3 * * * (Europe/Berlin)"' in done.stdout

    found = deployment("nightly")
    form = found["parameter_openapi_schema"]
    shown = sorted(form["properties"], key=lambda name: form["properties"][name]["position"])
    assert shown == ["job_name", "job_parameters", "databricks_credentials"]
    fields = form["properties"]["job_parameters"]["properties"]
    assert {name: each["default"] for name, each in fields.items()} == {"who": "world", "day": ""}
    assert "databricks-runs-credentials" in str(form["definitions"])
    assert found["entrypoint"] == "prefect_databricks_runs.flows.run_now_and_wait"
    assert not found["pull_steps"]
    assert found["enforce_parameter_schema"] is PREFECT_3
    assert (found["work_pool_name"], found["parameters"]["job_name"]) == (POOL, "nightly")
    assert schedules(found) == [("0 3 * * *", "Europe/Berlin", True)]


def test_run_again_it_changes_nothing(deploy, make_job, deployment) -> None:
    make_job("nightly", who="world")
    deploy("nightly", "--cron", "0 3 * * *")
    before = deployment("nightly")
    again = deploy("nightly")
    assert (again.returncode, again.stdout) == (0, "")
    assert "is up to date" in again.stderr
    assert deployment("nightly") == before


def test_run_again_it_updates_what_changed_and_keeps_what_others_have_set(
    deploy, make_job, deployment, databricks, api
) -> None:
    job_id = make_job("nightly", who="world", day="")
    deploy("nightly", "--param", "day=today", "--cron", "0 3 * * *")
    there = deployment("nightly")
    api.patch(f"/deployments/{there['id']}", json={"tags": ["mine"], "description": "Mine."}).raise_for_status()
    schedule = there["schedules"][0]["id"]
    api.patch(f"/deployments/{there['id']}/schedules/{schedule}", json={"active": False}).raise_for_status()
    parameters = [{"name": "day", "default": ""}, {"name": "country", "default": "fr"}]
    with databricks.get_client() as client:
        body = {"job_id": job_id, "new_settings": {"parameters": parameters}}
        client.post("/api/2.2/jobs/update", json=body).raise_for_status()

    done = deploy("nightly")

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sorted(line.split("\t")[:2] for line in lines) == [["+", "form.country"], ["-", "form.who"]]
    found = deployment("nightly")
    assert found["id"] == there["id"]
    assert (found["tags"], found["description"]) == (["mine"], "Mine.")
    assert schedules(found) == [("0 3 * * *", "UTC", False)]
    assert found["parameters"]["job_parameters"] == {"day": "today"}


def test_schedules_are_replaced_or_removed_only_if_that_is_asked_for(deploy, make_job, deployment) -> None:
    make_job("nightly")
    deploy("nightly", "--cron", "0 3 * * *")
    assert '~\tschedules[0]\t"0 3 * * * (UTC)"\t"0 4 * * * (UTC)"' in deploy("nightly", "--cron", "0 4 * * *").stdout
    assert schedules(deployment("nightly")) == [("0 4 * * *", "UTC", True)]
    assert "-\tschedules[0]" in deploy("nightly", "--no-schedule").stdout
    assert deployment("nightly")["schedules"] == []


def test_a_job_is_named_by_its_id_too(deploy, make_job, deployment) -> None:
    job_id = make_job("etl/nightly", who="world")
    done = deploy(str(job_id), "--json")
    answer = json.loads(done.stdout)
    assert (answer["action"], answer["job_id"], answer["job_name"]) == ("created", job_id, "etl/nightly")
    found = deployment("etl-nightly")  # Prefect refuses a slash
    assert found["parameters"]["job_id"] == job_id
    assert found["parameter_openapi_schema"]["properties"]["job_id"]["default"] == job_id


WRONG = [
    (["missing"], "No job is named 'missing'"),
    (["twice"], "2 jobs are named 'twice'"),
    (["twice"], "Pass the id of the job instead of its name."),
    ([""], "No job is named ''"),
    (["nightly", "--pool", ""], "--pool is empty"),
    (["nightly", "--param", "who=a", "--param", "who=b"], "Set each parameter once"),
    (["7"], "Job 7 does not exist"),
    (["nightly", "--pool", "nowhere"], "The work pool 'nowhere' does not exist. There are: {pools}. Make it with"),
    (["nightly", "--block", "nobody"], "The saved block 'nobody'"),
    (["nightly", "--cron", "every day"], "--cron 'every day' is not a cron expression"),
    (["nightly", "--cron", "0 3 * * *", "--timezone", "Mars/Olympus"], "--timezone 'Mars/Olympus' is not the name of"),
    (["nightly", "--timezone", "UTC"], "A time zone needs a --cron"),
    (["nightly", "--cron", "0 3 * * *", "--no-schedule"], "Use either --cron or --no-schedule"),
    (["nightly", "--param", "dya=1"], "The job 'nightly' has no parameter 'dya'. It has: who."),
    (["nightly", "--param", "who"], "Write each as NAME=VALUE"),
    (["nightly", "--name", "a/b"], "--name 'a/b' cannot be the name of a deployment"),
    (["nightly", "--name", ""], "--name '' cannot be the name of a deployment"),
]


def test_whatever_is_wrong_is_one_clear_error_and_nothing_is_made(deploy, make_job, api) -> None:
    make_job("nightly", who="world")
    make_job("twice")
    make_job("twice")
    before = deployments(api)
    pools = ", ".join(sorted(repr(each["name"]) for each in api.post("/work_pools/filter", json={}).json()))
    assert repr(POOL) in pools
    for arguments, says in WRONG:
        done = deploy(*arguments)
        assert done.returncode == 2, arguments
        assert says.format(pools=pools) in " ".join(done.stderr.replace("│", " ").split()), (arguments, done.stderr)
        assert "Traceback" not in done.stderr
    assert deployments(api) == before


def test_a_deployment_of_another_job_is_not_taken_over_by_chance(deploy, make_job, deployment) -> None:
    make_job("etl/nightly")
    make_job("etl-nightly")
    deploy("etl/nightly")
    done = deploy("etl-nightly")
    assert done.returncode == 2
    assert "runs another job, job_name 'etl/nightly'. Use another --name." in done.stderr
    assert deployment("etl-nightly")["parameters"]["job_name"] == "etl/nightly"
    assert deploy("etl-nightly", "--name", "etl-nightly").returncode == 0
    assert deployment("etl-nightly")["parameters"]["job_name"] == "etl-nightly"


def test_two_schedules_are_warned_of() -> None:
    def warned(pause_status: str, *schedules: Any) -> bool:
        schedule = {"quartz_cron_expression": "0 0 3 * * ?", "timezone_id": "UTC", "pause_status": pause_status}
        job = SavedJob.of({"job_id": 7, "settings": {"name": "nightly", "schedule": schedule}}, by_name=True)
        return "both start the job" in str(warnings_of(job, schedules))

    ours = cron_schedule("0 3 * * *", None)
    assert warned("UNPAUSED", ours)
    assert not warned("UNPAUSED")
    assert not warned("PAUSED", ours)


def test_a_prefect_that_does_not_answer_is_one_clear_error(deploy, make_job) -> None:
    class Gone:
        api_url = "http://127.0.0.1:9/api"

    done = in_this_process(Gone(), "deploy", "nightly", "--block", "prod", "--pool", POOL)  # type: ignore[arg-type]  # only its URL is read
    assert done.returncode == 2
    assert "from the Prefect API http://127.0.0.1:9/api" in done.stderr


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@given(
    defaults=st.dictionaries(texts.filter(bool), texts, max_size=5), values=st.dictionaries(texts, texts, max_size=2)
)
def test_what_a_form_shows_is_accepted_by_its_own_schema(defaults: dict[str, str], values: dict[str, str]) -> None:
    values = {key: value for key, value in values.items() if key in defaults}
    parameters = [{"name": key, "default": value} for key, value in defaults.items()]
    job = SavedJob.of({"job_id": 7, "settings": {"name": "nightly", "parameters": parameters}}, by_name=True)
    form = form_of(job, values)
    sent = {"job_name": "nightly", **({"job_parameters": {**defaults, **values}} if defaults else {})}
    validate(sent, form, preprocess=True, ignore_required=True)
    shown = form["properties"].get("job_parameters", {}).get("properties", {})
    assert {key: each["default"] for key, each in shown.items()} == {**defaults, **values}
