"""A block made in each tab of its form signs in, in a flow of a deployment that a worker runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from prefect.flows import EntrypointType

from prefect_databricks_runs import DatabricksCredentials
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.browser.all_ways import who_am_i
from tests.browser.chromium import NOT_FOUND, chromium_path
from tests.browser.flow_run_page import FlowRunPage
from tests.browser.forms import Form
from tests.support.identities import TENANT
from tests.support.prefect_api import PrefectApi
from tests.support.prefect_cli import prefect
from tests.support.sign_ins import CLIENT_ID, CLIENT_SECRET, SignIns, signing_in

pytestmark = [pytest.mark.skipif(chromium_path() is None, reason=NOT_FOUND), pytest.mark.timeout(300), pytest.mark.long]

SLUG = DatabricksCredentials._block_type_slug


@pytest.fixture(scope="module")
def deployment_id(prefect_api: PrefectApi) -> str:
    """A deployment; made before the browser, which takes the thread's loop."""
    DatabricksCredentials.register_type_and_schema()
    prefect_api.create_work_pool("sign-in-forms", "process")
    deployment = who_am_i.to_deployment(
        "sign-in-forms", work_pool_name="sign-in-forms", entrypoint_type=EntrypointType.MODULE_PATH
    )
    return str(deployment.apply())


@pytest.fixture
def sign_ins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SignIns]:
    with signing_in(monkeypatch, tmp_path, login="ada", password="a-password") as sign_ins:
        sign_ins.printed.write_text(sign_ins.workspace.issue_token(user=CLIENT_ID))
        (tmp_path / "cfg").write_text(f"[dev]\nhost={sign_ins.workspace.url}\ntoken={sign_ins.workspace.token}\n")
        monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "cfg"))
        yield sign_ins


def tabs(sign_ins: SignIns) -> dict[str, dict[str, str]]:
    """What is filled in, by the name of the field; what is chosen from a list is the first."""
    identities = sign_ins.identities
    return {
        "Token": {"Token": sign_ins.workspace.token},
        "Service principal": {"Client id": CLIENT_ID, "Client secret": CLIENT_SECRET},
        "Entra ID": {
            "Tenant id": TENANT,
            "Client id": identities.client_id,
            "Client secret": identities.client_secret,
        },
        "Azure identity": {"Identity": "managed"},
        "Federation": {
            "Token of the identity provider": "file",
            "Client id": identities.client_id,
            "Token file": str(sign_ins.file),
        },
        "Command": {"Command": sign_ins.of("command").token_command},
        "Profile": {"Profile": "dev"},
        "Login": {"Login": "ada", "Password": "a-password"},
    }


CHOSEN = ("Identity", "Token of the identity provider")


def test_a_block_made_in_each_tab_signs_in_in_a_flow_of_a_deployment(
    deployment_id: str,
    sign_ins: SignIns,
    page: Page,
    prefect_server: PrefectServer,
    flow_run_page: Callable[[str], FlowRunPage],
    keep_picture: Callable[[str], None],
) -> None:
    ui_url = prefect_server.api_url.removesuffix("/api")
    names: dict[str, str] = {}
    for tab, fields in tabs(sign_ins).items():
        names[tab] = f"made-in-{tab.lower().replace(' ', '-')}"
        form = Form(page, f"{ui_url}/blocks/catalog/{SLUG}/create")
        form.fill("Block Name", names[tab])
        form.fill("Host", sign_ins.workspace.url)
        form.open_tab(tab)
        for name, value in fields.items():
            (form.choose if name in CHOSEN else form.fill)(name, value)
        keep_picture(f"block-form-{tab.lower().replace(' ', '-')}")
        block_id = form.submit("Create", creates="/block_documents")
        if tab == "Service principal":  # the secret survives when something else is edited
            edit = Form(page, f"{ui_url}/blocks/block/{block_id}/edit")
            expect(edit.field("Client id").locator("input, textarea")).to_have_value(CLIENT_ID)
            edit.fill("Requests per second", "20")
            edit.save()

    run = Form(page, f"{ui_url}/deployments/deployment/{deployment_id}/run")
    run.fill("names", " ".join(names.values()))
    flow_run_id = run.submit("Submit", creates="/create_flow_run")
    prefect(prefect_server, "worker", "start", "--pool", "sign-in-forms", "--run-once")
    done = flow_run_page(flow_run_id)
    done.open()
    expect(done.badge).to_have_text("Completed")
