"""The steps of a check. Each asks Databricks one question, and changes nothing there."""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import anyio
import httpx

from .._client.answers import answered_at
from .._client.http import client_options, new_client
from .._client.retries import connection_reason
from .._client.session import Session
from .._client.tokens import FetchingAuth
from .._clock import SystemClock
from .._fields import as_mappings, as_number, as_text
from .._text import name as shown
from ..auth import (
    UNKNOWN_SECONDS,
    CommandAuth,
    EntraAuth,
    FederationAuth,
    ManagedIdentityAuth,
    ProfileAuth,
    ServicePrincipalAuth,
    TokenAuth,
    claims_of,
)
from ..auth.sign_in import OwnCommand, SignIn
from ..errors import DatabricksApiError, DatabricksConnectionError, DatabricksError, InvalidResponse, NotFound
from .found import Found
from .results import Step

_MOST_SECONDS = 30.0
_CLOCK_SECONDS = 60.0
_ANSWERS_ANYONE = "/.well-known/databricks-config"
_ME = "/api/2.0/preview/scim/v2/Me"
_JOBS = "/api/2.2/jobs"
_PRINCIPAL = "ServicePrincipal"
_NOT_SERVED = (httpx.codes.NOT_FOUND, httpx.codes.NOT_IMPLEMENTED)


async def steps_of(found: Found, facts: dict[str, Any]) -> AsyncGenerator[Step, None]:
    """Do the steps, up to a failed step that all others need.

    Args:
        found: The credentials.
        facts: The facts, which the steps fill in.
    """
    checked = _Checked(found, facts)
    try:
        yield checked.credentials()
        address = await checked.address()
        yield address
        if address.is_bad:
            return
        yield checked.clock()
        for needed in (checked.token, checked.user):
            step = await needed()
            yield step
            if step.result == "failed" or (step.is_bad and step.step == "token"):
                return
        yield await checked.may_list("list jobs", "list")
        yield await checked.may_list("list runs", "runs/list")
        yield checked.submit()
    finally:
        await checked.aclose()


