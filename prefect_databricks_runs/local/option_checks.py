"""Checks of the options of a local workspace."""

from __future__ import annotations

import math


def check_options(
    *,
    login: str | None,
    password: str | None,
    client_id: str | None,
    client_secret: str | None,
    oauth_token_seconds: float,
    concurrency: int,
    missing_status: int,
) -> None:
    """Raise for what makes no sense.

    Raises:
        ValueError: says what, and shows no secret.
    """
    if bool(login) != bool(password):
        raise ValueError("Basic sign-in needs both login and password, or neither")
    if bool(client_id) != bool(client_secret):
        raise ValueError("OAuth needs both client_id and client_secret, or neither")
    if not 0 < oauth_token_seconds < math.inf:
        raise ValueError(f"oauth_token_seconds must be positive and finite, it is {oauth_token_seconds}")
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, it is {concurrency}")
    if missing_status not in {400, 404}:
        raise ValueError(f"missing_status must be 400 or 404, it is {missing_status}")
