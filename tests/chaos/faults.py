"""Every fault that a workspace can be told to have, for every call."""

from __future__ import annotations

import random
from typing import Any

from prefect_databricks_runs.local import LocalWorkspace
from prefect_databricks_runs.local.faults.faults import Fault

_JSON = {"Content-Type": "application/json"}
_HUGE_ZONE = "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"
# What comes instead of the answer, before what was asked for is done and after it.
INSTEAD: dict[str, dict[str, Any]] = {
    "429": {"status": 429},
    "429 with Retry-After": {"status": 429, "retry_after": 1},
    "500": {"status": 500},
    "502 of a proxy": {"html": True},
    "503": {"status": 503},
    "504": {"status": 504},
    "late 503": {"status": 503, "delay": 0.2},
    "truncated 500": {"status": 500, "truncate": True},
    "reset": {"reset": True},
    "hang": {"hang": True},
    "page of a proxy with status 200": {"status": 200, "html": True, "body": "<h1>Sign in to the network</h1>"},
    "page of a proxy with status 404": {"status": 404, "html": True},
    "no JSON": {"body": "busy"},
    "list": {"body": []},
    "404 of a gateway": {"status": 404, "body": {"error": "Bad Target: /api"}},
    "deep JSON": {"body": "[" * 100_000, "headers": _JSON},
    "503 with an odd Retry-After": {"status": 503, "retry_after": _HUGE_ZONE},
    "429 with an odd Retry-After": {"status": 429, "retry_after": "\xb2"},
    "401": {"status": 401},
    "403 for the token": {"status": 403, "error_code": 403, "message": "Invalid access token."},
}
# What happens to the answer itself.
TO_THE_ANSWER: dict[str, dict[str, Any]] = {
    "delay": {"delay": 0.2},
    "truncated answer": {"truncate": True},
    "expired token": {"expired_token": True},
}
# Answers that where they are not listed would be right ones, and a lie: a cancellation is answered with nothing.
IN_PLACES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "empty": ({"status": 200, "body": ""}, ("GET *", "POST */run-now", "POST */runs/submit", "POST */runs/repair")),
    "a huge number": (
        {"body": '{"run_id": 1e999, "repair_id": 1e999}', "headers": _JSON},
        ("GET */runs/get", "POST */run-now", "POST */runs/submit", "POST */runs/repair"),
    ),
    "another service's JSON": ({"body": {"status": "ok"}}, ("GET */runs/get", "POST */run-now", "POST */runs/submit")),
}
# True answers with something odd in them, where they come.
_RUNS = ("GET */runs/get", "POST */run-now", "POST */runs/submit")
_EVERYWHERE = ("* *",)
_FEW = 3.0  # times as likely is what few requests can meet, so that some do
ODD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "fields of wrong types": (
        {"merge": {"state": {"state_message": 5}, "run_name": [], "status": 7, "job_id": {}, "end_time": 1e300}},
        ("GET */runs/get",),
    ),
    "lists of wrong types": (
        {"merge": {"tasks": [5, None, "x", {"state": []}], "runs": [5, None, {"run_id": "x"}]}},
        ("GET */runs/get", "GET */runs/list"),
    ),
    "another run": ({"merge": {"run_id": 10**15, "original_attempt_run_id": 10**15}}, ("GET */runs/get",)),
    "an id of a wrong type": ({"merge": {"run_id": True}}, _RUNS),
    "an output of a wrong type": ({"merge": {"notebook_output": ["x"], "error": []}}, ("GET */runs/get-output",)),
    "no run id": ({"merge": {"run_id": None}}, _RUNS),
    "a date with a huge zone": ({"merge": {}, "headers": {"Date": _HUGE_ZONE}}, _EVERYWHERE),
    "a date of another age": ({"merge": {}, "headers": {"Date": "Fri, 31 Dec 9999 23:59:59 GMT"}}, _EVERYWHERE),
    "a cookie and a charset that do not exist": (
        {
            "merge": {},
            "headers": {"Content-Type": "text/html; charset=idna", "Set-Cookie": f"a=b; Max-Age={'9' * 400}"},
        },
        _EVERYWHERE,
    ),
    "an encoding that it has not": ({"merge": {}, "headers": {"Content-Encoding": "gzip"}}, _EVERYWHERE),
    # A refusal to start or to cancel is no odd answer.
    "403 that is no matter of the token": ({"status": 403}, ("GET */runs/get", "GET */runs/list")),
}
AFTER = ", after the effect"


def kinds() -> list[str]:
    """What each kind of fault is called."""
    return [*INSTEAD, *TO_THE_ANSWER, *IN_PLACES, *ODD]


def set_faults(workspace: LocalWorkspace, chooser: random.Random, probability: float) -> list[tuple[str, Fault]]:
    """Have each fault happen to each request by chance.

    Args:
        workspace: What goes wrong.
        chooser: Chance.
        probability: How likely each of the faults is.

    Returns:
        The faults, and what to call each of them.
    """
    faults: list[tuple[str, Fault]] = []

    def fault(kind: str, pattern: str, what: dict[str, Any], *, after_effect: bool = False, times: float = 1.0) -> None:
        seed, likely = chooser.getrandbits(32), probability * times
        made = workspace.fault(pattern, **what, after_effect=after_effect, probability=likely, seed=seed)
        faults.append((f"{kind}{AFTER}" if after_effect else kind, made))

    for kind, what in INSTEAD.items():
        fault(kind, "* *", what)
        fault(kind, "* *", what, after_effect=True)
    for kind, what in TO_THE_ANSWER.items():
        fault(kind, "* *", what)
    for kind, (what, patterns) in IN_PLACES.items():
        for pattern in patterns:
            fault(kind, pattern, what)
            fault(kind, pattern, what, after_effect=True)
    for kind, (what, patterns) in ODD.items():
        for pattern in patterns:
            fault(kind, pattern, what, times=1.0 if patterns is _EVERYWHERE else _FEW)
    return faults