class _Checked:
    """The checked credentials, and what is known of them so far."""

    def __init__(self, found: Found, facts: dict[str, Any]) -> None:
        self._source, self._facts = found.source, facts
        self._host, self._sign_in = found.credentials.host, found.credentials.sign_in
        self._auth = found.credentials.get_auth()
        self._seconds = min(found.credentials.request_timeout_seconds, _MOST_SECONDS)
        self._date: float | None = None
        self._ahead = 0
        self._me: Mapping[str, Any] = {}
        quiet = logging.Logger("check")
        quiet.addHandler(logging.NullHandler())
        self._session = Session(
            self._host,
            self._auth,
            timeout_seconds=self._seconds,
            shared=False,
            transport=None,
            refresh=None,
            pause=0.0,
            requests_per_second=None,
            clock=SystemClock(),
            logger=quiet,
        )

    async def aclose(self) -> None:
        await self._session.aclose()

    def credentials(self) -> Step:
        way = _way(self._sign_in)
        self._facts.update(source=self._source, host=self._host, sign_in=way)
        return Step("credentials", "ok", f"{self._host}, with {way}; from {self._source}.")

    async def address(self) -> Step:
        """Request a page that needs no sign-in. Any answer counts."""
        began = time.monotonic()
        try:
            async with new_client(httpx.AsyncClient, **client_options(self._host, self._seconds)) as client:
                with anyio.fail_after(self._seconds):
                    response = await client.send(client.build_request("GET", _ANSWERS_ANYONE), stream=True)
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            reason = connection_reason(error, self._seconds)
            gone = DatabricksConnectionError(reason, host=self._host, method="GET", path=_ANSWERS_ANYONE)
            return Step.of("address", gone)
        except httpx.InvalidURL:  # from a redirect, although redirects are not followed
            reason = "a redirect to an invalid address"
            odd = InvalidResponse(reason, host=self._host, method="GET", path=_ANSWERS_ANYONE, status_code=302)
            return Step.of("address", odd)
        self._date = answered_at(response)
        return Step("address", "ok", f"{self._host} answered in {time.monotonic() - began:.2f} s.")

    def clock(self) -> Step:
        if self._date is None:
            return Step("clock", "unknown", "The answer has no date.")
        ahead = round(time.time() - self._date)
        self._facts["clock_difference_seconds"] = self._ahead = ahead
        if abs(ahead) <= _CLOCK_SECONDS:
            return Step("clock", "ok", f"The clocks of this machine and of Databricks differ by {abs(ahead)} s.")
        way = "ahead of" if ahead > 0 else "behind"
        end = "early" if ahead > 0 else "late"
        detail = f"The clock of this machine is {abs(ahead)} s {way} the clock of Databricks."
        return Step("clock", "failed", f"{detail} Set it, because tokens seem to expire too {end}.")

    async def token(self) -> Step:
        if not isinstance(self._auth, FetchingAuth):
            end = as_number(claims_of(self._auth.token).get("exp")) if isinstance(self._auth, TokenAuth) else None
            return self._token_until(end, f"No request is needed to sign in with {_way(self._sign_in)}")
        try:
            token = await self._auth.atoken()
        except DatabricksError as error:
            return Step.of("token", error)
        is_guessed = isinstance(self._auth, (CommandAuth, ProfileAuth)) and token.seconds == UNKNOWN_SECONDS
        end = None if is_guessed else self._auth.ends_at()  # by the clock of this machine
        whence = f"Fetched from {_issuer(self._auth)}"
        return self._token_until(None if end is None else end - self._ahead, whence)

    def _token_until(self, end: float | None, whence: str) -> Step:
        """Report how long a token is valid, by the clock of Databricks."""
        try:
            when = None if end is None else datetime.fromtimestamp(end, timezone.utc).replace(microsecond=0)
        except (ValueError, OverflowError, OSError):
            when = None
        if end is None or when is None:
            return Step("token", "ok", f"{whence}; its expiry is not known.")
        self._facts["token_ends_at"] = when.isoformat()
        left = end - (time.time() - self._ahead)
        if left <= 0:
            return Step("token", "failed", f"{whence}, but it expired on {when:%Y-%m-%d %H:%M:%S} UTC. Use a new one.")
        return Step("token", "ok", f"{whence}; valid until {when:%Y-%m-%d %H:%M:%S} UTC, for {_duration(left)}.")

    async def user(self) -> Step:
        try:
            self._me, _ = await self._session.send("GET", _ME, None, {})
        except DatabricksError as error:
            is_missing = isinstance(error, DatabricksApiError) and error.status_code in _NOT_SERVED
            if isinstance(error, NotFound) or is_missing:
                return Step("user", "unknown", f"{self._host} does not report who signs in.")
            return Step.of("user", error)
        name, display_name, user_id = (as_text(self._me.get(key)) for key in ("userName", "displayName", "id"))
        if not name:
            return Step("user", "unknown", f"{self._host} does not report who signs in.")
        self._facts.update(user_name=name, display_name=display_name or None, user_id=user_id or None)
        is_principal = any(_PRINCIPAL in str(each) for each in self._me.get("schemas") or ())
        kind = "the service principal" if is_principal or self._me.get("applicationId") else "the user"
        more = f" ({shown(display_name)})" if display_name not in ("", name) else ""
        if self._me.get("active") is False:
            detail = f"You are {kind} {shown(name)}{more}, who is deactivated. Ask a workspace admin to activate it."
            return Step("user", "failed", detail)
        return Step("user", "ok", f"You are {kind} {shown(name)}{more}.")

    async def may_list(self, step: str, endpoint: str) -> Step:
        try:
            await self._session.send("GET", f"{_JOBS}/{endpoint}", None, {"limit": 1})
        except DatabricksError as error:
            return Step.of(step, error)
        return Step(step, "ok", "Allowed. The list shows only what you may see.")

    def submit(self) -> Step:
        """Report what the user's groups and entitlements allow. The rest is only known when a run starts."""
        if "admins" in self._names_in("groups", "display"):
            return Step("submit runs", "ok", "Allowed: you are a workspace admin.")
        detail = (
            "Only a run can show this: it needs access to the workspace, and permission for the compute in its request."
        )
        if "allow-cluster-create" in self._names_in("entitlements", "value"):
            detail = "You may create any cluster. Only a run can show the rest, such as access to its notebook."
        return Step("submit runs", "unknown", detail)

    def _names_in(self, key: str, field: str) -> list[str]:
        entries = self._me.get(key)
        return [as_text(each.get(field)) for each in as_mappings(entries if isinstance(entries, list) else [])]


def _way(sign_in: SignIn) -> str:
    if isinstance(sign_in, OwnCommand):  # a command of the user is not shown, because it may contain a secret
        return f"{sign_in.called} ({Path(shlex.split(sign_in.token_command)[0]).name})"
    return sign_in.called


def _issuer(auth: FetchingAuth) -> str:
    """Return the issuer of a token."""
    if isinstance(auth, (ServicePrincipalAuth, FederationAuth)):
        return auth.host
    if isinstance(auth, EntraAuth):
        return auth.cloud.login
    if isinstance(auth, ManagedIdentityAuth):
        return "the identity service of Azure on this machine"
    return "the command" if isinstance(auth, CommandAuth) else "databricks-sdk"


def _duration(seconds: float) -> str:
    if seconds < 2 * 60:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 2 * 86_400 else f"{seconds / 86_400:.0f} days"
