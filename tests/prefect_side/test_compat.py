"""What differs between the releases of Prefect."""

from __future__ import annotations

import pytest
from prefect.client.orchestration import get_client

from prefect_databricks_runs._prefect.compat import say_json
from prefect_databricks_runs.demo.servers import PrefectServer


@pytest.mark.anyio
async def test_a_body_that_the_client_sends_as_text_says_that_it_is_json(prefect_server: PrefectServer) -> None:
    async with get_client() as client:
        say_json(client)
        request = client._client.build_request("POST", "/task_runs/", content="{}")
    assert request.headers.get_list("content-type") == ["application/json"]
