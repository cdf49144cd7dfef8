"""What is painted on the canvas of a flow run's graph, found out by looking at its pixels."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import Page

# The box of all pixels of one colour in some rows of a picture. The browser itself decodes the picture.
_FIND_BOX = """
async ([picture, colour, first_row, last_row]) => {
    const image = new Image();
    image.src = "data:image/png;base64," + picture;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = context.getImageData(0, 0, image.width, image.height).data;
    const [first, last] = [first_row, last_row].map(row => row < 0 ? image.height + row : row);
    let box = null;
    for (let at = first * image.width; at < (last + 1) * image.width; at++) {
        if (colour.every((part, index) => pixels[4 * at + index] === part)) {
            const [x, y] = [at % image.width, Math.floor(at / image.width)];
            box ??= {left: x, right: x, top: y, bottom: y};
            box.left = Math.min(box.left, x);
            box.right = Math.max(box.right, x);
            box.bottom = y;
        }
    }
    return box;
}
"""
# The UI's own colour of a state, which its badges have too.
_READ_COLOUR = """
state_type => {
    const badge = document.createElement("span");
    badge.className = "p-tag state-badge state--" + state_type.toLowerCase();
    document.body.append(badge);
    const colour = getComputedStyle(badge).backgroundColor.match(/[0-9]+/g).map(Number);
    badge.remove();
    return colour;
}
"""
CANVAS = ".run-graph__stage canvas"
_LINE_HEIGHT = 8
_SECONDS = 30.0
_QUIET_SECONDS = 1.5  # an animation takes half a second, and the next may follow after half a second


class Box(NamedTuple):
    """A rectangle in pixels, all sides included."""

    left: int
    right: int
    top: int
    bottom: int


class Painting:
    """One look at the canvas.

    At the bottom it has a line of time, which is blue from the beginning of the flow run to its end.

    Args:
        page: The page that it is on.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self.picture = page.locator(CANVAS).screenshot()
        self._line = self._find("RUNNING", -_LINE_HEIGHT, -1)

    def box(self, state_type: str) -> Box | None:
        """The box around the bars with such a state; None without any."""
        return self._find(state_type, 0, -_LINE_HEIGHT - 1)

    def rows(self) -> list[tuple[int, int]]:
        """From which to which row the bars of each kind of state reach; time moves none of them."""
        boxes = map(self.box, ("PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"))
        return [(box.top, box.bottom) for box in boxes if box]

    def span(self, state_type: str, end: float) -> tuple[float, float] | None:
        """From where to where the bars with such a state reach, in seconds since the flow run began.

        Args:
            state_type: Of Prefect.
            end: When the flow run ended.
        """
        box, line = self.box(state_type), self._line
        if not box or not line:
            return None
        scale = end / (line.right - line.left)
        return (box.left - line.left) * scale, (box.right - line.left) * scale

    def _find(self, state_type: str, first_row: int, last_row: int) -> Box | None:
        colour = self._page.evaluate(_READ_COLOUR, state_type)
        picture = base64.b64encode(self.picture).decode()
        found = self._page.evaluate(_FIND_BOX, [picture, colour, first_row, last_row])
        return Box(**found) if found else None


def painting_where(page: Page, is_right: Callable[[Painting], bool]) -> Painting:
    """The first look at the canvas which is right, or the last one of many."""
    deadline = time.monotonic() + _SECONDS
    while True:
        painting = Painting(page)
        if is_right(painting) or time.monotonic() > deadline:
            return painting


def wait_until_still(
    page: Page, state_type: str, what: Callable[[Painting], object] = lambda painting: painting.picture
) -> None:
    """Come back when bars are painted, and nothing has moved on the canvas for longer than an animation takes.

    Args:
        page: The page.
        state_type: The state of bars that must be there.
        what: What must not move.
    """
    last, since = object(), time.monotonic()

    def is_still(painting: Painting) -> bool:
        nonlocal last, since
        now = what(painting)
        if now != last or not painting.box(state_type):
            last, since = now, time.monotonic()
        return time.monotonic() - since > _QUIET_SECONDS

    painting_where(page, is_still)
