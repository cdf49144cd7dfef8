"""The built site: its search finds what people look for, and no page is wider than a phone.

It is built with the mkdocs of `.venv-docs`, as CI makes it, or of `PATH`; without one, this is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import NOT_FOUND, chromium_path
from tests.test_docs import ROOT

MKDOCS = shutil.which("mkdocs", path=str(ROOT / ".venv-docs" / "bin")) or shutil.which("mkdocs")
pytestmark = [
    pytest.mark.skipif(MKDOCS is None, reason='There is no mkdocs: pip install -e ".[docs]" in .venv-docs.'),
    pytest.mark.skipif(chromium_path() is None, reason=NOT_FOUND),
]
PHONE = {"width": 390, "height": 844}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the site, which is built with no warning: all its links and anchors are there."""
    folder = tmp_path_factory.mktemp("site")
    command = [str(MKDOCS), "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("deferrable", "Wait without a process"),
        ("service principal", "Sign in as a service principal"),
        ("job cluster", "Share a cluster"),
        ("repair", "Retry and repair"),
    ],
)
def test_the_search_finds_the_guide(site: str, page: Page, words: str, title: str) -> None:
    page.goto(site)
    page.get_by_placeholder("Search").press_sequentially(words)  # the search listens to keys
    found = page.locator(".md-search-result__article", has=page.get_by_role("heading", name=title, level=1))
    expect(found.first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_of_the_start_page_fits_the_color_scheme(site: str, browser: Browser, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(site)
    pictures = page.get_by_role("img", name="A failed Databricks run").filter(visible=True)
    expect(pictures).to_have_attribute("src", f"pictures/run{'-dark' if scheme == 'dark' else ''}.png#only-{scheme}")
    page.close()


@pytest.mark.parametrize("path", ["", "guides/run-a-notebook/", "reference/results/", "explanation/what-happens-when/"])
def test_a_page_is_no_wider_than_a_phone(site: str, browser: Browser, path: str) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(f"{site}/{path}")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    page.close()
