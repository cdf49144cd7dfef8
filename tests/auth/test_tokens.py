"""Tokens that end: one is fetched for all who need it, and an outage of its issuer is borne as long as that can be."""

from __future__ import annotations

import asyncio
import gc
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import cloudpickle
import httpx
import pytest

from prefect_databricks_runs import DatabricksHook, SignInFailed, SignInUnavailable, Unauthenticated
from prefect_databricks_runs._client import tokens
from prefect_databricks_runs._client.pace import Pace
from prefect_databricks_runs._client.tokens import FetchingAuth, Token, Tokens
from prefect_databricks_runs._runtime import forget, of_process
from tests.support.answers import HOST, RUN_ID, run
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.anyio
SECRET, LIFE = "dose-secret", 3600.0


class Issuer:
    """Issues `token-1`, `token-2`, …; each takes a moment, in which others may ask too."""

    def __init__(self) -> None:
        self.issued = 0
        self.asked = 0
        self.life: float | None = LIFE
        self.error: Exception | None = None

    async def issue(self, _secret: str) -> Token:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        self.issued += 1
        return Token({"Authorization": f"Bearer token-{self.issued}"}, self.life)


@dataclass(frozen=True)
class Auth(FetchingAuth):
    name: str
    secret: str = field(default=SECRET, repr=False)
    issuer: Any = field(default=None, compare=False, repr=False)

    def own_secrets(self) -> tuple[str, ...]:
        return (self.secret,)

    async def afetch(self) -> Token:
        sent = [self.secret]  # stands in the variables of this frame
        return await self.issuer.issue(*sent)


@pytest.fixture
def clock() -> Iterator[FakeClock]:
    forget()
    of_process(Tokens).clock = clock = FakeClock()
    yield clock
    forget()  # or tests of other files would get tokens by this clock


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def auth(clock: FakeClock, issuer: Issuer) -> Auth:
    return Auth("main", issuer=issuer)


async def value_of(auth: Auth) -> str:
    return (await auth.atoken()).headers["Authorization"].removeprefix("Bearer ")


async def test_300_who_ask_at_once_make_one_request_for_a_token(auth, issuer) -> None:
    values = await asyncio.gather(*(value_of(auth) for _ in range(300)))
    assert set(values) == {"token-1"}
    assert issuer.asked == 1


def test_30_threads_make_one_request_for_a_token(auth, issuer) -> None:
    with ThreadPoolExecutor(30) as threads:
        found = list(threads.map(lambda _: auth.token().headers["Authorization"], range(30)))
    assert set(found) == {"Bearer token-1"}
    assert issuer.asked == 1


async def test_equal_ones_share_a_token_and_others_do_not(auth, issuer) -> None:
    assert await value_of(auth) == await value_of(Auth("main", issuer=issuer)) == "token-1"
    assert await value_of(Auth("another", issuer=issuer)) == "token-2"
    assert await value_of(Auth("main", "another secret", issuer=issuer)) == "token-3"


async def test_another_event_loop_uses_the_same_token(auth, issuer) -> None:
    await value_of(auth)
    assert await asyncio.to_thread(lambda: asyncio.run(value_of(auth))) == "token-1"
    assert issuer.asked == 1


@pytest.mark.parametrize(("life", "early"), [(3600.0, 300.0), (60.0, 30.0), (4.0, 2.0)])
async def test_a_token_is_fetched_again_some_time_before_its_end(life, early, auth, issuer, clock) -> None:
    issuer.life = life
    await value_of(auth)
    clock.now += life - early - 0.1
    assert await value_of(auth) == "token-1"
    clock.now += 0.2
    assert await value_of(auth) == "token-2"


async def test_a_token_that_does_not_say_when_it_ends_is_good_until_it_is_refused(auth, issuer, clock) -> None:
    issuer.life = None
    await value_of(auth)
    clock.now += 1_000_000
    assert await value_of(auth) == "token-1"


async def test_while_the_issuer_is_down_the_old_token_serves_to_its_end_and_the_issuer_is_left_alone(
    auth, issuer, clock
) -> None:
    await value_of(auth)
    issuer.error = SignInUnavailable("down", host=HOST, method="POST", path="/t")
    clock.now += LIFE - 200
    for _ in range(10):
        assert await value_of(auth) == "token-1"
    assert issuer.asked == 2
    clock.now += 31
    assert await value_of(auth) == "token-1"
    assert issuer.asked == 3
    clock.now += 130  # 39 s before its end Databricks may refuse it
    with pytest.raises(SignInUnavailable):
        await value_of(auth)
    issuer.error = None
    assert await value_of(auth) == "token-2"


async def test_those_who_wait_for_one_try_share_what_it_comes_to(auth, issuer) -> None:
    issuer.error = SignInFailed("No.", source="there", advice="Look.")
    found = await asyncio.gather(*(value_of(auth) for _ in range(200)), return_exceptions=True)
    assert all(isinstance(each, SignInFailed) for each in found)
    assert issuer.asked == 1
    issuer.error = None
    assert await value_of(auth) == "token-1"


