"""What is left of an exception, shown with the variables of its frames or pickled, has no secret in it."""

from __future__ import annotations

import asyncio
import copy
import io
import pickle
import traceback
import warnings
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from rich.console import Console
from rich.traceback import Traceback

from prefect_databricks_runs import DatabricksCredentials, DatabricksError, InvalidCredentials
from prefect_databricks_runs._prefect.compat import SecretStr
from prefect_databricks_runs.auth import TokenAuth

HOST = "https://adb-1.2.azuredatabricks.net"
# Put together when used, so that no line of code that a traceback shows has it.
SECRET = "".join(["dapi", "0123456789abcdef" * 2])
PAIR = b64encode(f"ada:{SECRET}".encode()).decode()


def given(**fields: Any) -> Any:
    return lambda: DatabricksCredentials(**fields)


def connected(connection: Any) -> Any:
    return lambda: DatabricksCredentials.from_connection_string(connection)


WRONG = {
    "no host": given(token=SECRET),
    "no host, and a misspelt token": given(tokne=SECRET),
    "a token as the host": given(host=SECRET, token="t"),
    "a token as the host and the token": given(host=SECRET.replace("dapi", "x"), token=SECRET.replace("dapi", "x")),
    "a token as an address": given(host=f"https://{SECRET}-2/?o=1", token="t"),
    "a token of a service as the host": given(host=f"eyJhbGciOiJSUzI1NiJ9.{SECRET * 9}.{SECRET}", token="t"),
    "a token in a host that is none": given(host=f"my {SECRET}", token="t"),
    "a token as a port": given(host=f"https://x:{SECRET}", token="t"),
    "a misspelt token": given(host=HOST, tokne=SECRET),
    "a secret as a field": given(host=HOST, token=SECRET, **{SECRET: "token"}),
    "two ways": given(host=HOST, token=SECRET, login="ada", password=SECRET),
    "two ways, hidden": given(host=HOST, token=SecretStr(SECRET), login="ada", password=SecretStr(SECRET)),
    "half a way": given(host=HOST, password=SECRET),
    "a token with a line break": given(host=HOST, token=f"{SECRET}\n{SECRET}"),
    "a timeout of 0": given(host=HOST, token=SECRET, request_timeout_seconds=0),
    "a timeout that is a token": given(host=HOST, token=SECRET, request_timeout_seconds=SECRET),
    "a list as the token": given(host=HOST, token=[SECRET]),
    "bytes as the token": given(host=HOST, token=SECRET.encode()),
    "a dict as the password": given(host=HOST, login="ada", password={"value": SECRET}),
    "a list as the login": given(host=HOST, login=[SECRET]),
    "a list as the host": given(host=[SECRET], token="t"),
    "a connection that is not JSON": connected(SECRET),
    "a connection that is cut": connected(f'{{"host": "h", "token": "{SECRET}'),
    "a connection that is a list": connected(f'["{SECRET}"]'),
    "a connection without a host": connected({"token": SECRET}),
    "a connection with a secret as a key": connected({"host": "h", SECRET: "token"}),
    "a connection with a list": connected({"host": "h", "token": [SECRET]}),
    "a connection with two ways": connected({"host": "h", "login": "ada", "password": SECRET, "token": SECRET}),
    "a connection with a token as the host": connected(f'{{"host": "{SECRET}", "token": "{SECRET}"}}'),
}


