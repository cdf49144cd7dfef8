"""Get tokens from another program on this machine: a command that prints one, or databricks-sdk."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio

from .._client.secrets import Secrets
from .._client.tokens import FetchingAuth, Token, Tokens
from .._fields import as_number
from .._runtime import of_process
from ..errors import SignInFailed
from ._web_tokens import claims_of, json_object

ALLOWED_BY = "PREFECT_DATABRICKS_RUNS_TOKEN_COMMANDS"
_SECONDS = 60.0
_KILLED_SECONDS = 2.0
UNKNOWN_SECONDS = 600.0
_MOST_BYTES = 100_000
_A_SECRET = 16  # characters of a word in a command that may be a secret
_RUN_BY_HAND = "Run it by hand where the flow runs."


@dataclass(frozen=True)
class CommandAuth(FetchingAuth):
    """Sign in with a token that a command prints: alone, or in JSON like `az`, `databricks`, `gcloud` and others.

    Anyone who may edit the credentials block decides which command runs where the flow runs, so the environment there
    must allow commands with `PREFECT_DATABRICKS_RUNS_TOKEN_COMMANDS=1`.

    Attributes:
        host: The workspace's address.
        command: The command; it does not run in a shell.
        is_ours: Whether this package wrote the command.
    """

    advice = "Check the token that the command prints: it may have expired or been revoked."

    host: str
    command: str = field(repr=False)
    is_ours: bool = False

    def own_secrets(self) -> Sequence[str]:
        """Return the command, which may contain a secret, unless it is a single word that may be an ordinary one."""
        return (self.command,) if " " in self.command else ()

    async def afetch(self) -> Token:
        """Run the command."""
        source = "the token command"
        if not self.is_ours and os.environ.get(ALLOWED_BY) != "1":
            raise SignInFailed(
                "token commands are not allowed here",
                source=source,
                advice=f"Set {ALLOWED_BY}=1 where the flow runs, if you trust everyone who may edit the block.",
            )
        try:
            command = shlex.split(self.command)
        except ValueError as error:
            raise SignInFailed(str(error), source=source, advice="Check its quotes.") from None
        output = await _output_of(command, source)
        answer = json_object(output)
        found: Any = (answer.get(name) for name in ("access_token", "accessToken", "token"))
        value = next((each for each in found if each), "") if answer else output.strip()
        if not isinstance(value, str) or not value.isprintable() or " " in value or not value:
            raise SignInFailed("it did not print exactly one token", source=source, advice=_RUN_BY_HAND)
        return Token({"Authorization": f"Bearer {value}"}, _seconds_of(answer, value))


@dataclass(frozen=True)
class ProfileAuth(FetchingAuth):
    """Sign in with a profile of `~/.databrickscfg`, or with the environment, as databricks-sdk reads them.

    The SDK runs in its own process: its import takes 2.5 s and 70 MB, and it mixes its parameters with the environment.

    Attributes:
        host: The workspace's address; a profile for another one is refused before anything is sent.
        profile: The profile's name; `environment` for the environment variables of Databricks.
    """

    advice = "Check the profile with `databricks auth describe`: its token may have expired or been revoked."

    host: str
    profile: str

    def own_secrets(self) -> Sequence[str]:
        """Return nothing: the SDK reads the profile."""
        return ()

    async def afetch(self) -> Token:
        """Get the token from the SDK."""
        source = f"the profile {self.profile}"
        command = [sys.executable, "-m", "prefect_databricks_runs.auth._sdk_child"]
        asked = json.dumps({"host": self.host, "profile": self.profile})
        answer = json_object(await _output_of(command, source, asked))
        if answer.get("error") or not isinstance(answer.get("headers"), dict):
            reason = str(answer.get("error") or "databricks-sdk said nothing")
            raise SignInFailed(reason, source=source, advice=str(answer.get("advice") or _RUN_BY_HAND))
        headers = {str(name): str(value) for name, value in answer["headers"].items()}
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        return Token(headers, _seconds_of(answer, token))


async def _output_of(command: Sequence[str], source: str, given: str = "") -> str:
    """Return the output of a command, which must end within a minute."""
    name = os.path.basename(command[0]) if command else ""
    process: asyncio.subprocess.Process | None = None
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        with anyio.fail_after(_SECONDS):
            output, errors = await process.communicate(given.encode() if given else None)
    except TimeoutError:
        raise SignInFailed(f"{name} did not end within {_SECONDS:g} s", source=source, advice=_RUN_BY_HAND) from None
    except (OSError, ValueError) as error:
        reason = f"{name} cannot be run ({getattr(error, 'strerror', None) or type(error).__name__})"
        raise SignInFailed(reason, source=source, advice="It is run where the flow runs.") from None
    finally:
        if process and process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            whole: Any = process
            with anyio.CancelScope(shield=True):
                await asyncio.wait([asyncio.ensure_future(process.wait())], timeout=_KILLED_SECONDS)
                # A child that it started in another session is not killed, and may keep the pipes open forever.
                whole._transport.close()
                await asyncio.sleep(0)  # the loop closes the transports of the pipes in its next turn
    if process.returncode:
        secrets = Secrets()
        secrets.know(word for word in command if len(word) >= _A_SECRET)
        said = secrets.removed_from(errors.decode("utf-8", "replace").strip())
        reason = f"{name} ended with status {process.returncode}" + (f": {said}" if said else "")
        raise SignInFailed(reason, source=source, advice=_RUN_BY_HAND)
    return output[:_MOST_BYTES].decode("utf-8", "replace")


def _seconds_of(answer: Mapping[str, Any], token: str) -> float:
    """Return how long a token is valid: according to the answer, or to the token itself."""
    now = of_process(Tokens).clock.time()
    claims = claims_of(token)
    end = as_number(answer.get("expires_on")) or _time(answer.get("expiry")) or as_number(claims.get("exp"))
    seconds = as_number(answer.get("expires_in"))
    if seconds is None and end is not None:
        seconds = end - now
        if (issued := as_number(claims.get("iat"))) is not None:  # in case this machine's clock is wrong
            seconds = min(seconds, end - issued)
    return UNKNOWN_SECONDS if seconds is None else seconds


def _time(value: Any) -> float | None:
    """Return a time of RFC 3339 as seconds since 1970; `databricks` prints nanoseconds."""
    if not isinstance(value, str):
        return None
    whole, _, rest = value.strip().replace("Z", "+00:00").partition(".")
    zone = rest.lstrip("0123456789")
    try:
        return datetime.fromisoformat(whole + zone).timestamp()
    except ValueError:
        return None