async def test_each_of_them_has_an_error_of_its_own_in_which_it_notes_what_became_of_its_request(auth, issuer) -> None:
    issuer.error = SignInUnavailable("down", host=HOST, method="POST", path="/t", retry_after=7)
    one, other = await asyncio.gather(value_of(auth), value_of(auth), return_exceptions=True)
    assert issuer.asked == 1
    one.outcome_unknown = True
    assert (one is other, other.outcome_unknown, other.retry_after, str(other)) == (False, False, 7, str(one))


async def test_who_comes_while_one_fetches_shares_what_that_comes_to_too(auth, issuer, monkeypatch) -> None:
    async def refuse(_secret: str) -> Token:
        issuer.asked += 1
        await asyncio.sleep(0.05)
        raise SignInFailed("No.", source="there", advice="Look.")

    monkeypatch.setattr(issuer, "issue", refuse)
    first = asyncio.create_task(value_of(auth))
    while not issuer.asked:
        await asyncio.sleep(0)
    second = asyncio.create_task(value_of(auth))
    assert all(isinstance(each, SignInFailed) for each in await asyncio.gather(first, second, return_exceptions=True))
    assert issuer.asked == 1


async def test_the_end_of_an_earlier_try_is_not_shared_by_those_who_wait_for_one_that_is_cancelled(
    auth, issuer
) -> None:
    issuer.error = SignInFailed("No.", source="there", advice="Look.")
    with pytest.raises(SignInFailed):
        await value_of(auth)
    issuer.error = None
    first = asyncio.create_task(value_of(auth))
    second = asyncio.create_task(value_of(auth))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "token-1"


async def test_a_try_that_took_long_is_not_made_again_for_as_long(auth, issuer, clock, monkeypatch) -> None:
    """An issuer that hangs would hold every poll for as long as it may."""
    issuer.error = SignInUnavailable("nothing came", host=HOST, method="POST", path="/t")
    issue = issuer.issue

    async def slowly(secret: str) -> Token:
        clock.now += 30
        return await issue(secret)

    monkeypatch.setattr(issuer, "issue", slowly)
    for _ in range(3):
        with pytest.raises(SignInUnavailable):
            await value_of(auth)
    assert issuer.asked == 1
    clock.now += 31
    issuer.error = None
    assert await value_of(auth) == "token-1"


@pytest.mark.parametrize("stands_still", ["monotonic", "time"])
async def test_a_token_ages_by_the_clock_that_goes(stands_still, auth, issuer, clock, monkeypatch) -> None:
    """One stands still while a laptop sleeps; the other is set back by people."""
    monkeypatch.setattr(clock, stands_still, lambda: 5.0)
    await value_of(auth)
    clock.now += LIFE
    assert await value_of(auth) == "token-2"


async def test_one_who_is_cancelled_while_it_fetches_leaves_the_others_to_it(auth, issuer) -> None:
    first = asyncio.create_task(value_of(auth))
    second = asyncio.create_task(value_of(auth))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "token-1"


async def test_a_refused_token_is_forgotten_unless_another_one_is_held_or_it_is_new(auth, clock) -> None:
    first = await auth.atoken()
    auth.forget(first)
    assert await auth.atoken() is first, "another one would be refused as well"
    clock.now += 3
    auth.forget(first)
    second = await auth.atoken()
    assert second is not first
    clock.now += 3
    auth.forget(first)
    assert await auth.atoken() is second


async def test_a_forked_process_begins_without_a_token(auth, monkeypatch) -> None:
    await value_of(auth)
    monkeypatch.setattr(tokens.os, "getpid", lambda: -1)
    assert await value_of(auth) == "token-2"


async def test_tokens_go_with_what_signs_in_with_them_but_the_last_few(issuer, clock) -> None:
    kept = Auth("kept", issuer=issuer)
    await value_of(kept)
    for number in range(200):
        await value_of(Auth(str(number), issuer=issuer))
    gc.collect()
    assert len(of_process(Tokens)._held) <= tokens._KEPT + 1
    assert await value_of(kept) == "token-1"


async def test_no_token_or_secret_is_shown_or_pickled(auth, issuer) -> None:
    token = await auth.atoken()
    assert "token-1" not in repr(token) + repr(auth) + repr(vars(auth)["_token"])
    assert SECRET not in repr(auth)
    for dumps in (pickle.dumps, cloudpickle.dumps):
        assert b"token-1" not in dumps(Auth("main", issuer=None).__class__("main")) + dumps(without_issuer(auth))
    assert set(auth.secrets()) == {SECRET, "token-1"}


def without_issuer(auth: Auth) -> Auth:
    copied = pickle.loads(pickle.dumps(Auth(auth.name, auth.secret)))
    object.__setattr__(copied, "_token", None)
    return copied


