"""Requests whose target is a whole address, as clients send them to an HTTP proxy."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import API, Client


def exchange(workspace: LocalWorkspace, target: str, token: str) -> tuple[bytes, bytes]:
    """Returns status line and body of the answer to a GET with just this target."""
    with socket.create_connection(("127.0.0.1", int(workspace.url.rpartition(":")[2]))) as plain:
        lines = [f"GET {target} HTTP/1.1", "Host: other", f"Authorization: Bearer {token}", "Connection: close", "", ""]
        plain.sendall("\r\n".join(lines).encode())
        head, _, body = b"".join(iter(lambda: plain.recv(65536), b"")).partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], body


def test_a_client_may_use_the_workspace_as_its_http_proxy(client: Client) -> None:
    workspace = client.workspace
    headers = {"Authorization": f"Bearer {workspace.token}"}
    with httpx.Client(proxy=workspace.url, trust_env=False, headers=headers) as proxied:
        job_id = proxied.post("http://anything.local/api/2.0/jobs/create", json={"name": "x"}).json()["job_id"]
        assert workspace.requests[-1].path == "/api/2.0/jobs/create"
        answer = proxied.get("http://anything.local/api/2.0/jobs/get", params={"job_id": job_id})
    assert answer.json()["job_id"] == job_id
    assert workspace.requests[-1].path == "/api/2.0/jobs/get"
    assert workspace.requests[-1].query == {"job_id": str(job_id)}


def test_a_client_that_comes_that_way_is_not_let_in_without_sign_in(shared_workspace: LocalWorkspace) -> None:
    with httpx.Client(proxy=shared_workspace.url, trust_env=False) as proxied:
        assert proxied.get(f"http://anything.local{API}/list").status_code == 401


def test_the_address_in_the_target_is_the_one_that_discovery_leads_to(shared_workspace: LocalWorkspace) -> None:
    for target in ("http://a.local:81", "HTTP://me:pw@a.local:81"):
        _, body = exchange(shared_workspace, f"{target}/.well-known/databricks-config", "")
        assert json.loads(body)["oidc_endpoint"] == "http://a.local:81/oidc"


@pytest.mark.parametrize("target", ["http://a.local", "http://a.local/", "http://a.local?x=1"])
def test_an_address_without_a_path_is_the_home_page(shared_workspace: LocalWorkspace, target: str) -> None:
    status, body = exchange(shared_workspace, target, "")
    assert status.startswith(b"HTTP/1.1 200")
    assert b"Local workspace" in body
    assert shared_workspace.requests[-1].path == "/"


def test_an_address_within_a_path_stays_there(shared_workspace: LocalWorkspace) -> None:
    status, _ = exchange(shared_workspace, f"/http://a.local{API}/list", shared_workspace.token)
    assert status.startswith(b"HTTP/1.1 404")
    assert shared_workspace.requests[-1].path == f"/http://a.local{API}/list"
