"""The logs of httpx and httpcore, which at DEBUG have all headers of an answer, without the secrets of our sessions."""

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
    """The secrets of all sessions that there are, which are looked for in a line of these logs, if it is written."""

    def __init__(self) -> None:
        self._secrets = WeakSet[Secrets]()
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(_FILTER)  # the same one is added once

    def look_for(self, secrets: Secrets) -> None:
        """Look for the secrets of a session, for as long as it is."""
        with _lock:
            self._secrets.add(secrets)

    def clean(self, record: logging.LogRecord) -> None:
        """Take the secrets out of a line."""
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
    global _lock  # noqa: PLW0603 - another thread may have held it, which the child does not have
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock_after_fork)
