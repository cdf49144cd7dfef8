"""Who asked for a run, said in Databricks."""

from __future__ import annotations

import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL, PREFECT_UI_URL, temporary_settings

from prefect_databricks_runs._prefect.compat import PREFECT_3, flow_run_url
from prefect_databricks_runs._start.marker import with_marker

FLOW_RUNS = "runs" if PREFECT_3 else "flow-runs"


@pytest.mark.parametrize("sign_in", ["", "me:s3cret@", "me:s3cr@et@", "me@"])
def test_the_password_of_prefects_api_is_not_sent_to_databricks(sign_in, prefect_server) -> None:
    @flow
    def parent() -> str:
        with temporary_settings({PREFECT_UI_URL: f"http://{sign_in}prefect.internal:4200/ui"}):
            return with_marker({"tasks": [{"task_key": "main"}]})["tasks"][0]["description"]

    said = parent()
    assert "s3cr" not in said
    assert f" http://prefect.internal:4200/ui/{FLOW_RUNS}/flow-run/" in said


def test_a_link_that_prefect_makes_of_its_apis_url_has_no_password() -> None:
    with temporary_settings({PREFECT_API_URL: "http://me:s3cret@prefect.internal:4200/api"}):
        assert flow_run_url("7") == f"http://prefect.internal:4200/{FLOW_RUNS}/flow-run/7"
