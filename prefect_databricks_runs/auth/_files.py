"""Tokens that another program writes into a file, and renews there."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread

from ..errors import SignInFailed

_MOST_BYTES = 100_000


async def text_of_file(path: str) -> str:
    """Return the token in a file, which is read each time: the program that wrote it also renews it.

    In a thread: a network drive that hangs must not hold the loop in which others wait.

    Args:
        path: The file; may begin with `~`.

    Raises:
        SignInFailed: There is no token in it.
    """
    return await anyio.to_thread.run_sync(_read, path, abandon_on_cancel=True)


def _read(path: str) -> str:
    reason = ""
    text = ""
    try:
        file = Path(path).expanduser()
        if not file.is_file():  # a pipe would be waited for
            reason = "it is not a file" if file.exists() else "it does not exist"
        elif file.stat().st_size > _MOST_BYTES:
            reason = f"it has more than {_MOST_BYTES} bytes"
        else:
            text = file.read_text("utf-8").strip()
    except OSError as error:
        reason = error.strerror or type(error).__name__
    except ValueError:
        reason = "it is not text"
    except RuntimeError:  # of `~` where there is no home
        reason = "there is no such home directory"
    if not reason and (not text or any(each.isspace() for each in text)):
        reason = "it is empty" if not text else "it has more than one token in it"
    if reason:
        raise not_here(reason, f"the file {path}")
    return text


def not_here(reason: str, source: str) -> SignInFailed:
    """Return the error for something that a token is made of, and that is not as it must be where the flow runs.

    Args:
        reason: What is wrong.
        source: What it is.
    """
    return SignInFailed(reason, source=source, advice="It is read where the flow runs.")
