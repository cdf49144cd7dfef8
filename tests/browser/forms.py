"""The forms of the Prefect UI that a user fills: that of a new block, and that of a deployment's run."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page


class Form:
    """A form, whose fields are found by the name above them.

    Args:
        page: A page of the browser.
        url: Where the form is.
    """

    def __init__(self, page: Page, url: str) -> None:
        self._page = page
        page.goto(url)

    def field(self, name: str) -> Locator:
        """A field with its name and its description; one that may be left empty says `(Optional)` after its name."""
        label = self._page.locator("label").get_by_text(re.compile(rf"^{re.escape(name)}( \(Optional\))?$"))
        return self._page.locator(".p-label").filter(has=label).last  # a tab, with all its fields, is one around it

    def fill(self, name: str, value: str) -> None:
        """Write into a field, be it for text or for JSON."""
        self.field(name).locator("input, textarea").fill(value)

    def choose(self, name: str, option: str) -> None:
        """Choose from the list of a field."""
        self.field(name).locator(".p-select-button__control").press("Space")  # Prefect 3 closes it again after a click
        self._page.locator(".p-select-option").get_by_text(option, exact=True).click()

    def open_tab(self, title: str) -> None:
        """Open a tab of a field that has several forms."""
        self._page.locator(".p-button-group").get_by_role("button", name=title, exact=True).click()

    def save(self) -> None:
        """Press the button at the end of the form in which something that exists is edited."""
        with self._page.expect_response(lambda response: response.request.method == "PATCH") as response:
            self._page.get_by_role("button", name="Save", exact=True).click()
        assert response.value.ok, response.value.text()

    def submit(self, button: str, creates: str) -> str:
        """Press the button at the end.

        Args:
            button: What is on it.
            creates: How the URL ends to which the form is sent.

        Returns:
            The id of what was made.
        """
        with self._page.expect_response(lambda response: response.url.rstrip("/").endswith(creates)) as response:
            self._page.get_by_role("button", name=button, exact=True).click()
        assert response.value.ok, response.value.text()
        return str(response.value.json()["id"])