async def test_no_frame_with_a_secret_hangs_on_an_error(auth, issuer) -> None:
    issuer.error = SignInFailed("No.", source="there", advice="Look.")
    issuer.error.__context__ = ValueError(SECRET)
    with pytest.raises(SignInFailed) as caught:
        await auth.atoken()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    frames = [entry.name for entry in caught.traceback]
    assert "afetch" not in frames


class Workspace:
    """Takes the tokens that it is told to, and keeps those that came."""

    def __init__(self) -> None:
        self.takes: set[str] = set()
        self.came: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.came.append(request.headers["Authorization"].removeprefix("Bearer "))
        if self.came[-1] in self.takes:
            return httpx.Response(200, json=run("RUNNING"))
        return httpx.Response(403, json={"error_code": 403, "message": "Invalid access token."})


async def test_a_token_that_ends_before_it_said_is_fetched_again_and_the_request_goes_through(auth, clock) -> None:
    workspace = Workspace()
    workspace.takes = {"token-1"}
    async with DatabricksHook(HOST, auth, transport=httpx.MockTransport(workspace.answer), clock=clock) as hook:
        await hook.get_run(RUN_ID)
        clock.now += 10
        workspace.takes = {"token-2"}
        await hook.get_run(RUN_ID)
    assert workspace.came == ["token-1", "token-1", "token-2"]
    assert clock.sleeps == []


async def test_300_requests_with_a_token_that_ended_make_one_request_for_another(auth, issuer, clock) -> None:
    workspace = Workspace()
    workspace.takes = {"token-1"}
    transport = httpx.MockTransport(workspace.answer)
    async with DatabricksHook(HOST, auth, transport=transport, clock=clock) as hook:
        await hook.get_run(RUN_ID)
        clock.now += 10
        workspace.takes = {"token-2"}
        await asyncio.gather(*(hook.get_run(RUN_ID) for _ in range(300)))
    assert issuer.asked == 2


async def test_a_workspace_that_does_not_know_the_identity_is_an_error_that_says_so(auth, issuer, clock) -> None:
    workspace = Workspace()
    transport = httpx.MockTransport(workspace.answer)
    async with DatabricksHook(HOST, auth, transport=transport, clock=clock) as hook:
        with pytest.raises(Unauthenticated, match="The token is new: check that the workspace knows this identity"):
            await hook.get_run(RUN_ID)
    assert len(workspace.came) <= 3
    assert issuer.asked <= 2


async def test_an_issuer_that_is_down_is_asked_as_often_as_other_requests_are_sent(auth, issuer, clock) -> None:
    issuer.error = SignInUnavailable("down", host=HOST, method="POST", path="/t")
    transport = httpx.MockTransport(Workspace().answer)
    async with DatabricksHook(HOST, auth, retry_limit=4, transport=transport, clock=clock) as hook:
        with pytest.raises(SignInUnavailable) as caught:
            await hook.submit_run({"tasks": []})
    assert issuer.asked == 4
    assert caught.value.outcome_unknown is False


async def test_an_issuer_that_asks_to_wait_for_a_day_does_not_make_a_start_hang(auth, issuer, clock) -> None:
    issuer.error = SignInUnavailable("full", host=HOST, method="POST", path="/t", retry_after=86_400)
    transport = httpx.MockTransport(Workspace().answer)
    async with DatabricksHook(HOST, auth, transport=transport, clock=clock) as hook:
        with pytest.raises(SignInUnavailable):
            await hook.submit_run({"tasks": []})
    assert (issuer.asked, clock.sleeps) == (1, [])


async def test_who_waits_for_a_token_does_not_take_a_turn_before_it_is_there(auth, issuer, clock, monkeypatch) -> None:
    """Else all of them would send at once then."""
    turns: list[str] = []

    async def turn(_self: Pace, lane: str) -> None:
        turns.append(lane)

    monkeypatch.setattr(Pace, "turn", turn)
    issuer.error = SignInUnavailable("down", host=HOST, method="POST", path="/t")
    transport = httpx.MockTransport(Workspace().answer)
    hook = DatabricksHook(HOST, auth, retry_limit=1, transport=transport, clock=clock, requests_per_second=5)
    async with hook:
        with pytest.raises(SignInUnavailable):
            await hook.get_run(RUN_ID)
    assert turns == []


@pytest.mark.parametrize("client", ["sync", "async"])
async def test_a_client_of_the_users_signs_in_again_where_its_token_is_refused(client, auth, clock) -> None:
    workspace = Workspace()
    workspace.takes = {"token-2"}
    await auth.atoken()
    clock.now += 10
    transport = httpx.MockTransport(workspace.answer)
    if client == "async":
        async with httpx.AsyncClient(auth=auth, transport=transport) as users:
            assert (await users.get(HOST)).status_code == 200
    else:

        def get() -> int:
            with httpx.Client(auth=auth, transport=transport) as users:
                return users.get(HOST).status_code

        assert await asyncio.to_thread(get) == 200
    assert workspace.came == ["token-1", "token-2"]
