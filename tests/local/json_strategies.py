"""What hypothesis makes up for requests: JSON of any kind, and bodies that nearly fit an endpoint."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from prefect_databricks_runs.local.bodies import bodies
from prefect_databricks_runs.local.bodies.schema import (
    BOOLEAN,
    FLOAT,
    INT32,
    INTEGER,
    STRING,
    Choice,
    Kind,
    ListOf,
    MapOf,
    Object,
)
from prefect_databricks_runs.local.bodies.shapes import shape, values
from tests.local.valid_tasks import VALID_TASKS

# Stands for lists in lists in a JSON text: Python's own `json` could not write as many.
DEEP = "<deep>"
DEPTHS = (50, 150, 900, 100_000)

KINDS: dict[str, Object] = {
    # With the fields of the other one, which are passed over.
    "POST jobs/create": Object({**bodies.SUBMIT.fields, **bodies.CREATE.fields}),
    "POST jobs/reset": Object({**bodies.RESET.fields, "new_settings": bodies.CREATE}, required=("job_id",)),
    "POST jobs/update": Object({**bodies.UPDATE.fields, "new_settings": bodies.CREATE}, required=("job_id",)),
    "POST jobs/delete": bodies.DELETE_JOB,
    "GET jobs/get": bodies.GET_JOB,
    "GET jobs/list": bodies.LIST_JOBS,
    "POST jobs/run-now": bodies.RUN_NOW,
    "POST jobs/runs/submit": Object({**bodies.CREATE.fields, **bodies.SUBMIT.fields}),
    "POST jobs/runs/repair": bodies.REPAIR,
    "POST jobs/runs/cancel-all": bodies.CANCEL_ALL,
    "GET jobs/runs/list": bodies.LIST_RUNS,
    "GET jobs/runs/get": bodies.GET_RUN,
    "GET jobs/runs/export": bodies.EXPORT,
    "GET jobs/runs/get-output": bodies.RUN_ID,
    "POST jobs/runs/cancel": bodies.RUN_ID,
    "POST jobs/runs/delete": bodies.RUN_ID,
}

odd_texts = st.sampled_from(
    [
        "",
        "\0",
        "\ud800",
        "a\udfff/",
        "True",
        "9" * 5000,
        "1e999",
        "1e9999",
        "-1",
        "²",
        "next_1",
        "previous_0",
        "100",
        DEEP,
    ]
)
odd_numbers = st.sampled_from([0, -1, 2**31, 2**53, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0, 0.5])
texts = st.sampled_from(["a", "b", "/n", "tasks/a", "{{job.id}}", "+a"]) | st.text(max_size=4) | odd_texts
scalars = (
    st.none() | st.booleans() | st.integers() | odd_numbers | st.floats(allow_nan=False, allow_infinity=False) | texts
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def like(draw: st.DrawFn, kind: Kind, job_id: int, run_id: int) -> Any:
    """Returns what mostly fits `kind`: now and then, at any depth, it is something else."""
    if draw(st.integers(0, 19)) == 0:
        return draw(json_values)

    def inner(part: Kind) -> Any:
        return draw(like(part, job_id, run_id))

    if isinstance(kind, Object):
        start = _valid_start(draw) if kind in (shape("Task"), shape("SubmitTask")) else {}
        names = [name for name in _names(draw, kind) if name not in start]
        return start | {name: _known_id(draw, name, job_id, run_id) or inner(kind.fields[name]) for name in names}
    if isinstance(kind, ListOf):
        return [inner(kind.item) for _ in range(draw(st.integers(0, 3)))]
    if isinstance(kind, MapOf):
        return {key: inner(kind.value) for key in draw(st.lists(texts, max_size=3))}
    if isinstance(kind, Choice):
        return draw(st.sampled_from(kind.words))
    return draw(_SCALARS[kind.name])


_SCALARS = {
    STRING.name: texts,
    FLOAT.name: st.floats(allow_nan=False) | odd_numbers,
    BOOLEAN.name: st.booleans() | st.sampled_from(["True", "false"]),
    INTEGER.name: st.integers(-1, 200) | st.integers(1, 200).map(str) | odd_numbers,
}
assert INT32.name in _SCALARS


def _names(draw: st.DrawFn, kind: Object) -> list[str]:
    """Returns the fields that are there: mostly all that must be or that lead anywhere, and a few others."""
    wanted = dict.fromkeys([*kind.required, "job_id", "run_id", "tasks", "new_settings"])
    required = [name for name in wanted if name in kind.fields and draw(st.integers(0, 19))]
    others = draw(st.lists(st.sampled_from(sorted(kind.fields)), max_size=4)) if kind.fields else []
    return list(dict.fromkeys([*required, *others]))


def _valid_start(draw: st.DrawFn) -> dict[str, Any]:
    """Returns a valid task, now and then, to which fields are added that may be wrong."""
    task_type = draw(st.none() | st.sampled_from(sorted(VALID_TASKS)))
    task_key = draw(st.sampled_from(["a", "b", "c", "d", "e"]))
    return {"task_key": task_key, **VALID_TASKS[task_type]} if task_type else {}


def _known_id(draw: st.DrawFn, name: str, job_id: int, run_id: int) -> int | None:
    known = {"job_id": job_id, "run_id": run_id}
    return known[name] if name in known and draw(st.integers(0, 9)) else None


@st.composite
def requests(draw: st.DrawFn, endpoint: str, job_id: int, run_id: int) -> str:
    """Returns the JSON text of a request that mostly has what its endpoint takes."""
    union = Object({name: kind for known in KINDS.values() for name, kind in known.fields.items()})
    body = draw(like(KINDS.get(endpoint, union), job_id, run_id))
    depth = draw(st.sampled_from(DEPTHS))
    return json.dumps(body).replace(json.dumps(DEEP), "[" * depth + "]" * depth)


@st.composite
def valid_settings(draw: st.DrawFn) -> dict[str, Any]:
    """Returns valid settings of a job, with tasks of any type in any order that has no cycle."""
    task_types = draw(st.lists(st.sampled_from(sorted(VALID_TASKS)), min_size=1, max_size=6))
    tasks: list[dict[str, Any]] = []
    for number, task_type in enumerate(task_types):
        tasks.append({"task_key": f"t{number}", **_valid_task(draw, task_type, number), **_order(draw, tasks)})
    settings = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "name": st.text(max_size=20),
                "tags": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=25),
                "timeout_seconds": st.integers(0, 2**31 - 1),
                "max_concurrent_runs": st.integers(0, 1000),
                "parameters": st.just([{"name": "a", "default": "b"}]),
                "queue": st.fixed_dictionaries({"enabled": st.booleans()}),
                "run_as": st.just({"user_name": "u"}),
                "schedule": st.just(
                    {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"}
                ),
                "a_field_of_tomorrow": st.just({"a": [1, "b"]}),
            },
        )
    )
    return {**settings, "tasks": draw(st.permutations(tasks))}


def _valid_task(draw: st.DrawFn, task_type: str, number: int) -> dict[str, Any]:
    task = VALID_TASKS[task_type]
    if task_type == "for_each_task":
        repeated = {"task_key": f"inner{number}", "notebook_task": {"notebook_path": "/n"}}
        task = {"for_each_task": {"inputs": "[1]", "task": repeated}}
    more = st.fixed_dictionaries(
        {},
        optional={
            "run_if": st.sampled_from(values("RunIf")),
            "max_retries": st.integers(-1, 5),
            "timeout_seconds": st.integers(0, 100),
            "disabled": st.booleans(),
            "description": st.text(max_size=9),
        },
    )
    return {**task, **draw(more)}


def _order(draw: st.DrawFn, before: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns what a task depends on: some of those before it, now and then on an outcome of a condition."""
    chosen = (
        draw(st.lists(st.sampled_from(before), max_size=3, unique_by=lambda task: task["task_key"])) if before else []
    )
    depends_on = [
        {"task_key": task["task_key"]}
        | (
            {"outcome": draw(st.sampled_from(["true", "false"]))}
            if "condition_task" in task and draw(st.booleans())
            else {}
        )
        for task in chosen
    ]
    return {"depends_on": depends_on} if depends_on else {}
