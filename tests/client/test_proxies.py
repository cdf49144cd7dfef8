"""Proxies of the environment: they get what goes to Databricks, and nothing that is meant for this machine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from prefect_databricks_runs import DatabricksCredentials, InvalidCredentials
from prefect_databricks_runs.auth import TokenAuth
from prefect_databricks_runs.credentials import normalize_host
from prefect_databricks_runs.demo.servers import direct_environment
from prefect_databricks_runs.errors import DatabricksConnectionError
from prefect_databricks_runs.hook import DatabricksHook
from prefect_databricks_runs.local import LocalWorkspace

TOKEN = "dapi0123456789abcdef"
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


class Proxy(ThreadingHTTPServer):
    """An HTTP proxy that connects nobody with anyone, and keeps who came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusal)
        self.came: list[tuple[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Refusal(BaseHTTPRequestHandler):
    def do_any(self) -> None:
        assert isinstance(self.server, Proxy)
        self.server.came.append((f"{self.command} {self.path}", str(self.headers)))
        self.send_error(502)

    do_GET = do_POST = do_CONNECT = do_any  # noqa: N815 - the names of the standard library

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=["HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"])
def proxy(request, monkeypatch) -> Iterator[Proxy]:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with Proxy() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv(request.param, server.url)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace() as workspace:
        yield workspace


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_hook_asks_this_machine_without_a_proxy(proxy, workspace, name) -> None:
    host = workspace.url.replace("127.0.0.1", name)

    async def ask() -> None:
        async with DatabricksHook(host, TokenAuth(workspace.token), retry_limit=1) as hook:
            assert await hook.request("GET", "runs/list") is not None

    asyncio.run(ask())
    assert proxy.came == []


def test_the_clients_of_the_block_ask_this_machine_without_a_proxy(proxy, workspace) -> None:
    credentials = DatabricksCredentials(host=workspace.url, token=workspace.token)
    with credentials.get_client() as client:
        assert client.get("/api/2.2/jobs/list").is_success

    async def ask() -> None:
        async with credentials.get_async_client() as client:
            assert (await client.get("/api/2.2/jobs/list")).is_success

    asyncio.run(ask())
    assert proxy.came == []


@pytest.mark.parametrize("host", ["http://127.0.0.1", "http://127.8.9.10", "http://localhost", "http://[::1]"])
def test_no_port_of_this_machine_is_asked_through_a_proxy(proxy, host) -> None:
    with DatabricksCredentials(host=f"{host}:1", token=TOKEN).get_client() as client, pytest.raises(httpx.ConnectError):
        client.get("/")
    assert proxy.came == []


@pytest.mark.parametrize("proxy", ["HTTPS_PROXY", "ALL_PROXY"], indirect=True)
def test_a_workspace_elsewhere_is_asked_through_the_proxy_which_never_sees_the_token(proxy) -> None:
    async def ask() -> None:
        async with DatabricksHook("https://workspace.invalid", TokenAuth(TOKEN), retry_limit=1) as hook:
            await hook.request("GET", "runs/list")

    with pytest.raises(DatabricksConnectionError):
        asyncio.run(ask())
    [(line, headers)] = proxy.came
    assert line == "CONNECT workspace.invalid:443"
    assert TOKEN not in headers


def test_this_machine_is_trusted_by_the_file_in_the_environment_all_the_same(proxy, monkeypatch) -> None:
    with LocalWorkspace(tls=True) as workspace:
        credentials = DatabricksCredentials(host=workspace.url, token=workspace.token)
        with credentials.get_client() as client, pytest.raises(httpx.ConnectError, match="certificate"):
            client.get("/api/2.2/jobs/list")
        monkeypatch.setenv("SSL_CERT_FILE", str(workspace.ca_file))
        with credentials.get_client() as client:
            assert client.get("/api/2.2/jobs/list").is_success
    assert proxy.came == []


def test_a_proxy_that_httpx_cannot_use_is_no_matter_for_this_machine(proxy, workspace, monkeypatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")  # needs a package that is not there
    with DatabricksCredentials(host=workspace.url, token=workspace.token).get_client() as client:
        assert client.get("/api/2.2/jobs/list").is_success


@pytest.mark.parametrize("proxy", ["HTTP_PROXY"], indirect=True)
@pytest.mark.parametrize("no_proxy", ["", "intranet.example"])
def test_the_demos_children_ask_this_machine_without_a_proxy(proxy, monkeypatch, no_proxy) -> None:
    monkeypatch.setenv("no_proxy", no_proxy)
    for name, value in direct_environment().items():
        monkeypatch.setenv(name, value)
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://127.0.0.1:1/api/health")
    assert proxy.came == []
    httpx.get("http://elsewhere.invalid/")
    assert len(proxy.came) == 1


@pytest.mark.parametrize("name", ["evil.localhost", "localhost.example.com", "0.0.0.0", "127.1", "x.127.0.0.1"])
def test_plain_http_is_refused_where_a_resolver_decides_whether_it_is_this_machine(name) -> None:
    with pytest.raises(InvalidCredentials, match="plain http"):
        normalize_host(f"http://{name}:1")
    assert normalize_host(f"https://{name}:1") == f"https://{name}:1"
