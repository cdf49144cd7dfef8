"""Ways to sign in, the hook, and the local workspace."""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import SecretStr
from typing_extensions import assert_type

from prefect_databricks_runs import DatabricksCredentials, DatabricksHook, Run
from prefect_databricks_runs.auth.sign_in import EntraServicePrincipal, PersonalToken, ServicePrincipal
from prefect_databricks_runs.local import LocalWorkspace

HOST = "https://adb-1.azuredatabricks.net"


def credentials() -> list[DatabricksCredentials]:
    return [
        DatabricksCredentials(host=HOST, token=SecretStr("dapi")),
        DatabricksCredentials(host=HOST, login="me", password=SecretStr("…")),
        DatabricksCredentials(host=HOST, sign_in=PersonalToken(token=SecretStr("dapi"))),
        DatabricksCredentials(host=HOST, sign_in=ServicePrincipal(client_id="a", client_secret=SecretStr("b"))),
        DatabricksCredentials(
            host=HOST,
            sign_in=EntraServicePrincipal(azure_tenant_id="c", client_id="a", client_secret=SecretStr("b")),
        ),
        DatabricksCredentials.from_environment(profile="prod"),
    ]


async def hook(databricks: DatabricksCredentials) -> None:
    assert_type(databricks.get_client(), httpx.Client)
    async with DatabricksHook(databricks.host, databricks.get_auth()) as client:
        assert_type(await client.get_run(7), Run)
        assert_type(await client.request("GET", "jobs/list"), dict[str, Any])


def local_workspace() -> None:
    with LocalWorkspace() as workspace:
        assert_type(workspace.url, str)
        assert_type(workspace.token, str)
