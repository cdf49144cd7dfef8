"""The guides to signing in: what they say is done, from top to bottom, and each block that they save signs in."""

from __future__ import annotations

import json
import re
import shlex
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from prefect_databricks_runs._runtime import forget
from prefect_databricks_runs.demo.servers import PrefectServer
from prefect_databricks_runs.local import LocalWorkspace
from tests.support.command_line import in_this_process
from tests.support.identities import GITHUB, TENANT, Identities
from tests.support.sign_ins import parties
from tests.test_docs import DOCS, Fence, fences

pytestmark = pytest.mark.usefixtures("prefect_server")

# What the guides name: the workspace, and the token, secret and password that sign in to it there.
HOST = "https://adb-1.2.azuredatabricks.net"
TOKEN = "dapi0123456789"
PRINCIPAL, SECRET = "3c8c6d2e-5b5f-4f0e-8d0f-2f6f0f2f9b11", "dose0123456789abcdef"
LOGIN, PASSWORD = "ada", "correct-horse"
VAULT = "vault read -field=token databricks/creds/etl"
ALLOWED_BY = "PREFECT_DATABRICKS_RUNS_TOKEN_COMMANDS"


class Reader:
    """A reader of one guide, who has a workspace and the parties that the guide speaks of.

    Args:
        workspace: The workspace at `HOST`.
        identities: The other parties.
        server: Where blocks are saved.
        folder: Plays the file system.
        environment: Sets a variable where the flow runs.
    """

    def __init__(
        self,
        workspace: LocalWorkspace,
        identities: Identities,
        server: PrefectServer,
        folder: Path,
        environment: Callable[[str, str], None],
    ) -> None:
        self.workspace, self.identities, self.server = workspace, identities, server
        self.folder, self.environment = folder, environment
        self.names: dict[str, Any] = {}
        self.policy: dict[str, Any] = {}
        self.files: dict[str, str] = {}
        self.token_file = ""
        self.federated_credential: dict[str, str] = {}
        self.service_account: dict[str, Any] = {}

    def do(self, fence: Fence) -> None:
        """Do what a block says."""
        if fence.language == "python":
            text = self._here(fence.text)
            exec(compile(text, "guide", "exec", dont_inherit=True), self.names)
        elif fence.title == "policy.json":
            self.policy = json.loads(fence.text)["oidc_policy"]
            self.workspace.add_federation_policy(client_id=self.identities.client_id, **self.policy)
        elif fence.language == "yaml":
            self.files[fence.title] = fence.text
            for document in yaml.safe_load_all(fence.text):
                self._push(document)
        elif fence.language == "bash":
            for line in fence.text.splitlines():
                self._type(line)

    def _here(self, text: str) -> str:
        places = {HOST: self.workspace.url, TOKEN: self.workspace.token}
        for self.token_file in re.findall(r'oidc_token_filepath="(.*)"', text):
            places[self.token_file] = str(self.folder / "token")
        for there, here in places.items():
            text = text.replace(there, here)
        return text

    def _apply(self, document: dict[str, Any]) -> None:
        """Do what Kubernetes does with a manifest, on AKS or elsewhere; a pod runs its command."""
        metadata = document["metadata"]
        if document["kind"] == "ServiceAccount":
            self.service_account = document
            return
        spec = document["spec"]
        [container] = spec["containers"]
        assert spec["serviceAccountName"] == self.service_account["metadata"]["name"]
        subject = f"system:serviceaccount:{metadata['namespace']}:{spec['serviceAccountName']}"
        if "volumes" in spec:
            [volume], [mount] = spec["volumes"], container["volumeMounts"]
            assert mount["name"] == volume["name"]
            projected = volume["projected"]["sources"][0]["serviceAccountToken"]
            assert self.token_file == f"{mount['mountPath']}/{projected['path']}"
            assert subject == self.policy["subject"]
            (self.folder / "token").write_text(self._identity_token(projected["audience"]))
        else:  # on AKS, whose webhook looks for the label
            assert metadata["labels"] == {"azure.workload.identity/use": "true"}
            assert self.federated_credential["--subject"] == subject
            annotations = self.service_account["metadata"]["annotations"]
            self.environment("AZURE_CLIENT_ID", annotations["azure.workload.identity/client-id"])
            audience = self.federated_credential["--audiences"]
            (self.folder / "pod-token").write_text(self.identities.service_account_token(audience))
            self.environment("AZURE_FEDERATED_TOKEN_FILE", str(self.folder / "pod-token"))
            self.environment("AZURE_TENANT_ID", TENANT)
        assert [each["name"] for each in container["env"]] == ["PREFECT_API_URL"]
        self._type(shlex.join(container["command"]))

    def _push(self, document: dict[str, Any]) -> None:
        """Do what GitHub, Azure DevOps or GitLab does with a file of theirs."""
        if "jobs" in document:
            assert document["permissions"]["id-token"] == "write"
            job = document["jobs"]["nightly"]
            assert GITHUB[1].endswith(f":environment:{job['environment']}")
            self._set(self.identities.environment("github"))
            self._set_and_run(job["env"], [each["run"] for each in job["steps"] if "run" in each])
        elif "steps" in document:
            environment = self.identities.environment("azure-devops")
            token = environment.pop("SYSTEM_ACCESSTOKEN")
            self._set(environment)
            step = document["steps"][-1]
            assert step["env"].pop("SYSTEM_ACCESSTOKEN") == "$(System.AccessToken)"
            self._set({"SYSTEM_ACCESSTOKEN": token})
            self._set_and_run(step["env"], [step["script"].partition(" && ")[0]])
        elif "nightly" in document:
            [(variable, wanted)] = document["nightly"]["id_tokens"].items()
            self.environment(variable, self._identity_token(wanted["aud"]))
            self._set_and_run({}, document["nightly"]["script"])

    def _set_and_run(self, environment: dict[str, str], lines: list[str]) -> None:
        """Run the steps of a job, whose Prefect server is the one here."""
        secrets = {name: value for name, value in environment.items() if value.startswith("$")}
        assert secrets.keys() <= {"PREFECT_API_URL", "PREFECT_API_KEY"}
        self._set({name: value for name, value in environment.items() if name not in secrets})
        assert any(line.startswith("prefect-databricks-runs check ") for line in lines)
        for line in lines:
            self._type(line)

    def _identity_token(self, audience: str) -> str:
        return self.workspace.issue_identity_token(
            self.policy["subject"], audience=audience, issuer=self.policy["issuer"]
        )

    def _type(self, line: str) -> None:
        command = shlex.split(line)
        if command[0] == "export":
            self._set(dict([command[1].split("=", 1)]))
        elif command[:2] == ["kubectl", "apply"]:
            for document in yaml.safe_load_all(self.files[command[-1]]):
                self._apply(document)
        elif command[:4] == ["az", "identity", "federated-credential", "create"]:
            self.federated_credential = dict(zip(command[4::2], command[5::2], strict=True))
            assert self.federated_credential["--issuer"] == "$ISSUER"
        elif command[0] == "prefect-databricks-runs":
            done = in_this_process(self.server, *command[1:])
            assert done.returncode == 0, done.stdout

    def _set(self, variables: dict[str, str]) -> None:
        for name, value in variables.items():
            self.environment(name, value)


