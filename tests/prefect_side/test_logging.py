"""The logger of a Prefect run: the last door for texts of others."""

from __future__ import annotations

import logging

import pytest

from prefect_databricks_runs._prefect.logging import SteadyLogger

FORGED = "no rows\x1b[2J\u202e\n23:59:59 | INFO | FORGED\n    indented"


@pytest.fixture
def lines(caplog) -> list[str]:
    caplog.set_level(logging.INFO, "tests.steady")
    logger = SteadyLogger(logging.getLogger("tests.steady"))
    logger.info("Run %d: %s after %.1f s", 5, FORGED, 1.25)
    logger.warning("%r, %s and %r", FORGED, ValueError(FORGED), ValueError("\ud800"))
    logger.error("%s", "x" * 1_000_000)
    return [record.getMessage() for record in caplog.records]


def test_arguments_are_shown_without_what_is_hidden_and_their_lines_are_set_in(lines) -> None:
    shown = "no rows\\u202e\n    23:59:59 | INFO | FORGED\n    indented"
    assert lines[0] == f"Run 5: {shown} after 1.2 s"
    assert lines[1] == f"{FORGED!r}, {shown} and ValueError('\\ud800')"
    assert len(lines[2]) < 21_000


def test_the_line_can_be_written(lines) -> None:
    for line in lines:
        assert line.encode()
