"""The queue to Prefect: one call at a time, newest state only, and nothing that fails is lost."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest

from prefect_databricks_runs._report import queue
from prefect_databricks_runs._report.queue import PrefectQueue, Thing
from tests.report.prefect_client import PrefectThatListens
from tests.support.clocks import FakeClock

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("prefect")]


class Noted(Thing):
    """A thing that notes what it told, and fails as often as it is to."""

    def __init__(self, name: str, notes: list[Any], *failures: Exception) -> None:
        super().__init__(logging.getLogger("tests.queue"))
        self.name, self.notes, self.failures = name, notes, list(failures)
        self.state = 0

    async def tell(self, client: Any) -> None:
        assert isinstance(client, PrefectThatListens)
        wanted = self.state
        self.notes.append(f"{self.name} begins")
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.notes.append((self.name, wanted))


def refused(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://prefect/api")
    return httpx.HTTPStatusError(str(status), request=request, response=httpx.Response(status, request=request))


def told(notes: list[Any]) -> list[Any]:
    return [note for note in notes if isinstance(note, tuple)]


async def test_things_are_told_in_the_order_in_which_they_changed_one_at_a_time() -> None:
    notes: list[Any] = []
    things = [Noted(name, notes) for name in "abc"]
    to_prefect = PrefectQueue(FakeClock())
    for thing in things:
        to_prefect.put(thing)
    assert await to_prefect.told(things, 5)
    assert notes == ["a begins", ("a", 0), "b begins", ("b", 0), "c begins", ("c", 0)]


async def test_every_request_says_that_it_is_json(prefect: PrefectThatListens) -> None:
    to_prefect = PrefectQueue(FakeClock())
    thing = Noted("a", [])
    to_prefect.put(thing)
    assert await to_prefect.told([thing], 5)
    assert prefect.headers == {"Content-Type": "application/json"}


async def test_of_a_thing_that_changes_faster_than_prefect_listens_only_the_newest_state_is_told() -> None:
    notes: list[Any] = []
    thing = Noted("a", notes)
    to_prefect = PrefectQueue(FakeClock())
    to_prefect.put(thing)
    while not notes:  # it is being told of state 0
        await asyncio.sleep(0)
    for state in range(1, 101):
        thing.state = state
        to_prefect.put(thing)
    assert await to_prefect.told([thing], 5)
    assert told(notes) == [("a", 0), ("a", 100)]


async def test_a_thing_is_told_after_those_that_it_comes_after_though_it_changed_before_them() -> None:
    notes: list[Any] = []
    things = first, second, third = [Noted(name, notes) for name in "abc"]
    second.comes_after, third.comes_after = [first], [second]
    to_prefect = PrefectQueue(FakeClock())
    to_prefect.put(first)
    while not notes:  # it is being told of state 0
        await asyncio.sleep(0)
    for thing in (third, second, first):
        thing.state = 1
        to_prefect.put(thing)
    assert await to_prefect.told(things, 5)
    assert told(notes) == [("a", 0), ("a", 1), ("b", 1), ("c", 1)]


async def test_a_thing_is_told_though_prefect_refuses_one_that_it_comes_after() -> None:
    notes: list[Any] = []
    refusing, other = Noted("a", notes, refused(404)), Noted("b", notes)
    other.comes_after = [refusing]
    to_prefect = PrefectQueue(FakeClock())
    to_prefect.put(other)
    to_prefect.put(refusing)
    assert await to_prefect.told([refusing, other], 5)
    assert told(notes) == [("b", 0)]


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("down"), refused(500), refused(503), refused(429), TimeoutError()]
)
async def test_what_fails_for_now_is_told_when_prefect_is_back_and_said_once(error, caplog) -> None:
    notes: list[Any] = []
    things = [Noted("a", notes, error, error), Noted("b", notes, error)]
    clock = FakeClock()
    to_prefect = PrefectQueue(clock)
    with caplog.at_level(logging.INFO, "tests.queue"):
        for thing in things:
            to_prefect.put(thing)
        assert await to_prefect.told(things, 5)
    assert told(notes) == [("b", 0), ("a", 0)]
    assert clock.sleeps == [0.5, 1.0, 2.0]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.messages[-1] == "Updates to Prefect are going through again."


async def test_what_prefect_refuses_for_good_is_left_and_the_rest_goes_on(caplog) -> None:
    notes: list[Any] = []
    things = [Noted("a", notes, refused(404)), Noted("b", notes, ValueError("a bug")), Noted("c", notes)]
    clock = FakeClock()
    to_prefect = PrefectQueue(clock)
    with caplog.at_level(logging.INFO, "tests.queue"):
        for thing in things:
            to_prefect.put(thing)
        assert await to_prefect.told(things, 5)
    assert told(notes) == [("c", 0)]
    assert clock.sleeps == []
    # Once, and nothing of being back: it was never gone.
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_what_fails_again_and_again_does_not_hold_up_the_others() -> None:
    notes: list[Any] = []
    things = [Noted("a", notes, *[refused(500)] * 1000), Noted("b", notes), Noted("c", notes)]
    to_prefect = PrefectQueue(FakeClock())
    for thing in things:
        to_prefect.put(thing)
    assert await to_prefect.told(things[1:], 5)
    assert told(notes) == [("b", 0), ("c", 0)]
    assert not await to_prefect.told(things, 0)


async def test_a_thing_is_told_after_those_that_it_comes_after_also_when_these_fail_at_first() -> None:
    class After(Noted):
        @property
        def comes_after(self) -> list[Thing]:
            return [things[0]]

    notes: list[Any] = []
    things: list[Noted] = [Noted("a", notes, refused(500), refused(500)), After("b", notes), Noted("c", notes)]
    to_prefect = PrefectQueue(FakeClock())
    for thing in things:
        to_prefect.put(thing)
    assert await to_prefect.told(things, 5)
    assert told(notes) == [("c", 0), ("a", 0), ("b", 0)]


async def test_waiting_for_prefect_ends_and_what_is_left_is_not_told_later() -> None:
    class Hanging(Noted):
        async def tell(self, client: Any) -> None:
            await asyncio.sleep(3600)

    notes: list[Any] = []
    hanging, other = Hanging("a", notes), Noted("b", notes)
    to_prefect = PrefectQueue()
    to_prefect.put(hanging)
    to_prefect.put(other)
    assert not await to_prefect.told([hanging, other], 0.05)
    assert other not in to_prefect._waiting


async def test_what_was_being_told_when_the_waiting_ended_is_stopped_and_not_tried_again() -> None:
    class Hanging(Noted):
        async def tell(self, client: Any) -> None:
            self.notes.append("asked")
            await asyncio.sleep(3600)

    notes: list[Any] = []
    hanging = Hanging("a", notes)
    to_prefect = PrefectQueue(FakeClock())
    to_prefect.put(hanging)
    assert not await to_prefect.told([hanging], 0.05)
    await asyncio.wait_for(to_prefect._worker, 5)
    assert notes == ["asked"]


async def test_a_call_that_hangs_does_not_hold_up_the_others_for_ever(monkeypatch) -> None:
    class HangsOnce(Noted):
        async def tell(self, client: Any) -> None:
            if not self.state:
                self.state = 1
                await asyncio.sleep(3600)
            await super().tell(client)

    monkeypatch.setattr(queue, "TELL_SECONDS", 0.05)
    notes: list[Any] = []
    things = [HangsOnce("a", notes), Noted("b", notes)]
    to_prefect = PrefectQueue(FakeClock())
    for thing in things:
        to_prefect.put(thing)
    assert await to_prefect.told(things, 5)
    assert told(notes) == [("b", 0), ("a", 1)]


async def test_what_changes_while_the_queue_comes_to_its_end_is_told_too(prefect, monkeypatch) -> None:
    notes: list[Any] = []
    first, second = Noted("a", notes), Noted("b", notes)
    to_prefect = PrefectQueue(FakeClock())

    async def closing(*_: object) -> None:
        """There is nothing left to tell, and the client is being closed."""
        if second not in to_prefect._waiting and ("b", 0) not in notes:
            to_prefect.put(second)
            await asyncio.sleep(0)

    monkeypatch.setattr(PrefectThatListens, "__aexit__", closing)
    to_prefect.put(first)
    assert await to_prefect.told([first], 5)
    while not told(notes)[1:]:
        await asyncio.sleep(0)
    assert await to_prefect.told([first, second], 5)
    assert told(notes) == [("a", 0), ("b", 0)]


class Slow(Noted):
    """A thing that takes a while to be told."""

    async def tell(self, client: Any) -> None:
        await asyncio.sleep(0.05)
        await super().tell(client)


def behind_others() -> tuple[PrefectQueue, list[Slow], Slow, list[Any]]:
    """A queue in which twenty slow things stand before one."""
    notes: list[Any] = []
    others, mine = [Slow(str(number), notes) for number in range(20)], Slow("mine", notes)
    to_prefect = PrefectQueue()
    for thing in [*others, mine]:
        to_prefect.put(thing)
    return to_prefect, others, mine, notes


async def test_as_long_as_prefect_is_told_of_others_the_wait_goes_on() -> None:
    to_prefect, _, mine, notes = behind_others()
    assert await to_prefect.told([mine], 0.3)
    assert len(told(notes)) == 21


async def test_who_leaves_waits_no_longer_although_prefect_is_told_of_others() -> None:
    to_prefect, others, mine, notes = behind_others()
    assert not await to_prefect.told([mine], 0.3, 0.2)
    assert await to_prefect.told(others, 5)
    assert ("mine", 0) not in told(notes)


async def test_what_always_fails_does_not_keep_a_flow_although_prefect_is_told_of_others() -> None:
    notes: list[Any] = []
    failing, other = Noted("a", notes, *[refused(500)] * 10_000), Noted("b", notes)
    to_prefect = PrefectQueue(FakeClock())
    to_prefect.put(failing)

    async def busy() -> None:
        while True:
            other.state += 1
            to_prefect.put(other)
            await asyncio.sleep(0.02)

    others = asyncio.ensure_future(busy())
    assert not await asyncio.wait_for(to_prefect.told([failing], 0.2), 5)
    others.cancel()
    assert told(notes)
