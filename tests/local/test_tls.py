"""A workspace behind https."""

from __future__ import annotations

import logging
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import API


@pytest.fixture(scope="module")
def workspace() -> Iterator[LocalWorkspace]:
    with LocalWorkspace(tls=True) as workspace:
        yield workspace


def trusting(workspace: LocalWorkspace) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(workspace.ca_file))


def signed_in(workspace: LocalWorkspace) -> httpx.Client:
    headers = {"Authorization": f"Bearer {workspace.token}"}
    return httpx.Client(base_url=workspace.url, headers=headers, verify=trusting(workspace), trust_env=False)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_client_that_trusts_the_authority_is_served(workspace: LocalWorkspace, name: str) -> None:
    base = workspace.url.replace("127.0.0.1", name)
    answer = httpx.get(f"{base}/.well-known/databricks-config", verify=trusting(workspace))
    assert workspace.url.startswith("https://127.0.0.1:")
    assert answer.json()["oidc_endpoint"] == f"{base}/oidc"


def test_a_strict_client_finds_nothing_wrong_with_the_certificates(workspace: LocalWorkspace) -> None:
    context = trusting(workspace)
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    assert httpx.get(workspace.url, verify=context).status_code == 200


def test_a_client_that_does_not_trust_the_authority_refuses(workspace: LocalWorkspace) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(workspace.url)


def test_the_authority_of_one_workspace_does_not_vouch_for_another(workspace: LocalWorkspace) -> None:
    with LocalWorkspace(tls=True) as other, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(other.url, verify=trusting(workspace))


def test_plain_http_gets_no_answer(workspace: LocalWorkspace) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(workspace.url.replace("https", "http"))


def test_our_own_credentials_reach_it_by_the_variable_that_openssl_reads(
    workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(workspace.ca_file))
    credentials = DatabricksCredentials(host=workspace.url, token=workspace.token)
    with credentials.get_client() as client:
        assert client.get("/api/2.2/jobs/list").status_code == 200


def test_the_certificates_are_there_while_it_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    workspace = LocalWorkspace(tls=True)
    with pytest.raises(RuntimeError, match="was not started"):
        _ = workspace.ca_file
    with workspace:
        ca_file = workspace.ca_file
        assert ca_file is not None
        assert "PRIVATE KEY" not in ca_file.read_text()
        assert ca_file.parent.stat().st_mode & 0o077 == 0
        assert sum(file.read_text().count("PRIVATE KEY-----") for file in ca_file.parent.iterdir()) == 2  # of one key
    assert not list(tmp_path.iterdir())


def test_without_tls_there_is_no_authority(shared_workspace: LocalWorkspace) -> None:
    assert shared_workspace.ca_file is None


def test_an_answer_does_not_wait_for_the_clients_acknowledgement(workspace: LocalWorkspace) -> None:
    times = []
    with signed_in(workspace) as client:
        for _ in range(21):
            begin = time.perf_counter()
            assert client.get(f"{API}/list").status_code == 200
            times.append(time.perf_counter() - begin)
    assert sorted(times)[10] < 0.03  # 0.04 is how long Linux holds one back


def test_an_idle_client_does_not_delay_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with LocalWorkspace(tls=True) as workspace, signed_in(workspace) as client:
        assert client.get(f"{API}/list").status_code == 200
        with caplog.at_level(logging.WARNING):
            workspace.stop()
    assert not caplog.records
