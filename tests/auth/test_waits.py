"""A wait outlives its tokens, whichever way they come: in real flows, with tokens that are good for four seconds."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from prefect_databricks_runs import DatabricksCredentials, Run, asubmit_run_and_wait
from tests.conftest import RunLog
from tests.support.sign_ins import CLIENT_ID, CLIENT_SECRET, WAYS, SignIns, signing_in

pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.timeout(240)]

TOKEN_SECONDS, RUN_SECONDS = 4.0, 11.0
BODY = {"tasks": [{"task_key": "main", "notebook_task": {"notebook_path": "/n"}}]}
# How a failed poll, a refused token and a request that is sent again show in the log.
TROUBLE = ("Could not read", "Retrying once", "Try ", "has changed")
OPTIONS: dict[str, Any] = {"polling_period_seconds": 0.3, "databricks_retry_delay": 0.2}


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SignIns]:
    """Ways to sign in whose tokens are good for four seconds."""
    script = {"*": {"running": RUN_SECONDS, "result": "done"}}
    with signing_in(monkeypatch, tmp_path, TOKEN_SECONDS, script=script, concurrency=32) as sign_ins:
        sign_ins.printed.write_text(sign_ins.workspace.issue_token(3600))
        yield sign_ins


def waits(**credentials: DatabricksCredentials) -> dict[str, Run]:
    """Start a run with each of the credentials, and wait for all of them at once."""

    @flow(name="signs-in")
    async def all_at_once() -> dict[str, Run]:
        runs = (asubmit_run_and_wait(each, {**BODY, "run_name": name}, **OPTIONS) for name, each in credentials.items())
        return dict(zip(credentials, await asyncio.gather(*runs), strict=True))

    return asyncio.run(all_at_once())


@pytest.mark.long
def test_a_wait_in_which_its_token_ends_several_times_has_no_failed_poll_whichever_way_it_signs_in(
    short: SignIns, run_log: RunLog
) -> None:
    stop = threading.Event()

    def renew_the_printed_token() -> None:
        while not stop.is_set():
            token = short.workspace.issue_token(user=CLIENT_ID)
            short.printed.with_suffix(".new").write_text(token)
            short.printed.with_suffix(".new").replace(short.printed)
            stop.wait(0.5)

    renewing = threading.Thread(target=renew_the_printed_token)
    renewing.start()
    try:
        runs = waits(**{way: short.of(way, requests_per_second=100) for way in WAYS})
    finally:
        stop.set()
        renewing.join()
    assert {way: run.state.name for way, run in runs.items()} == dict.fromkeys(WAYS, "Success")
    assert len(short.workspace.runs) == len(WAYS)
    assert [line for line in run_log.lines if any(words in line for words in TROUBLE)] == []
    for party, at_least in {"entra": 3 * 4, "imds": 3, "github": 3, "azure-devops": 3}.items():
        assert short.identities.count(party) >= at_least
    refused = [each for each in short.workspace.requests if each.status in (401, 403)]
    assert len(refused) <= 1, "a machine with other work may be late once"


@pytest.mark.long
def test_a_wait_goes_on_when_its_secret_is_rotated_its_issuer_is_down_or_its_file_is_gone(
    short: SignIns, run_log: RunLog
) -> None:
    """Each lasts longer than the token that the wait has when it begins."""
    saved = short.of("service principal", requests_per_second=100)
    saved.save("a-principal", overwrite=True)
    loaded: Any = DatabricksCredentials.load("a-principal")

    def trouble() -> None:
        while len(short.workspace.runs) < 3:
            time.sleep(0.1)
        time.sleep(1)
        short.identities.fail("entra", 503, 1_000)
        content = short.file.read_text()
        short.file.unlink()
        new = short.workspace.rotate_client_secret(CLIENT_ID)
        short.workspace.expire_tokens()
        time.sleep(3)
        DatabricksCredentials(host=short.workspace.url, client_id=CLIENT_ID, client_secret=new).save(
            "a-principal", overwrite=True
        )
        short.file.write_text(content)
        short.identities.fail("entra", None, 0)

    in_trouble = threading.Thread(target=copy_context().run, args=(trouble,))
    in_trouble.start()
    try:
        runs = waits(
            rotated=loaded,
            down=short.of("entra", requests_per_second=100),
            gone=short.of("federation by a file", requests_per_second=100),
        )
    finally:
        in_trouble.join()
    assert {run.state.name for run in runs.values()} == {"Success"}
    assert len(short.workspace.runs) == 3
    assert "(the run itself may be fine)" in run_log.text
    assert CLIENT_SECRET not in run_log.text
