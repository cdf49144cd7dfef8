"""Keep the secrets of sessions out of the DEBUG logs of httpx and httpcore, which show all headers of an answer."""

from __future__ import annotations

import logging
import os
from threading import Lock
from weakref import WeakSet

from .._runtime import of_process
from .secrets import Secrets

_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")


_lock = Lock()


class WireLogs:
    """The secrets of all open sessions, removed from each line of these logs that is written."""

    def __init__(self) -> None:
        self._secrets = WeakSet[Secrets]()
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(_FILTER)  # adding it again has no effect

    def look_for(self, secrets: Secrets) -> None:
        """Remove the secrets of a session for as long as it exists."""
        with _lock:
            self._secrets.add(secrets)

    def clean(self, record: logging.LogRecord) -> None:
        """Remove the secrets from a line."""
        with _lock:
            known = list(self._secrets)
        cleaned = message = record.getMessage()
        for secrets in known:
            cleaned = secrets.removed_from(cleaned)
        if cleaned != message:
            record.msg, record.args = cleaned, ()


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line pass, without the secrets."""
        of_process(WireLogs).clean(record)
        return True


_FILTER = _Filter()


def _unlock_after_fork() -> None:
    global _lock  # noqa: PLW0603 - a thread that the child does not have may have held it
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock_after_fork)
