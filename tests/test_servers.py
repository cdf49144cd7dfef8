"""The Prefect server that the demo starts."""

from __future__ import annotations

import httpx
import pytest

from prefect_databricks_runs.demo import servers
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.conftest import CACHE
from tests.support.servers import ReadyServer


@pytest.mark.long
def test_a_server_whose_port_another_one_has_taken_meanwhile_takes_the_next(
    prefect_server: PrefectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, free = prefect_server._port, servers._free_port()
    ports = iter([taken, free])
    monkeypatch.setattr(servers, "_free_port", lambda: next(ports))
    with ReadyServer(CACHE) as server:
        assert server.api_url == f"http://127.0.0.1:{free}/api"
        assert httpx.get(f"{server.api_url}/health").is_success
    assert httpx.get(f"{prefect_server.api_url}/health").is_success


def test_a_server_that_cannot_start_says_why_after_one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    monkeypatch.setattr(servers, "_free_port", lambda: tried.append(1) or 1)
    monkeypatch.setattr(servers, "_is_taken", lambda _: False)
    monkeypatch.setattr(servers, "_SERVER_START", ["-c", "raise SystemExit('no disk')"])
    with pytest.raises(RuntimeError, match="no disk"), PrefectServer():
        pass
    assert tried == [1]
