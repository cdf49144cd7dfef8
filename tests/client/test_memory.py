"""No answer takes much memory, or longer than a request may, however much of it there is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.answers import RUN_ID
from tests.support.hostile_server import (
    dripped_body,
    dripped_headers,
    endless_1xx,
    endless_body,
    endless_large_pages,
    endless_pages,
    gzip_bomb,
    gzip_bomb_in_gzip,
    huge_body,
    many_lists,
    most_numbers,
    most_objects,
    served,
)
from tests.support.processes import PATIENCE

ROOT = Path(__file__).parents[2]
MOST_MB = 350
DEADLINE = 20.0  # of a request that is not meant to meet it


@pytest.mark.long
@pytest.mark.parametrize(
    ("parts", "pause", "deadline", "says"),
    [
        (huge_body, 0.0, DEADLINE, "more than 64 MB"),
        (endless_body, 0.0, DEADLINE, "more than 64 MB"),
        (gzip_bomb, 0.0, DEADLINE, "more than 64 MB"),
        (gzip_bomb_in_gzip, 0.0, DEADLINE, "encoding"),
        (many_lists, 0.0, DEADLINE, "lists and objects"),
        (most_objects, 0.0, DEADLINE, str(RUN_ID)),
        (most_numbers, 0.0, DEADLINE, str(RUN_ID)),
        (dripped_body, 0.05, 2.0, "request_timeout_seconds=2"),
        (dripped_headers, 0.05, 2.0, "request_timeout_seconds=2"),
        (dripped_headers, 0.0, DEADLINE, "Databricks"),  # h11 has a limit of its own
        (endless_1xx, 0.05, 2.0, "request_timeout_seconds=2"),
        (endless_1xx, 0.0, 2.0, "request_timeout_seconds=2"),
        (endless_pages, 0.0, DEADLINE, "more than 500 pages"),
        (endless_large_pages, 0.0, DEADLINE, "more than 128 MB"),
    ],
)
def test_an_answer_ends_at_its_limit_or_deadline_and_takes_little_memory(
    parts: Callable[[], Iterator[bytes]], pause: float, deadline: float, says: str
) -> None:
    with served(parts, pause) as host:
        command = [sys.executable, "-m", "tests.support.memory_child", host, str(deadline)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout)
    assert says in str(came["answer"])
    assert came["mb"] < MOST_MB
    assert came["seconds"] < 60
