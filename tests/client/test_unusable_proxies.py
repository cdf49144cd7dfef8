"""Proxies that the environment names and that cannot be used."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from prefect_databricks_runs import DatabricksConnectionError, DatabricksCredentials
from prefect_databricks_runs.hook import DatabricksHook

HOST = "https://adb-1.2.azuredatabricks.net"
DOORS: dict[str, Callable[[DatabricksCredentials], Any]] = {
    "hook": lambda databricks: asyncio.run(DatabricksHook(databricks.host, databricks.get_auth()).get_run(1)),
    "get_client": lambda databricks: databricks.get_client(),
    "get_async_client": lambda databricks: databricks.get_async_client(),
}


@pytest.fixture
def databricks(monkeypatch: pytest.MonkeyPatch) -> DatabricksCredentials:
    for name in ("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setitem(sys.modules, "socksio", None)  # it is not installed
    return DatabricksCredentials(host=HOST, token="dapi-secret")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("variable", "address", "says"),
    [
        ("ALL_PROXY", "socks5://ada:hunter2@127.0.0.1:1", "ALL_PROXY names a SOCKS proxy.* `pip install 'httpx"),
        ("https_proxy", "SOCKS5h://ada:hunter2@127.0.0.1:1", "https_proxy names a SOCKS proxy"),
        ("HTTPS_PROXY", "socks4://ada:hunter2@127.0.0.1:1", "HTTPS_PROXY must name a proxy by an address"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_plain_error_without_its_password(
    databricks: DatabricksCredentials,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    address: str,
    says: str,
    door: str,
) -> None:
    monkeypatch.setenv(variable, address)
    with pytest.raises(DatabricksConnectionError, match=says) as caught:
        DOORS[door](databricks)
    error: BaseException | None = caught.value
    while error is not None:
        assert "hunter2" not in repr(error)
        error = error.__cause__ or error.__context__
