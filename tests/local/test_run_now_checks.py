"""What `run-now` refuses, and which tasks `only` chooses."""

from __future__ import annotations

from typing import Any

import pytest

from prefect_databricks_runs.local.bodies.checks import only_keys
from prefect_databricks_runs.local.web.errors import ApiError
from tests.local.client import Client
from tests.local.jobs import INVALID
from tests.local.valid_tasks import VALID_TASKS, N

TASK = {"task_key": "a", "notebook_task": N}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"notebook_params": {"a": "b"}, "jar_params": ["c"]}, "notebook_params and jar_params"),
        *(
            ({"job_parameters": {"a": "b"}, name: value}, f"job_parameters and {name}")
            for name, value in {
                "notebook_params": {"a": "b"},
                "python_named_params": {"a": "b"},
                "python_params": ["c"],
                "jar_params": ["c"],
                "spark_submit_params": ["c"],
                "dbt_commands": ["dbt run"],
            }.items()
        ),
        ({"notebook_params": {"a": "b" * 10_000}}, "10000 bytes"),
        ({"jar_params": ["b" * 10_000]}, "10000 bytes"),
        ({"python_params": ["ü"]}, "python_params must contain only ASCII"),
        ({"spark_submit_params": ["a", "ü"]}, "spark_submit_params must contain only ASCII"),
        ({"only": ["z"]}, "The task z in only"),
        ({"only": ["++a"]}, "The task ++a in only"),
        ({"performance_target": "COST_OPTIMIZED"}, "duration_target"),
    ],
)
def test_run_now_parameters_that_break_a_rule_are_refused(client: Client, body: dict[str, Any], told: str) -> None:
    job_id = client.post("create", tasks=[TASK])["job_id"]
    status, code, message = client.refused("run-now", job_id=job_id, **body)
    assert (status, code) == INVALID
    assert told in message


@pytest.mark.parametrize(("length", "status"), [(10_000, 200), (10_001, 400)])
def test_the_length_of_parameters_is_that_of_their_shortest_json(client: Client, length: int, status: int) -> None:
    job_id = client.post("create", tasks=[{"task_key": "p", **VALID_TASKS["pipeline_task"]}])["job_id"]
    rest = length - len('{"notebook_params":{"a":""}}') - 2
    body = {"job_id": job_id, "notebook_params": {"a": "ü" + "b" * rest}}
    assert client.http.post("/api/2.2/jobs/run-now", json=body).status_code == status


class TestOnly:
    # a -> b -> c, and d -> c
    TASKS = (
        {"task_key": "a"},
        {"task_key": "b", "depends_on": [{"task_key": "a"}]},
        {"task_key": "c", "depends_on": [{"task_key": "b"}, {"task_key": "d"}]},
        {"task_key": "d"},
    )

    @pytest.mark.parametrize(
        ("only", "chosen"),
        [
            (["b"], "b"),
            (["+b"], "ab"),
            (["b+"], "bc"),
            (["+b+"], "abc"),
            (["+c"], "abcd"),
            (["c+"], "c"),
            (["a", "d+"], "acd"),
            ([], "abcd"),
        ],
    )
    def test_a_plus_asks_for_what_comes_before_or_after(self, only: list[str], chosen: str) -> None:
        assert only_keys(only, self.TASKS) == set(chosen)

    @pytest.mark.parametrize("only", ["x", "", "+", "a++", " a"])
    def test_a_key_that_no_task_has_is_refused(self, only: str) -> None:
        with pytest.raises(ApiError, match="is not a task of this job"):
            only_keys(["a", only], self.TASKS)
