"""A hook of mkdocs: where a picture has a dark twin, the site shows the one that fits its color scheme.

The pages name only the light picture, so they are plain Markdown on the repository's own page too. The theme hides one
of the two by the ends of their addresses, `#only-light` and `#only-dark`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_PICTURE = re.compile(r'<img (?P<more>[^>]*)src="(?P<folder>[^"]*pictures/)(?P<name>[\w-]+)\.png" ?/?>')
_FOLDER = Path(__file__).parent


def on_page_content(html: str, **_: Any) -> str:
    """Show both pictures in place of one, each in its own scheme."""
    return _PICTURE.sub(_both, html)


def _both(found: re.Match[str]) -> str:
    if not (_FOLDER / f"{found['name']}-dark.png").exists():
        return found[0]
    both = ((found["name"], "only-light"), (f"{found['name']}-dark", "only-dark"))
    return "".join(
        f'<img {found["more"]}src="{found["folder"]}{name}.png#{scheme}" {_size(name)} loading="lazy">'
        for name, scheme in both
    )


def _size(name: str) -> str:
    """The size of a picture, which is in the header of a PNG, so that the page keeps room for it."""
    header = (_FOLDER / f"{name}.png").read_bytes()[16:24]
    return f'width="{int.from_bytes(header[:4], "big")}" height="{int.from_bytes(header[4:], "big")}"'
