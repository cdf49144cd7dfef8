"""A Prefect API that takes connections and does not answer for a while, with Prefect's own client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from prefect_databricks_runs._report import queue
from prefect_databricks_runs._report.queue import PrefectQueue, Thing
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.anyio

_CONNECTIONS = 16  # of Prefect's client


class Api:
    """Answers everything with an empty object, once it answers."""

    is_hanging = True
    asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.asked += 1
                if self.is_hanging:
                    await reader.read()  # until the client has gone
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/api"
        with temporary_settings({PREFECT_API_URL: url}):
            yield
        server.close()


class Asking(Thing):
    async def tell(self, client: Any) -> None:
        await client._client.get("/flow_runs/x")


async def test_an_api_that_hung_for_long_is_told_when_it_answers_again(monkeypatch) -> None:
    monkeypatch.setattr(queue, "TELL_SECONDS", 0.1)
    api = Api()
    async with api.going():
        thing, to_prefect = Asking(logging.getLogger("tests.queue")), PrefectQueue(FakeClock())
        to_prefect.put(thing)
        while api.asked < _CONNECTIONS + 4:
            await asyncio.sleep(0.05)
        api.is_hanging = False
        assert await to_prefect.told([thing], 10)
