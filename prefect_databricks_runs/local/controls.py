"""What a test tells a workspace and reads from it, whether it runs or not: faults, and what clients asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .faults.fault_rules import FaultRule
from .faults.faults import Fault, Faults
from .web.request_log import RecordedRequest, RequestLog


class Controls:
    """The part of a `LocalWorkspace` that says what goes wrong, and what clients asked.

    Args:
        max_requests: how many requests are remembered.

    Raises:
        ValueError: that is below 1.
    """

    def __init__(self, max_requests: int) -> None:
        self._log = RequestLog(max_requests)
        self._faults = Faults()

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """What clients asked, in order; those under `/local/` are left out."""
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
            pattern: as for `fault`, such as `POST */runs/submit`.

        Raises:
            ValueError: the pattern is not right.
        """
        return self._log.matching(pattern)

    def clear_requests(self) -> None:
        """Forget all requests."""
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
        """Set a fault, which happens to later requests.

        Of several faults that match a request, the one that was set first and is not used up happens to it. Each of
        them counts it for its own `after`.

        Example:
            Let the first two polls fail:
            ```python
            from prefect_databricks_runs.local import LocalWorkspace

            with LocalWorkspace() as workspace:
                fault = workspace.fault("GET */runs/get", status=503, times=2)
                print(fault.met)
            ```

        Args:
            pattern: which requests: a method and a whole path, in which `*` stands for any characters, `/` too.
            after: how many matching requests pass first.
            times: how many requests it happens to; None = all that follow.
            probability: how likely it is for each of them, above 0 and up to 1.
            seed: makes the same requests meet it each time; None = other ones each time.
            status: the HTTP status of the answer, 200 to 599. From 400 up, and without `body` or `html`, the body is
                the API's error envelope; below that it is empty.
            error_code: the envelope's `error_code`; None = the usual one of `status`.
            message: the envelope's `message`; None = one that says that it is a fault.
            body: the body of the answer: text or bytes as they are (plain text, if `headers` say nothing else),
                anything else as JSON. Without `status` that is 200.
            html: the answer is a page: `body`, or without it what a proxy shows, with 502 if there is no `status`.
            merge: a change of the real answer, a JSON Merge Patch (RFC 7396): objects are merged, None removes a key,
                anything else takes its place. What is not JSON stays as it is.
            headers: further headers of the answer; of the real one, with `merge`. `Date` may be one of them.
            retry_after: the header `Retry-After`: whole seconds, or a text that is sent as it is.
            delay: seconds before everything else that happens; alone, the request is just slow. When the client
                leaves meanwhile, what it asked for is done all the same.
            hang: there is no answer until the client leaves or the workspace stops.
            reset: the connection is broken off with a TCP reset, without an answer.
            truncate: the answer breaks off in the middle; without an answer of the fault's own, that is the real one.
            expired_token: the answer is that of an expired token: 403, `Invalid access token.`
            after_effect: what the request asks for is done before anything else happens, and its answer is lost.
                Otherwise it is not done, unless the client gets the real answer.

        Returns:
            The fault: `met` counts how often it has happened, `remove()` ends it.

        Raises:
            ValueError: an argument is wrong, or they do not go together.
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
        """Remove all faults; requests that hang or wait because of one go on doing so."""
        self._faults.clear()
