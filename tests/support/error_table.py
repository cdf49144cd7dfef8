"""The table of errors in the docs, made from the one that decides: `python -m tests.support.error_table` writes it."""

from __future__ import annotations

from pathlib import Path

from prefect_databricks_runs._meanings import MEANINGS

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"
_BEGIN, _END = "<!-- the table of errors: python -m tests.support.error_table -->\n", "<!-- its end -->\n"


def table() -> str:
    """The table in markdown."""
    lines = ["| status | error code | error | was it done? | sent again | what to do |", "|---|---|---|---|---|---|"]
    for each in MEANINGS:
        code = f"`{each.error_code}`" if each.error_code else ""
        done, again = "not known" if each.may_be_done else "no", "yes" if each.may_pass else "no"
        error = f"`{each.error}`" if each.error else "that of the status"
        lines.append(f"| {each.when} | {code} | {error} | {done} | {again} | {each.advice} |")
    return "\n".join(lines) + "\n"


def page_with_table() -> str:
    """The page as it is to be."""
    head, _, rest = PAGE.read_text("utf-8").partition(_BEGIN)
    return f"{head}{_BEGIN}\n{table()}\n{_END}{rest.partition(_END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page_with_table(), "utf-8")
