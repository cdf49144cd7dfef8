"""Pictures in 256 colors, which make files of half the size."""

from __future__ import annotations

from PIL import Image

_COLORS, _COMMON = 256, 128


def in_few_colors(picture: Image.Image) -> Image.Image:
    """Return a picture of a UI in 256 colors; no one sees a difference.

    The most common colors stay as they are: Pillow's own ways would change the background from picture to picture. The
    palette ends with the colors that are least like the colors before them.

    Args:
        picture: In RGB.
    """
    colors = [color for _, color in sorted(picture.getcolors(picture.width * picture.height), reverse=True)]
    palette = colors[:_COMMON]
    nearest = {color: min((_distance(color, each), index) for index, each in enumerate(palette)) for color in colors}
    while len(palette) < min(_COLORS, len(colors)):
        new, index = max(nearest, key=nearest.__getitem__), len(palette)
        palette.append(new)
        for color, known in nearest.items():
            nearest[color] = min(known, (_distance(color, new), index))
    raw = picture.tobytes()
    pixels = zip(raw[::3], raw[1::3], raw[2::3], strict=True)
    few = Image.frombytes("P", picture.size, bytes(nearest[pixel][1] for pixel in pixels))
    few.putpalette([part for color in palette for part in color])
    return few


def _distance(color: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum((part - another) ** 2 for part, another in zip(color, other, strict=True))
