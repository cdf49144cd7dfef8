"""Draws rooms.svg from the table of docs/architecture.md and the imports: `python docs/pictures/rooms.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.test_architecture import floors, imports

FILE = Path(__file__).with_name("rooms.svg")
WIDTH, HEIGHT, GAP, BOX = 960, 64, 10, 30
FONT = 'font-family="sans-serif" font-size="12"'
# In a dark page the light colors become dark ones of the same hue.
DARK = "<style>@media (prefers-color-scheme: dark) { svg { filter: invert(0.88) hue-rotate(180deg) } }</style>"


def drawn() -> str:
    """The picture."""
    floor = floors()
    top = max(floor.values())
    boxes: dict[str, tuple[float, float, float]] = {}
    for number in range(top, 0, -1):
        rooms = [room for room in floor if floor[room] == number]
        width = (WIDTH - GAP * (len(rooms) + 1)) / len(rooms)
        for index, room in enumerate(rooms):
            box = min(width, 130)
            middle = GAP + index * (width + GAP) + width / 2
            boxes[room] = (middle - box / 2, 20 + (top - number) * HEIGHT, box)
    # Everything stands on the ground floor.
    rooms_above = {room for room in floor if floor[room] > 1}
    arrows = sorted(
        {each.rooms for each in imports() if rooms_above.issuperset(each.rooms) and len(set(each.rooms)) > 1}
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {20 + top * HEIGHT}" {FONT}>',
        DARK,
        f'<rect width="{WIDTH}" height="{20 + top * HEIGHT}" fill="#ffffff"/>',
    ]
    for room, other in arrows:
        (x1, y1, w1), (x2, y2, w2) = boxes[room], boxes[other]
        lines.append(
            f'<line x1="{x1 + w1 / 2:.0f}" y1="{y1 + BOX}" x2="{x2 + w2 / 2:.0f}" y2="{y2}" stroke="#b9c4d6"/>'
        )
    for room, (x, y, width) in boxes.items():
        fill = "#eef1f6" if room.startswith("_") else "#d6ebe0"
        lines += [
            f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="{BOX}" rx="5" fill="{fill}" stroke="#4a5568"/>',
            f'<text x="{x + width / 2:.0f}" y="{y + 19}" text-anchor="middle" fill="#1a202c">{room}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    FILE.write_text(drawn(), "utf-8")
