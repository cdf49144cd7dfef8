"""Checks of the options of a local workspace."""

from __future__ import annotations

import math

from .web.errors import TOKEN_REFUSALS


def check_options(
    *,
    login: str | None,
    password: str | None,
    client_id: str | None,
    client_secret: str | None,
    oauth_token_seconds: float,
    oauth_token_early_seconds: float,
    token_refusal: str,
    concurrency: int,
    missing_status: int,
    max_active_runs: int,
) -> None:
    """Check the options of a local workspace.

    Raises:
        ValueError: An option is not valid. The message shows no secret.
    """
    if bool(login) != bool(password):
        raise ValueError("Basic sign-in needs both login and password, or neither")
    if bool(client_id) != bool(client_secret):
        raise ValueError("OAuth needs both client_id and client_secret, or neither")
    if not 0 < oauth_token_seconds < math.inf:
        raise ValueError(f"oauth_token_seconds must be positive and finite, it is {oauth_token_seconds}")
    if not 0 <= oauth_token_early_seconds < math.inf:
        raise ValueError(f"oauth_token_early_seconds must not be negative, it is {oauth_token_early_seconds}")
    if token_refusal not in TOKEN_REFUSALS:
        raise ValueError(f"token_refusal must be one of {', '.join(TOKEN_REFUSALS)}, not {token_refusal!r}")
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, it is {concurrency}")
    if max_active_runs < 1:
        raise ValueError(f"max_active_runs must be at least 1, it is {max_active_runs}")
    if missing_status not in {400, 404}:
        raise ValueError(f"missing_status must be 400 or 404, it is {missing_status}")
