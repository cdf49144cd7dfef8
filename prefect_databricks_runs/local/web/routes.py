"""Find the endpoint of a request by its method and path."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .calls import Endpoint

_PART = re.compile(r"\\{(\w+)\\}")


class Routes:
    """The endpoints of a workspace.

    Args:
        endpoints: Each endpoint by its method and path, such as `GET jobs/list`. A part of a path in braces, as in
            `GET permissions/jobs/{job_id}`, stands for any value, which becomes a field of the call.
    """

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self._endpoints = {route: endpoint for route, endpoint in endpoints.items() if "{" not in route}
        self._patterns = [(_pattern(route), endpoint) for route, endpoint in endpoints.items() if "{" in route]

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
        """Return the endpoint and the fields in the path; None without an endpoint."""
        route = f"{method} {path}"
        if route in self._endpoints:
            return self._endpoints[route], {}
        for pattern, endpoint in self._patterns:
            if match := pattern.fullmatch(route):
                return endpoint, match.groupdict()
        return None


def _pattern(route: str) -> re.Pattern[str]:
    return re.compile(_PART.sub(r"(?P<\1>[^/]+)", re.escape(route)))
