"""Faults over HTTP, for tests that are not written in Python: set, list, remove."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from ..web.calls import json_response
from ..web.errors import ApiError
from ..web.request_body import read_fields
from .fault_rules import FaultRule
from .faults import Faults

PATH = "/local/faults"


class FaultEndpoints:
    """The pages `/local/faults`, for signed-in clients.

    Args:
        faults: The workspace's faults.
        check: Raises an ApiError for a request that is not signed in.
    """

    def __init__(self, faults: Faults, check: Callable[[Request], object]) -> None:
        self._faults = faults
        self._check = check
        self.served: dict[str, Callable[[Request, bytes], Response]] = {
            f"POST {PATH}": self.set,
            f"GET {PATH}": self.list,
            f"DELETE {PATH}": self.remove,
        }

    def set(self, request: Request, raw: bytes) -> Response:
        """Set a fault, and return it with its counters."""
        self._sign_in(request)
        try:
            rule = FaultRule.from_json(read_fields(request, raw))
        except ValueError as error:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", str(error)) from None
        return json_response(self._faults.add(rule).as_json())

    def list(self, request: Request, raw: bytes) -> Response:  # noqa: ARG002 - every page takes it
        """Return all faults with their counters: `faults`."""
        self._sign_in(request)
        return json_response({"faults": [fault.as_json() for fault in self._faults.all()]})

    def remove(self, request: Request, raw: bytes) -> Response:  # noqa: ARG002 - every page takes it
        """Remove all faults."""
        self._sign_in(request)
        self._faults.clear()
        return json_response({})

    def _sign_in(self, request: Request) -> None:
        self._check(request)
