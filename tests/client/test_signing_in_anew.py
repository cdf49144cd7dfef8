"""A token ends one day: the hook asks for the one that holds now, and sends the request once more."""

from __future__ import annotations

import logging

import httpx
import pytest

from prefect_databricks_runs import DatabricksHook, PermissionDenied, Unauthenticated
from prefect_databricks_runs.auth import BasicAuth, TokenAuth
from tests.support.answers import HOST, RUN_ID, run
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.anyio

OLD, NEW = TokenAuth("dapi-old"), TokenAuth("dapi-new")
BAD_TOKEN = {"error_code": 403, "message": "Invalid access token."}
NOT_ALLOWED = {"error_code": "PERMISSION_DENIED", "message": "User does not have permission"}


class Workspace:
    """Lets in who has `token`; remembers the tokens that came."""

    def __init__(self, token: str, refusal: httpx.Response | None = None) -> None:
        self.token = token
        self.refusal = refusal or httpx.Response(403, json=BAD_TOKEN)
        self.came: list[str] = []
        self.refuses_next = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.came.append(request.headers["Authorization"].removeprefix("Bearer "))
        if self.refuses_next:
            self.refuses_next -= 1
            return self.refusal
        return httpx.Response(200, json=run("RUNNING")) if self.came[-1] == self.token else self.refusal


class Block:
    """Gives the way to sign in that is saved; counts how often it was asked."""

    def __init__(self, auth: httpx.Auth | None) -> None:
        self.auth = auth
        self.asked = 0

    async def __call__(self) -> httpx.Auth | None:
        self.asked += 1
        return self.auth


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def hook_to(workspace: Workspace, clock: FakeClock, block: Block | None) -> DatabricksHook:
    logger = logging.getLogger("tests.signing_in")
    transport = httpx.MockTransport(workspace.answer)
    return DatabricksHook(HOST, OLD, transport=transport, clock=clock, refresh=block, logger=logger)


REFUSALS = {
    "401": httpx.Response(401, json={"error_code": 401, "message": "Credential was not sent"}),
    "403 for the token": httpx.Response(403, json=BAD_TOKEN),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
async def test_the_token_that_holds_now_is_used_from_then_on(refusal, clock, caplog) -> None:
    workspace, block = Workspace(NEW.token, refusal), Block(NEW)
    with caplog.at_level("INFO", "tests.signing_in"):
        async with hook_to(workspace, clock, block) as hook:
            for _ in range(2):
                assert (await hook.get_run(RUN_ID)).run_id == RUN_ID
    assert workspace.came == [OLD.token, NEW.token, NEW.token]
    assert block.asked == 1
    assert clock.sleeps == []
    assert "The credentials block has changed" in caplog.text
    assert "dapi" not in caplog.text


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("block", [None, Block(None), Block(OLD)], ids=["no block", "not readable", "unchanged"])
async def test_a_refusal_that_passes_is_no_error(refusal, block, clock) -> None:
    workspace = Workspace(OLD.token, refusal)
    workspace.refuses_next = 1
    async with hook_to(workspace, clock, block) as hook:
        assert (await hook.get_run(RUN_ID)).run_id == RUN_ID
    assert workspace.came == [OLD.token] * 2
    assert clock.sleeps == [1.0]


async def test_a_refusal_that_lasts_is_logged_once_until_it_passes(clock, caplog) -> None:
    workspace = Workspace(OLD.token)
    async with hook_to(workspace, clock, None) as hook:
        for _ in range(2):
            await hook.get_run(RUN_ID)
            workspace.refuses_next = 5
            await hook.get_run(RUN_ID)
    assert caplog.text.count("Retrying once in 1.0 s") == 2


async def test_credentials_that_are_no_good_are_tried_twice_and_no_more(clock) -> None:
    workspace, block = Workspace("another"), Block(NEW)
    async with hook_to(workspace, clock, block) as hook:
        with pytest.raises(Unauthenticated, match="Check the token"):
            await hook.get_run(RUN_ID)
    assert workspace.came == [OLD.token, NEW.token]
    assert block.asked == 1


async def test_credentials_that_were_good_before_are_tried_as_often_as_other_requests(clock) -> None:
    workspace = Workspace(OLD.token)
    async with hook_to(workspace, clock, None) as hook:
        await hook.get_run(RUN_ID)
        workspace.refuses_next = 4
        await hook.get_run(RUN_ID)
        workspace.refuses_next = 6
        with pytest.raises(Unauthenticated):
            await hook.get_run(RUN_ID)
    assert len(workspace.came) == 1 + 5 + 6


async def test_a_token_that_ends_twice_is_changed_twice(clock) -> None:
    workspace, block = Workspace(NEW.token), Block(NEW)
    async with hook_to(workspace, clock, block) as hook:
        await hook.get_run(RUN_ID)
        workspace.token, block.auth = "dapi-newest", TokenAuth("dapi-newest")
        await hook.get_run(RUN_ID)
    assert workspace.came == [OLD.token, NEW.token, NEW.token, "dapi-newest"]


async def test_another_way_to_sign_in_is_taken_too(clock) -> None:
    workspace = Workspace("Basic YWRhOnB3")
    async with hook_to(workspace, clock, Block(BasicAuth("ada", "pw"))) as hook:
        assert (await hook.get_run(RUN_ID)).run_id == RUN_ID


async def test_who_may_not_do_it_is_not_asked_for_a_token(clock) -> None:
    workspace, block = Workspace("another", httpx.Response(403, json=NOT_ALLOWED)), Block(NEW)
    async with hook_to(workspace, clock, block) as hook:
        with pytest.raises(PermissionDenied):
            await hook.get_run(RUN_ID)
    assert (workspace.came, block.asked) == ([OLD.token], 0)
