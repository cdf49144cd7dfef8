"""Credentials for each way to sign in to a local workspace, and the environment that the ways look for."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs._runtime import forget
from prefect_databricks_runs.local import LocalWorkspace
from tests.support.identities import (
    AZURE_DEVOPS,
    ENTRA_AUDIENCE,
    GITHUB,
    KUBERNETES,
    TENANT,
    Identities,
)

CLIENT_ID, CLIENT_SECRET = "an-application", "dose-hunter2"
RESOURCE = "/subscriptions/1/resourceGroups/2/providers/Microsoft.Databricks/workspaces/3"
_OF_OTHERS = ("ACTIONS_", "ARM_", "AZURE_", "DATABRICKS_", "IDENTITY_", "SYSTEM_", "PREFECT_DATABRICKS_RUNS_TOKEN")

# Each way, with the parties that it asks for a token, in order; Databricks' own is `databricks`.
WAYS: dict[str, tuple[str, ...]] = {
    "service principal": ("databricks",),
    "entra": ("entra",),
    "entra with a resource id": ("entra", "entra"),
    "workload identity": ("entra",),
    "managed identity": ("imds",),
    "federation by a file": ("databricks",),
    "federation by a variable": ("databricks",),
    "federation of github": ("github", "databricks"),
    "federation of azure devops": ("azure-devops", "databricks"),
    "command": (),
}


class SignIns:
    """Credentials for each way to sign in, and what it finds where it runs.

    Args:
        workspace: With a service principal.
        identities: The other parties.
        folder: For files.
    """

    def __init__(self, workspace: LocalWorkspace, identities: Identities, folder: Path) -> None:
        self.workspace, self.identities = workspace, identities
        self.file = folder / "identity-token"
        self.pod_file = folder / "pod-token"
        self.printed = folder / "printed"
        identities.trust(GITHUB, KUBERNETES, audiences=[f"{workspace.url}/oidc/v1/token", workspace.account_id])
        identities.trust(AZURE_DEVOPS, audiences=[ENTRA_AUDIENCE])

    def renew(self) -> None:
        """Write the files and the output of the command anew, with tokens that last."""
        issuer, subject = KUBERNETES
        lasting = {"seconds": 3600, "issuer": issuer}
        self.file.write_text(f"{self.workspace.issue_identity_token(subject, **lasting)}\n")
        self.pod_file.write_text(self.identities.service_account_token(ENTRA_AUDIENCE))

    @property
    def environment(self) -> dict[str, str]:
        """What there is in the environment."""
        found = {"PREFECT_DATABRICKS_RUNS_TOKEN_COMMANDS": "1", "AZURE_FEDERATED_TOKEN_FILE": str(self.pod_file)}
        for party in ("entra", "imds", "github", "azure-devops"):
            found |= self.identities.environment(party)
        return {**found, "DATABRICKS_OIDC_TOKEN": self.file.read_text()}

    def of(self, way: str, **more: Any) -> DatabricksCredentials:
        """Return credentials for a way."""
        client_id = self.identities.client_id
        entra = {"azure_tenant_id": TENANT, "client_id": client_id, "client_secret": self.identities.client_secret}
        prints = f"{shlex.quote(sys.executable)} -c {shlex.quote(f'print(open({str(self.printed)!r}).read())')}"
        fields: dict[str, dict[str, str]] = {
            "service principal": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
            "entra": entra,
            "entra with a resource id": {**entra, "azure_workspace_resource_id": RESOURCE},
            "workload identity": {"azure_identity": "workload", "client_id": client_id},
            "managed identity": {"azure_identity": "managed"},
            "federation by a file": {
                "oidc": "file",
                "client_id": client_id,
                "oidc_token_filepath": str(self.file),
            },
            "federation by a variable": {"oidc": "env", "client_id": client_id},
            "federation of github": {"oidc": "github", "client_id": client_id},
            "federation of azure devops": {"oidc": "azure-devops", "client_id": client_id},
            "command": {"token_command": prints},
        }
        return DatabricksCredentials(host=self.workspace.url, **fields[way], **more)


@contextmanager
def parties(
    monkeypatch: pytest.MonkeyPatch, seconds: float = 3600.0, **options: Any
) -> Iterator[tuple[LocalWorkspace, Identities]]:
    """A workspace and the other parties of a sign-in, and nothing of them in the environment.

    Args:
        monkeypatch: Puts the environment right again.
        seconds: How long tokens are good.
        **options: Of the workspace.
    """
    for name in list(os.environ):
        if name.startswith(_OF_OTHERS):
            monkeypatch.delenv(name)
    forget()
    with (
        LocalWorkspace(
            client_id=CLIENT_ID, client_secret=CLIENT_SECRET, oauth_token_seconds=seconds, **options
        ) as workspace,
        Identities(workspace, seconds=seconds) as identities,
    ):
        yield workspace, identities
    forget()  # the clock of tokens too, which a test may have changed


@contextmanager
def signing_in(
    monkeypatch: pytest.MonkeyPatch, folder: Path, seconds: float = 3600.0, **options: Any
) -> Iterator[SignIns]:
    """A workspace and the other parties, with what they put into the environment, and nothing else of theirs there.

    Args:
        monkeypatch: Puts the environment right again.
        folder: For files.
        seconds: How long tokens are good.
        **options: Of the workspace.
    """
    with parties(monkeypatch, seconds, **options) as (workspace, identities):
        sign_ins = SignIns(workspace, identities, folder)
        sign_ins.renew()
        for name, value in sign_ins.environment.items():
            monkeypatch.setenv(name, value)
        yield sign_ins
