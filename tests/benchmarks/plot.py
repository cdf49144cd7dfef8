"""Draws how late ends are noticed against the number of runs, from the numbers of `tests.benchmarks.watching`.

    pip install -e ".[benchmarks]"
    python -m tests.benchmarks.plot watching.json watching.svg

One picture of all contenders, as they are; and one of those that ask equally often, in pairs.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

# The name of a contender in the legend, its colour and its mark; those of a pair differ in their colour.
_LOOKS = {
    "ours": ("prefect-databricks-runs, 10 requests/s", "#1f6feb", "o"),
    "ours-each": ("prefect-databricks-runs, a flow run each", "#7aa7f0", "s"),
    "ours-at-sdk-rate": ("prefect-databricks-runs, limited to the rate of the SDK", "#0a3069", "^"),
    "sdk": ("databricks-sdk, as it is", "#d1242f", "^"),
    "sdk-polite": ("databricks-sdk behind a limit of 10 requests/s", "#fb8f44", "o"),
    "prefect-databricks": ("prefect-databricks", "#6e7781", "D"),
}
_AS_THEY_ARE = ("ours", "ours-each", "sdk", "prefect-databricks")
_EQUALLY_OFTEN = ("ours", "sdk-polite", "ours-at-sdk-rate", "sdk")
_LEAST_DELAY = 0.01  # the scale is logarithmic
# In a dark page the light colors become dark ones of the same hue.
_DARK = "  <style>@media (prefers-color-scheme: dark) { svg { filter: invert(0.88) hue-rotate(180deg) } }</style>\n"


def plot(results: Iterable[Mapping[str, Any]], file: Path) -> None:
    """Draw it.

    Args:
        results: what was measured; of repeated measurements the medians are drawn. One where not every end was noticed
            is left out.
        file: where to write it.
    """
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "watching"  # the same numbers give the same file
    from matplotlib import pyplot, ticker

    lines = _lines(results)
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.5), sharey=True)
    titles = ("each as it comes", "at equal request rates")
    for axis, title, names in zip(axes, titles, (_AS_THEY_ARE, _EQUALLY_OFTEN), strict=True):
        for name in names:
            if name in lines:
                _draw(axis, lines[name], *_LOOKS[name])
        axis.set(xscale="log", yscale="log", xlabel="runs waited for at once", title=title)
        axis.xaxis.set_minor_locator(ticker.NullLocator())
        axis.set_xticks(sorted({runs for line in lines.values() for runs in line}))
        for each in (axis.xaxis, axis.yaxis):
            each.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
        axis.grid(visible=True, which="major", alpha=0.3)
        axis.legend(fontsize=8)
    axes[0].set_ylabel("seconds until an end is noticed\n(line: median, dots: worst)")
    figure.tight_layout()
    figure.savefig(file, format="svg", metadata={"Date": None})
    pyplot.close(figure)
    file.write_text(_with_dark_colors(file.read_text("utf-8")), "utf-8")


def _lines(results: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, tuple[float, float]]]:
    """For each contender and number of runs, the median and the worst delay."""
    measured: dict[str, dict[int, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for each in results:
        if each["delay_worst"] is not None:
            measured[each["contender"]][each["runs"]].append(each)
    return {
        name: {runs: (_median(found, "delay_median"), _median(found, "delay_worst")) for runs, found in line.items()}
        for name, line in measured.items()
    }


def _with_dark_colors(svg: str) -> str:
    return svg.replace(" <defs>\n", f" <defs>\n{_DARK}", 1)


def _median(found: list[Mapping[str, Any]], what: str) -> float:
    return max(_LEAST_DELAY, float(statistics.median(each[what] for each in found)))


def _draw(axis: Any, line: dict[int, tuple[float, float]], name: str, colour: str, mark: str) -> None:
    runs = sorted(line)
    axis.plot(runs, [line[each][0] for each in runs], color=colour, marker=mark, label=name)
    axis.plot(runs, [line[each][1] for each in runs], color=colour, marker=mark, linestyle=":", alpha=0.6)


def main() -> None:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("json", type=Path, help="what `tests.benchmarks.watching --json` has written")
    parser.add_argument("svg", type=Path, help="the file to write")
    arguments = parser.parse_args()
    plot(json.loads(arguments.json.read_text("utf-8"))["results"], arguments.svg)


if __name__ == "__main__":
    main()
