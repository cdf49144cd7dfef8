"""A headless Chromium that is on the machine, driven by Playwright, which brings none of its own here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

VARIABLE = "PREFECT_DATABRICKS_RUNS_BROWSER"
NOT_FOUND = f"There is no browser: install Chromium, or set {VARIABLE} to the path of one."
_COMMANDS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # in which root cannot start it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path() -> str | None:
    """Where the browser is: what the variable says, or the first that is found on `PATH`."""
    return os.environ.get(VARIABLE) or next(filter(None, map(shutil.which, _COMMANDS)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. While it is open, this thread counts as one that runs an event loop: flows belong into another."""
    path = chromium_path()
    if path is None:
        raise RuntimeError(NOT_FOUND)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()
