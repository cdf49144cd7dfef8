"""What signing in with a token that is fetched costs a request, beside one with a token that is given."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from time import thread_time

import httpx

from prefect_databricks_runs import DatabricksHook
from prefect_databricks_runs.auth import TokenAuth
from prefect_databricks_runs.auth._databricks import ServicePrincipalAuth
from tests.support.answers import HOST, RUN_ID, run

REQUESTS, ROUNDS = 100, 7


def answer(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/oidc/v1/token":
        return httpx.Response(200, json={"access_token": "a.b.c", "expires_in": 3600})
    return httpx.Response(200, json=run("RUNNING"))


def seconds_of(*auths: httpx.Auth) -> list[float]:
    """CPU seconds of a request with each, at its best of some rounds in turns: others are busy on the same machine."""

    async def ask() -> list[float]:
        transport = httpx.MockTransport(answer)
        took: list[list[float]] = [[] for _ in auths]
        async with AsyncExitStack() as stack:
            hooks = [await stack.enter_async_context(DatabricksHook(HOST, each, transport=transport)) for each in auths]
            for _ in range(ROUNDS):
                for hook, each in zip(hooks, took, strict=True):
                    await hook.get_run(RUN_ID)
                    began = thread_time()
                    for _ in range(REQUESTS):
                        await hook.get_run(RUN_ID)
                    each.append((thread_time() - began) / REQUESTS)
        return list(map(min, took))

    return asyncio.run(ask())


def test_a_request_costs_at_most_1_4_times_one_with_a_token_that_is_given(monkeypatch) -> None:
    monkeypatch.setattr("prefect_databricks_runs.auth._http.new_client", with_transport)
    given, fetched = seconds_of(TokenAuth("dapi"), ServicePrincipalAuth(HOST, "id", "dose-secret"))
    assert fetched < 1.4 * given


def with_transport(kind: type[httpx.AsyncClient], **options: object) -> httpx.AsyncClient:
    return kind(transport=httpx.MockTransport(answer), **options)
