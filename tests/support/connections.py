"""How the clients of the tests keep connections to the servers of the tests."""

from __future__ import annotations

import time

import httpx

# uvicorn closes a connection that was idle for 5 s, and httpx keeps one for as long: a request that is sent just then
# gets no answer.
SHORTLY = httpx.Limits(keepalive_expiry=1)

# Seconds between a 503 and the next request: so answers a Prefect server on SQLite while another one writes, and wants
# to be asked again.
PAUSES = [min(1.0, 0.1 * number) for number in range(1, 30)]


class Patient(httpx.HTTPTransport):
    """Asks again after a 503."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for pause in PAUSES:
            response = super().handle_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return response
            response.close()
            time.sleep(pause)
        return super().handle_request(request)


def api_client(url: str) -> httpx.Client:
    """A client of the API of a Prefect server."""
    return httpx.Client(base_url=url, timeout=30, transport=Patient(limits=SHORTLY))
