"""Takes pictures of the Prefect UI, each in its light and in its dark color scheme."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from docs.pictures.palette import in_few_colors

FOLDER = Path(__file__).parent
# The ending of a picture's name, by the color scheme.
SCHEMES = {"light": "", "dark": "-dark"}
WIDTH = 1000  # about that of a README, so that its letters are as big there
_MARGIN = 24
# A logo comes from the internet, and a machine without it would show a broken image.
_NO_LOGOS = ".logo-image { visibility: hidden }"


class Camera:
    """Takes pictures in a browser.

    Args:
        browser: The browser.
        ui_url: The address of the Prefect UI.
    """

    def __init__(self, browser: Browser, ui_url: str) -> None:
        self._browser, self._ui_url = browser, ui_url

    def take(self, name: str, scene: Callable[[Page, str], str]) -> None:
        """Take both pictures of a scene.

        Args:
            name: The name of the picture that is light, without its ending.
            scene: Opens the page, and returns the selector of the last element that is in the picture.
        """
        for scheme, ending in SCHEMES.items():
            page = self._browser.new_page(
                viewport={"width": WIDTH, "height": 1600}, device_scale_factor=2, color_scheme=scheme
            )
            # Prefect keeps the choice of its user there, and begins with the dark one whatever the browser prefers.
            page.add_init_script(f"localStorage.setItem('color-scheme', {json.dumps(json.dumps(scheme))})")
            last = scene(page, self._ui_url)
            page.add_style_tag(content=_NO_LOGOS)
            _save(page, FOLDER / f"{name}{ending}.png", last)
            page.close()


def _save(page: Page, file: Path, last: str) -> None:
    """Keep the page from its top to the end of an element."""
    box = page.locator(last).last.bounding_box()
    assert box
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": box["y"] + box["height"] + _MARGIN}
    picture = Image.open(BytesIO(page.screenshot(clip=clip))).convert("RGB")
    in_few_colors(picture).save(file, optimize=True)
