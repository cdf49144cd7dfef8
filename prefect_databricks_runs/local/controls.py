"""The controls of a workspace for tests, whether it is running or not: set faults, read the recorded requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .faults.fault_rules import FaultRule
from .faults.faults import Fault, Faults
from .web.request_log import RecordedRequest, RequestLog


class Controls:
    """The part of a `LocalWorkspace` that sets faults and returns the recorded requests.

    Args:
        max_requests: The number of requests to keep.

    Raises:
        ValueError: `max_requests` is below 1.
    """

    def __init__(self, max_requests: int) -> None:
        self._log = RequestLog(max_requests)
        self._faults = Faults()

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """The requests of clients, in order. Requests to `/local/` are not recorded."""
        return self._log.all()

    def requests_to(self, pattern: str) -> tuple[RecordedRequest, ...]:
        """Return the requests that match a pattern, in order.

        Example:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                assert workspace.requests_to("POST */runs/submit") == ()
            ```

        Args:
            pattern: A pattern as for `fault`, such as `POST */runs/submit`.

        Raises:
            ValueError: The pattern is not valid.
        """
        return self._log.matching(pattern)

    def clear_requests(self) -> None:
        """Drop all recorded requests."""
        self._log.clear()

    def fault(
        self,
        pattern: str,
        *,
        after: int = 0,
        times: int | None = None,
        probability: float = 1.0,
        seed: int | None = None,
        status: int | None = None,
        error_code: str | int | None = None,
        message: str | None = None,
        body: Any = None,
        html: bool = False,
        merge: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        retry_after: int | str | None = None,
        delay: float = 0.0,
        hang: bool = False,
        reset: bool = False,
        truncate: bool = False,
        expired_token: bool = False,
        after_effect: bool = False,
    ) -> Fault:
        """Set a fault for later requests.

        If several faults match a request, the oldest fault that is not used up happens to it. Each of them counts the
        request for its own `after`.

        Example:
            Let the first two polls fail:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                fault = workspace.fault("GET */runs/get", status=503, times=2)
                print(fault.met)
            ```

        Args:
            pattern: The requests: a method and a whole path, in which `*` stands for any characters, `/` included.
            after: The number of matching requests that pass first.
            times: The number of requests that the fault happens to; None = all that follow.
            probability: The chance that the fault happens to a request, above 0 and up to 1.
            seed: A seed for `probability`, to hit the same requests in each test run; None = a random seed.
            status: The HTTP status of the answer, 200 to 599. From 400 up, without `body` or `html`, the body is the
                API's error envelope; below 400 it is empty.
            error_code: The envelope's `error_code`; None = the usual code of `status`.
            message: The envelope's `message`; None = a message that names the status.
            body: The body of the answer: a string or bytes as they are (plain text unless `headers` set another type),
                anything else as JSON. Without `status`, the status is 200.
            html: Whether the answer is an HTML page: `body`, or without it the page of a proxy, with status 502 unless
                you set `status`.
            merge: A change to the real answer as a JSON Merge Patch (RFC 7396): objects are merged, None removes a key,
                any other value replaces the value of its key. An answer that is not JSON stays as it is.
            headers: Further headers of the answer, or of the real answer with `merge`. `Date` may be one of them.
            retry_after: The header `Retry-After`: whole seconds, or a string that is sent as it is.
            delay: Seconds to wait before anything else happens; with no other argument, the request is only slow. The
                request is carried out even if the client disconnects in the meantime.
            hang: Whether to send no answer until the client disconnects or the workspace stops.
            reset: Whether to break the connection with a TCP reset, without an answer.
            truncate: Whether to break off in the middle of the answer: the fault's answer, or else the real one.
            expired_token: Whether to answer as to an expired token: 403, `Invalid access token.`
            after_effect: Whether to carry out the request first, and then lose its answer. Otherwise a request is
                carried out only if the client gets the real answer.

        Returns:
            The fault: `met` counts how often it has happened, `remove()` ends it.

        Raises:
            ValueError: An argument is wrong, or two arguments cannot be used together.
        """
        return self._faults.add(
            FaultRule(
                pattern=pattern,
                after=after,
                times=times,
                probability=probability,
                seed=seed,
                status=status,
                error_code=error_code,
                message=message,
                body=body,
                html=html,
                merge=merge,
                headers=headers,
                retry_after=retry_after,
                delay=delay,
                hang=hang,
                reset=reset,
                truncate=truncate,
                expired_token=expired_token,
                after_effect=after_effect,
            )
        )

    def clear_faults(self) -> None:
        """Remove all faults. Requests that already hang or wait continue to do so."""
        self._faults.clear()
