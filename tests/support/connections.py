"""How the clients of the tests keep connections to the servers of the tests."""

from __future__ import annotations

import time

import httpx

# uvicorn closes a connection that was idle for 5 s, and httpx keeps one for as long: a request that is sent just then
# gets no answer.
SHORTLY = httpx.Limits(keepalive_expiry=1)

_TRIES = 30


class Patient(httpx.HTTPTransport):
    """Asks again after a 503: so answers a Prefect 3 server on SQLite while another one writes, and wants that."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for number in range(1, _TRIES + 1):
            response = super().handle_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or number == _TRIES:
                break
            response.close()
            time.sleep(min(1.0, 0.1 * number))
        return response


def api_client(url: str) -> httpx.Client:
    """A client of the API of a Prefect server."""
    return httpx.Client(base_url=url, timeout=30, transport=Patient(limits=SHORTLY))