@pytest.fixture
def reader(monkeypatch, tmp_path: Path, prefect_server: PrefectServer) -> Iterator[Reader]:
    with parties(monkeypatch, login=LOGIN, password=PASSWORD) as (workspace, identities):
        workspace.add_service_principal(PRINCIPAL, SECRET)
        for party in ("entra", "imds"):  # AZURE_TENANT_ID is set by AKS only
            for name, value in identities.environment(party).items():
                if name != "AZURE_TENANT_ID":
                    monkeypatch.setenv(name, value)
        yield Reader(workspace, identities, prefect_server, tmp_path, monkeypatch.setenv)


def who(reader: Reader, *whose: str) -> str:
    """The user that `check` finds."""
    done = in_this_process(reader.server, "check", *whose, "--json")
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)["user_name"]


def signs_in(reader: Reader, guide: str, users: dict[str, str]) -> None:
    """Read a guide, in which a block is checked where the guide says so and each one at the end."""
    blocks = fences(DOCS / "guides" / f"sign-in-{guide}.md")
    saved = "".join(each.text for each in blocks if each.language == "python")
    assert all(f'"{name}", overwrite=True' in saved for name in users)
    assert saved.count(".save(") == len(users)
    for block in blocks:
        reader.do(block)
    assert {name: who(reader, "--block", name) for name in users} == users


def test_with_a_token_or_a_password(reader: Reader) -> None:
    signs_in(reader, "token", {"my-token": "someone@localhost", "gateway": "someone@localhost"})


def test_as_a_service_principal(reader: Reader) -> None:
    signs_in(reader, "service-principal", {"principal": PRINCIPAL})


def test_with_an_identity_of_azure(reader: Reader) -> None:
    client_id = reader.identities.client_id
    names = ("managed", "system-assigned", "aks", "entra", "entra-of-azure")
    signs_in(reader, "azure", dict.fromkeys(names, client_id))
    for name, value in reader.identities.environment("app-service").items():
        reader.environment(name, value)
    reader.identities.user_assigned = 1
    forget()
    assert who(reader, "--block", "managed") == client_id
    assert in_this_process(reader.server, "check", "--block", "system-assigned").returncode == 1


def test_by_federation(reader: Reader) -> None:
    names = ("from-github", "from-azure-devops", "from-kubernetes", "from-gitlab")
    signs_in(reader, "federation", dict.fromkeys(names, reader.identities.client_id))


@pytest.mark.long  # databricks-sdk takes long to import, each time
def test_from_the_environment_or_a_profile_or_a_command(reader: Reader, monkeypatch) -> None:
    file = reader.folder / ".databrickscfg"
    [profiles] = [each for each in fences(DOCS / "guides" / "sign-in-environment.md") if each.language == "ini"]
    file.write_text(profiles.text.replace(HOST, reader.workspace.url).replace(TOKEN, reader.workspace.token))
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(file))
    monkeypatch.setenv("DATABRICKS_HOST", reader.workspace.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", reader.workspace.token)
    vault = reader.folder / "vault"
    vault.write_text(f'#!/bin/sh\ntest "$*" = "{VAULT.partition(" ")[2]}" && echo {reader.workspace.token}\n')
    vault.chmod(vault.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(reader.folder), prepend=":")
    signs_in(reader, "environment", {"my-laptop": "someone@localhost", "from-vault": "someone@localhost"})
    monkeypatch.delenv(ALLOWED_BY)
    forget()  # the token that it printed
    assert in_this_process(reader.server, "check", "--block", "from-vault").returncode == 1
