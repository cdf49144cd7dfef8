"""Read tokens from files that another program writes and renews."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread

from ..errors import SignInFailed

_MOST_BYTES = 100_000


async def text_of_file(path: str) -> str:
    """Return the token in a file. It is read each time, because another program renews it.

    Read in a thread: a network drive that hangs must not block the event loop.

    Args:
        path: The file; may begin with `~`.

    Raises:
        SignInFailed: The file has no token.
    """
    return await anyio.to_thread.run_sync(_read, path, abandon_on_cancel=True)


def _read(path: str) -> str:
    reason = ""
    text = ""
    try:
        file = Path(path).expanduser()
        if not file.is_file():  # reading a pipe would block
            reason = "it is not a file" if file.exists() else "it does not exist"
        elif file.stat().st_size > _MOST_BYTES:
            reason = f"it has more than {_MOST_BYTES} bytes"
        else:
            text = file.read_text("utf-8").strip()
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except ValueError:
        reason = "it is not UTF-8 text"
    except RuntimeError:  # `~` without a home directory
        reason = "the home directory does not exist"
    if not reason and (not text or any(each.isspace() for each in text)):
        reason = "it is empty" if not text else "it has more than one token"
    if reason:
        raise not_here(reason, f"the file {path}")
    return text


def not_here(reason: str, source: str, advice: str = "") -> SignInFailed:
    """Return the error for something that is needed for a token and is wrong or missing where the flow runs.

    Args:
        reason: The fault.
        source: The file, variable or program.
        advice: What sets it there; empty if that is up to the user.
    """
    return SignInFailed(reason, source=source, advice=f"It is read where the flow runs. {advice}".rstrip())
