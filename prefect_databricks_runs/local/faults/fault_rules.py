"""The rules of faults: their fields, and the combinations that are allowed."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..web.patterns import Pattern

FIRST_ERROR = 400  # the lowest status of an error

_LONGEST_DELAY = 86_400
_NO_BODY = (204, 304)
_EMPTY = ("", b"")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"(?![\t ])[\t\x20-\x7e\xa0-\xff]*(?<![\t ])")
# The server writes these itself; wrong values would break its side of the connection.
_OUR_HEADERS = ("content-length", "transfer-encoding", "connection")
_ANSWER_FIELDS = ("status", "error_code", "message", "body", "headers", "retry_after")
_NOT_WITH_MERGE = ("status", "error_code", "message", "body")  # headers may go with the real answer too
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "after": ((int,), "a whole number"),
    "times": ((int, type(None)), "a whole number or nothing"),
    "probability": ((int, float), "a number"),
    "seed": ((int, type(None)), "a whole number or nothing"),
    "status": ((int, type(None)), "a whole number"),
    "error_code": ((str, int, type(None)), "a string or a whole number"),
    "message": ((str, type(None)), "a string"),
    "html": ((bool,), "true or false"),
    "merge": ((Mapping, type(None)), "an object"),
    "headers": ((Mapping, type(None)), "an object of strings"),
    "retry_after": ((int, str, type(None)), "whole seconds or an HTTP date"),
    "delay": ((int, float), "a number of seconds"),
    "hang": ((bool,), "true or false"),
    "reset": ((bool,), "true or false"),
    "truncate": ((bool,), "true or false"),
    "expired_token": ((bool,), "true or false"),
    "after_effect": ((bool,), "true or false"),
}


@dataclass(frozen=True)
class FaultRule:
    """A rule for requests and what happens to them. The fields are the parameters of `LocalWorkspace.fault`.

    Raises:
        ValueError: A field is wrong, or two fields cannot be used together. The message names them.
    """

    pattern: str
    after: int = 0
    times: int | None = None
    probability: float = 1.0
    seed: int | None = None
    status: int | None = None
    error_code: str | int | None = None
    message: str | None = None
    body: Any = None
    html: bool = False
    merge: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    retry_after: int | str | None = None
    delay: float = 0.0
    hang: bool = False
    reset: bool = False
    truncate: bool = False
    expired_token: bool = False
    after_effect: bool = False

    def __post_init__(self) -> None:
        Pattern(self.pattern)
        for name in _TYPES:
            _check_type(name, getattr(self, name))
        _check_numbers(self)
        _check_headers(self)
        _check_answer(self)
        _check_together(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> FaultRule:
        """Return the rule that a JSON object describes.

        Raises:
            ValueError: The pattern is missing, or a field is unknown or wrong.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(fields.keys() - names)
        if unknown:
            raise ValueError(f"A fault has no field {unknown[0]!r}; there are {', '.join(sorted(names))}")
        if "pattern" not in fields:
            raise ValueError("A fault needs the field 'pattern', such as 'POST */runs/submit'")
        return cls(**fields)

    def as_json(self) -> dict[str, Any]:
        """Return the fields that are set, fit for JSON."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        defaults = {field.name: field.default for field in dataclasses.fields(self)}
        told = {name: value for name, value in fields.items() if value != defaults[name]}
        if isinstance(self.body, bytes):
            told["body"] = self.body.decode("utf-8", "replace")
        if self.headers:
            told["headers"] = dict(self.headers)
        if self.merge is not None:
            told["merge"] = dict(self.merge)
        return told

    @property
    def replaces_answer(self) -> bool:
        """Whether the client gets the rule's own answer instead of the real one."""
        return self.expired_token or self.gives_answer

    @property
    def gives_answer(self) -> bool:
        """Whether that answer is described field by field."""
        fields = _ANSWER_FIELDS if self.merge is None else _NOT_WITH_MERGE
        return self.html or any(getattr(self, name) is not None for name in fields)

    @property
    def has_body(self) -> bool:
        """Whether the rule's own answer has a body."""
        if self.body is None:
            return self.html or self.expired_token or self.answer_status >= FIRST_ERROR
        return self.body not in _EMPTY

    @property
    def answer_status(self) -> int:
        """The status of the rule's own answer; by default 200, or 502 for a proxy's page."""
        return self.status or (502 if self.html and self.body is None else 200)

    def __str__(self) -> str:
        """Describe the fault in words."""
        events = []
        if self.delay:
            events.append(f"delay of {self.delay:g} s")
        if self.hang or self.reset or self.expired_token:
            events.append("hang" if self.hang else "reset" if self.reset else "expired token")
        elif self.replaces_answer:
            events.append(f"status {self.answer_status}" + (", HTML" if self.html else ""))
        if self.merge is not None:
            events.append("changed")
        if self.truncate:
            events.append("truncated")
        return ", ".join(events) + (" after the effect" if self.after_effect else "")


