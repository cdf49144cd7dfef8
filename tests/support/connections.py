"""How the clients of the tests keep connections to the servers of the tests."""

from __future__ import annotations

import httpx

# uvicorn closes a connection that was idle for 5 s, and httpx keeps one for as long: a request that is sent just then
# gets no answer.
SHORTLY = httpx.Limits(keepalive_expiry=1)
