"""A workspace, the other parties of a sign-in, and credentials for each way to sign in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sign_ins import SignIns, signing_in


@pytest.fixture
def sign_ins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SignIns]:
    """Ways to sign in whose tokens are good for an hour."""
    with signing_in(monkeypatch, tmp_path) as sign_ins:
        yield sign_ins
