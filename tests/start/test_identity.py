"""Idempotency tokens: what is the same submission in another attempt, and what is another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_databricks_runs import _runtime
from prefect_databricks_runs._runtime import of_process
from prefect_databricks_runs._start import identity
from prefect_databricks_runs._start.identity import (
    Caller,
    Roots,
    Step,
    Submission,
    caller,
    keep_given,
    runs_of_this_attempt,
)
from prefect_databricks_runs._start.pause_key import PauseKey

HOST = "https://adb-1.2.azuredatabricks.net"
BODY = {"tasks": [{"task_key": "main"}]}


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch) -> Iterator[None]:
    """Nothing is known of earlier submissions."""
    restart()
    yield
    restart()


def restart() -> None:
    """As if the process had been killed, and another one had taken over."""
    _runtime.forget()


def of(*steps: Step, own_task: Step | None = None, before: Iterable[int] = ()) -> Caller:
    """A caller; `own_task` is the task run of `submit_run` itself, `before` what was started before a suspension."""
    return Caller((*steps, own_task) if own_task else steps, steps, is_remote=False, before=frozenset(before))


def token(who: Caller, body: Any = BODY, endpoint: str = "runs/submit", host: str = HOST, generation: int = 0) -> str:
    return Submission(who, host, endpoint, body).token(generation)


def a_step(attempt: int = 1) -> Step:
    return Step(uuid4(), attempt)


def retried(step: Step) -> Step:
    """The same run in its next attempt."""
    return Step(step.id, step.attempt + 1)


def test_a_token_is_64_hexadecimal_characters() -> None:
    assert len(bytes.fromhex(token(of(a_step())))) == 32


def test_equal_submissions_of_one_flow_run_are_two_runs() -> None:
    flow = a_step()
    assert token(of(flow, own_task=a_step())) != token(of(flow, own_task=a_step()))
    assert token(of(flow)) != token(of(flow))


def test_other_flow_runs_hosts_endpoints_requests_and_generations_have_other_tokens() -> None:
    flow = a_step()
    tokens = [
        token(of(flow)),
        token(of(a_step())),
        token(of(flow), host="https://other"),
        token(of(flow), endpoint="run-now"),
        token(of(flow), {"tasks": []}),
    ]
    restart()
    tokens.append(token(of(flow), generation=1))
    assert len(set(tokens)) == 6


def test_the_order_of_keys_is_nothing() -> None:
    flow = a_step()
    first = token(of(flow), {"a": 1, "b": {"c": 2, "d": 3}})
    restart()
    assert token(of(flow), {"b": {"d": 3, "c": 2}, "a": 1}) == first


def test_a_retried_flow_run_finds_its_tokens_again_in_the_same_process_and_in_another() -> None:
    flow = a_step()
    first = [token(of(flow, own_task=a_step())) for _ in range(3)]
    assert [token(of(retried(flow), own_task=a_step())) for _ in range(3)] == first
    restart()
    assert [token(of(retried(retried(flow)), own_task=a_step())) for _ in range(3)] == first


def test_a_retry_of_the_submitting_task_finds_its_own_token_among_others() -> None:
    flow, tasks = a_step(), [a_step() for _ in range(3)]
    tokens = [token(of(flow, own_task=task)) for task in tasks]
    assert token(of(flow, own_task=retried(tasks[1]))) == tokens[1]
    assert token(of(flow, own_task=a_step())) not in tokens


def test_a_retried_task_that_submits_by_new_task_runs_finds_their_tokens() -> None:
    """On Prefect 3 the task runs inside a task that is retried are new ones."""
    flow, users = a_step(), a_step()
    first = [token(of(flow, users, own_task=a_step())) for _ in range(2)]
    assert [token(of(flow, retried(users), own_task=a_step())) for _ in range(2)] == first


def test_a_retried_subflow_finds_its_tokens_and_not_those_of_its_sibling() -> None:
    flow, left, right = a_step(), a_step(), a_step()
    of_left, of_right = token(of(flow, left, own_task=a_step())), token(of(flow, right, own_task=a_step()))
    assert of_left != of_right
    assert token(of(flow, retried(right), own_task=a_step())) == of_right
    assert token(of(flow, retried(left), own_task=a_step())) == of_left


def test_new_subflow_runs_of_a_retried_flow_find_the_tokens_of_those_before() -> None:
    flow = a_step()
    first = [token(of(flow, a_step(), own_task=a_step())) for _ in range(2)]
    restart()
    assert [token(of(retried(flow), a_step(), own_task=a_step())) for _ in range(2)] == first


@given(st.data())
def test_whatever_the_shape_a_retry_of_the_whole_finds_each_token_once(data: st.DataObject) -> None:
    """A tree of subflows and tasks; each of its submissions has a token of its own, and the retry has the same ones."""
    shape = data.draw(st.recursive(st.just([]), lambda inner: st.lists(inner, max_size=3), max_leaves=12))
    flow = a_step()

    def submissions(node: list[Any], *steps: Step) -> list[str]:
        found = [token(of(*steps, own_task=a_step()))]
        for inner in node:
            found += submissions(inner, *steps, a_step())
        return found

    restart()
    first = submissions(shape, flow)
    assert len(set(first)) == len(first)
    if data.draw(st.booleans()):
        restart()
    assert submissions(shape, retried(flow)) == first


def test_what_an_attempt_has_started_is_known_to_it_and_is_past_to_the_next() -> None:
    flow = a_step()
    first = Submission(of(flow), HOST, "runs/submit", BODY)
    assert first.is_of_this_attempt(7) is None
    first.keep(7)
    assert first.is_of_this_attempt(7) is True
    again = Submission(of(retried(flow)), HOST, "runs/submit", BODY)
    assert again.is_of_this_attempt(7) is False


def test_a_retry_of_the_submitting_task_alone_is_no_new_attempt() -> None:
    """It never saw its run fail, so a run that failed at once must not be started once more by it."""
    flow, task = a_step(), a_step()
    Submission(of(flow, own_task=task), HOST, "runs/submit", BODY).keep(7)
    again = Submission(of(flow, own_task=retried(task)), HOST, "runs/submit", BODY)
    assert again.is_of_this_attempt(7) is True


def test_what_an_earlier_attempt_submits_late_takes_no_place_from_this_one() -> None:
    """On Prefect 2 tasks that were submitted in an attempt go on while the next attempt begins."""
    flow = a_step()
    first = [token(of(flow, own_task=a_step())) for _ in range(2)]
    restart()
    second = [token(of(retried(flow), own_task=a_step()))]
    late = token(of(flow, own_task=a_step()))
    second.append(token(of(retried(flow), own_task=a_step())))
    assert second == first
    assert late == first[0]


def test_what_an_earlier_attempt_finds_late_stays_with_this_one() -> None:
    flow = a_step()
    late = Submission(of(flow), HOST, "runs/submit", BODY)
    now = Submission(of(retried(flow)), HOST, "runs/submit", BODY)
    now.keep(7)
    late.keep(7)
    assert now.is_of_this_attempt(7) is True


def test_attempts_that_are_long_past_are_forgotten() -> None:
    flow = a_step()
    for _ in range(50):
        token(of(flow))
        flow = retried(flow)
    assert len(of_process(Roots).of(flow.id).attempts) < 10


def test_a_thousand_flow_runs_are_remembered_and_no_more() -> None:
    first = a_step()
    started = token(of(first))
    for _ in range(1000):
        token(of(a_step()))
    assert token(of(first)) == started, "its first slot again"
    assert token(of(first)) != started


def test_outside_of_any_run_there_is_no_caller() -> None:
    assert caller() is None


@pytest.mark.parametrize(("flow_run_id", "is_remote"), [(uuid4(), True), (None, False)], ids=["flow", "no flow"])
def test_a_task_is_remote_where_its_flow_run_is_in_another_process(flow_run_id, is_remote, monkeypatch) -> None:
    task_run = SimpleNamespace(id=uuid4(), run_count=1, flow_run_id=flow_run_id)
    start_time = datetime.now(timezone.utc)
    context = SimpleNamespace(task_run=task_run, task=SimpleNamespace(fn=of), start_time=start_time)
    monkeypatch.setattr(identity, "run_contexts", lambda: ([], [context]))
    assert caller().is_remote is is_remote


def test_an_id_is_never_in_a_token_in_the_clear() -> None:
    flow = Step(UUID(int=7), 1)
    assert flow.id.hex not in token(of(flow))


def test_attempts_that_prefect_counts_as_one_are_told_apart_by_when_they_began() -> None:
    """On Prefect 2 in a process that lasts, such as a Dask worker, when the flow run is retried."""
    task = Step(uuid4(), 1, began=100.0)
    assert token(of(task)) == token(of(task._replace(began=200.0)))


def a_submission(who: Caller) -> Submission:
    return Submission(who, HOST, "runs/submit", BODY)


def test_a_run_of_before_the_suspension_is_of_this_attempt_in_the_process_that_goes_on() -> None:
    flow = a_step()
    resumed = a_submission(of(flow._replace(began=100.0), before={7}))
    assert resumed.is_of_this_attempt(7) is True
    assert resumed.is_of_this_attempt(8) is None


@pytest.mark.parametrize("is_new_process", [True, False])
def test_a_suspended_attempt_goes_on_in_a_new_process_and_in_one_that_lasts(is_new_process: bool) -> None:
    flow = a_step()
    a_submission(of(flow)).keep(7)
    if is_new_process:
        restart()
    assert a_submission(of(flow._replace(began=100.0), before={7})).is_of_this_attempt(7) is True


def test_a_retry_of_the_flow_after_the_resume_takes_the_run_for_one_of_an_earlier_attempt() -> None:
    flow = a_step()
    a_submission(of(flow, before={7})).keep(7)
    assert a_submission(of(retried(flow))).is_of_this_attempt(7) is False
    assert a_submission(of(retried(flow), before={7})).is_of_this_attempt(7) is False, "Prefect has said so late"


def test_a_retry_of_a_subflow_after_the_resume_takes_the_run_for_one_of_an_earlier_attempt() -> None:
    flow, subflow = a_step(), a_step()
    first = a_submission(of(flow, subflow, before={7}))
    assert first.is_of_this_attempt(7) is True
    first.keep(7)
    assert a_submission(of(flow, retried(subflow), before={7})).is_of_this_attempt(7) is False


def in_flow(monkeypatch: pytest.MonkeyPatch, flow_run_id: UUID, attempt: int, pause_keys: Iterable[str]) -> None:
    """As if this were called in a flow run."""
    policy = SimpleNamespace(pause_keys=set(pause_keys))
    flow_run = SimpleNamespace(id=flow_run_id, run_count=attempt, empirical_policy=policy)
    context = SimpleNamespace(flow_run=flow_run, start_time=datetime.now(timezone.utc))
    monkeypatch.setattr(identity, "run_contexts", lambda: ([context], []))


def test_all_runs_of_an_attempt_are_known_those_of_before_and_those_with_a_token_of_their_own(monkeypatch) -> None:
    flow_run_id = uuid4()
    key = PauseKey(HOST, UUID(int=1), run_ids=(7,), started=(8,))
    in_flow(monkeypatch, flow_run_id, 1, ["approve", str(key)])
    assert runs_of_this_attempt() == {7, 8}
    keep_given(9)
    a_submission(caller()).keep(10)
    assert runs_of_this_attempt() == {7, 8, 9, 10}
    in_flow(monkeypatch, flow_run_id, 2, [])
    assert runs_of_this_attempt() == set()


def test_outside_of_a_flow_run_there_are_no_runs_of_an_attempt() -> None:
    keep_given(7)
    assert runs_of_this_attempt() == set()
