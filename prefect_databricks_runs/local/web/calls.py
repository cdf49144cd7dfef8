"""One request to the API, as the endpoints see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Fields = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One request to an endpoint.

    Attributes:
        version: the version of the API, such as `2.2`.
        fields: the request's fields, from the query or the body, as they came.
        user: the name of who asks.
    """

    version: str
    fields: Fields
    user: str


Endpoint = Callable[[Call], Fields]