def _check_type(name: str, value: Any) -> None:
    types, words = _TYPES[name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise ValueError(f"{name} must be {words}, not {value!r}")


def _check_numbers(rule: FaultRule) -> None:
    if rule.after < 0:
        raise ValueError(f"after must not be negative, it is {rule.after}")
    if rule.times is not None and rule.times < 1:
        raise ValueError(f"times must be at least 1, or None for all requests; it is {rule.times}")
    if not 0 < rule.probability <= 1:
        raise ValueError(f"probability must be above 0 and at most 1, it is {rule.probability}")
    if not 0 <= rule.delay <= _LONGEST_DELAY:
        raise ValueError(f"delay must be from 0 to {_LONGEST_DELAY} seconds, it is {rule.delay}")
    if rule.status is not None and not 200 <= rule.status <= 599:  # noqa: PLR2004 - the final answers of HTTP
        raise ValueError(f"status must be from 200 to 599, it is {rule.status}")
    if isinstance(rule.retry_after, int) and rule.retry_after < 0:
        raise ValueError(f"retry_after must not be negative, it is {rule.retry_after}")


def _check_headers(rule: FaultRule) -> None:
    headers = dict(rule.headers or {})
    if isinstance(rule.retry_after, str):
        headers["Retry-After"] = rule.retry_after
    for name, value in headers.items():
        if not (isinstance(name, str) and _HEADER_NAME.fullmatch(name)):
            raise ValueError(f"{name!r} cannot be the name of a header")
        if not (isinstance(value, str) and _HEADER_VALUE.fullmatch(value)):
            raise ValueError(f"{value!r} cannot be the value of the header {name}")
        if name.lower() in _OUR_HEADERS:
            raise ValueError(f"The header {name} is the server's own and cannot be set")


def _check_answer(rule: FaultRule) -> None:
    if rule.gives_answer and rule.status is None and rule.body is None and not rule.html:
        given = next(name for name in _ANSWER_FIELDS if getattr(rule, name) is not None)
        raise ValueError(f"{given} needs status, body or html: it adds to the answer that they set")
    _check_body(rule)
    tells = rule.error_code is not None or rule.message is not None
    if tells and (rule.body is not None or rule.html):
        raise ValueError("error_code and message make the body: they cannot be used with body or html")
    if tells and rule.answer_status < FIRST_ERROR:
        raise ValueError(f"error_code and message need a status from {FIRST_ERROR} up, it is {rule.answer_status}")
    if rule.status in _NO_BODY and rule.has_body:
        raise ValueError(f"An answer with status {rule.status} cannot have a body")


def _check_body(rule: FaultRule) -> None:
    if rule.html and not isinstance(rule.body, (str, bytes, type(None))):
        raise ValueError("With html, body must be a string or bytes")
    try:
        json.dumps(dict(rule.merge or {}))
        # As it will be sent: a string may have characters that UTF-8 cannot encode.
        rule.body.encode() if isinstance(rule.body, str) else isinstance(rule.body, bytes) or json.dumps(rule.body)
    except (TypeError, ValueError, RecursionError):
        raise ValueError("body must be a string, bytes, or a JSON value, and merge a JSON object") from None


def _check_together(rule: FaultRule) -> None:
    kinds = [name for name in ("hang", "reset", "expired_token") if getattr(rule, name)]
    if rule.gives_answer:
        kinds.append("its own answer")
    if rule.merge is not None:
        kinds.append("the real answer with a change")
    if not kinds and not rule.delay and not rule.truncate:
        raise ValueError("A fault must do something: set status, body, html, merge, delay, hang, reset or the like")
    if len(kinds) > 1:
        raise ValueError(f"A fault can have only one of these: {' and '.join(kinds)}")
    if rule.truncate and (rule.hang or rule.reset):
        raise ValueError("truncate cuts an answer short: it cannot be used with hang or reset, which send no answer")
    if rule.truncate and rule.replaces_answer and not rule.has_body:
        raise ValueError("truncate needs an answer with a body")
    if rule.expired_token and rule.after_effect:
        raise ValueError("expired_token cannot be used with after_effect: the token is checked before the effect")
