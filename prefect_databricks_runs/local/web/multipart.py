"""Read forms with files: the `multipart/form-data` with which clients upload."""

from __future__ import annotations

import base64
from email.message import Message
from email.parser import BytesFeedParser
from typing import Any

from .errors import malformed

CONTENT_TYPE = "multipart/form-data"


def multipart_fields(content_type: str, raw: bytes) -> dict[str, Any]:
    """Return the fields of a form; the content of a file is in base64, as in the JSON form of the same endpoint.

    Args:
        content_type: The request's `Content-Type`, which has the boundary.
        raw: The request's body.

    Raises:
        ApiError: The body is not a form of this type, or a field is there twice (400).
    """
    parser = BytesFeedParser()
    parser.feed(b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n")
    parser.feed(raw)
    form = parser.close()
    parts = form.get_payload()
    if form.defects or not isinstance(parts, list):
        raise malformed("bad_multipart")
    fields: dict[str, Any] = {}
    for part in parts:
        name, value = _field(part)
        if name in fields:
            raise malformed("bad_multipart")
        fields[name] = value
    return fields


def _field(part: Any) -> tuple[str, str]:
    if not isinstance(part, Message):
        raise malformed("bad_multipart")
    name = part.get_param("name", header="content-disposition")
    content = part.get_payload(decode=True)
    if not isinstance(name, str) or not isinstance(content, bytes):
        raise malformed("bad_multipart")
    if part.get_param("filename", header="content-disposition") is not None:
        return name, base64.b64encode(content).decode("ascii")
    try:
        return name, content.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed("bad_multipart") from None