def raised(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except Exception as error:
        here = error.__traceback__
        # What this file has in its own variables does not count.
        return error.with_traceback(here and here.tb_next and here.tb_next.tb_next)
    raise AssertionError("nothing was raised")


def everything(error: BaseException) -> str:
    """All that can be left of an error."""
    screen = io.StringIO()
    console = Console(file=screen, width=20_000, color_system=None)
    assert error.__traceback__ is not None
    shown_whole: Any = {"show_locals": True, "locals_max_string": None, "locals_max_length": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Prefect's objects have fields that warn when they are looked at
        console.print(Traceback.from_exception(type(error), error, error.__traceback__, **shown_whole))
    shown = "".join(traceback.format_exception(error)) + screen.getvalue()
    each: BaseException | None = error
    while each is not None:
        shown += repr(each) + repr(vars(each)) + pickle.dumps(each, protocol=0).decode("latin-1")
        each = each.__cause__ or each.__context__
    return shown


def shows_a_secret(text: str) -> bool:
    return any(form.lower() in text.lower() for form in (SECRET, SECRET.removeprefix("dapi"), PAIR))


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_credentials_that_are_wrong_are_one_error_of_ours_without_the_secret(call) -> None:
    error = raised(call)
    assert isinstance(error, InvalidCredentials)
    left = everything(error)
    assert "_fields.py" not in left  # where secrets are in plain, nothing is raised
    assert not shows_a_secret(left)


def test_a_token_as_the_host_is_named_as_what_it_is() -> None:
    with pytest.raises(InvalidCredentials, match="must be the address of a workspace.*the current value is a token"):
        DatabricksCredentials(host=SECRET, token="t")


@pytest.mark.parametrize(
    "host",
    ["databricks", "https://adb-1.2.azuredatabricks.net/?o=1#notebook/" + "x" * 80, "dbc-0123456789abcdef.cloud.x.com"],
)
def test_an_address_is_not_taken_for_a_token(host) -> None:
    assert DatabricksCredentials(host=host, token="t").host.startswith("https://d" if host[0] == "d" else HOST)


def test_a_number_that_is_none_is_named_with_its_field() -> None:
    with pytest.raises(InvalidCredentials, match="`request_timeout_seconds`: .*number|not a valid float"):
        DatabricksCredentials(host=HOST, token="t", request_timeout_seconds="soon")


def test_a_secret_of_either_pydantic_is_taken() -> None:
    import pydantic
    import pydantic.v1

    for kind in (pydantic.SecretStr, pydantic.v1.SecretStr):
        assert DatabricksCredentials(host=HOST, token=kind(SECRET)).get_auth() == TokenAuth(SECRET)


def test_a_saved_block_that_is_wrong_shows_no_secret(prefect_server) -> None:
    from prefect.blocks.system import Secret

    Secret(value=SECRET).save("no-credentials", overwrite=True)
    good: Any = DatabricksCredentials(host=HOST, token=SECRET)
    good.sign_in.token = SecretStr(f"{SECRET} {SECRET}")
    good.save("two-ways", overwrite=True)
    for slug in ("secret/no-credentials", "databricks-runs-credentials/two-ways"):
        error = raised(lambda slug=slug: DatabricksCredentials.of_reference({"block_document_slug": slug}))
        assert isinstance(error, InvalidCredentials)
        assert not shows_a_secret(everything(error))


def redirecting(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/gone":
        raise httpx.ConnectError("gone", request=request)
    return httpx.Response(302, headers={"Location": "/gone"})


def failing(**options: Any) -> BaseException:
    with DatabricksCredentials(host=HOST, token=SECRET).get_client() as client:
        client._transport = httpx.MockTransport(redirecting)
        return raised(lambda: client.get("/there", **options).raise_for_status())


def test_an_error_of_the_blocks_client_pickles_without_the_token() -> None:
    for error in (failing(), failing(follow_redirects=True)):
        assert isinstance(error, httpx.HTTPError)
        assert error.request.headers["Authorization"] == f"Bearer {SECRET}"  # it was sent, and can be looked at
        assert not shows_a_secret(everything(error))


def test_an_error_of_the_blocks_async_client_pickles_without_the_token() -> None:
    async def ask(follow_redirects: bool) -> object:
        async with DatabricksCredentials(host=HOST, login="ada", password=SECRET).get_async_client() as client:
            client._transport = httpx.MockTransport(redirecting)
            return (await client.get("/there", follow_redirects=follow_redirects)).raise_for_status()

    for follow_redirects in (False, True):
        error = raised(lambda follow=follow_redirects: asyncio.run(ask(follow)))
        assert isinstance(error, httpx.HTTPError)
        assert not shows_a_secret(pickle.dumps(error, protocol=0).decode("latin-1"))
        assert not shows_a_secret(everything(error))


def test_an_answer_pickles_without_the_token_and_its_request_can_be_sent_again_in_this_process() -> None:
    with DatabricksCredentials(host=HOST, token=SECRET).get_client() as client:
        client._transport = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
        response = client.get("/there")
    again = pickle.loads(pickle.dumps(response))
    assert "Authorization" not in again.request.headers
    assert again.request.headers["User-Agent"] == response.request.headers["User-Agent"]
    for copied in (copy.copy(response.request.headers), copy.deepcopy(response.request.headers)):
        assert copied["Authorization"] == f"Bearer {SECRET}"


def test_every_error_of_ours_is_one_that_a_caller_can_catch() -> None:
    assert all(isinstance(raised(call), DatabricksError) for call in WRONG.values())
