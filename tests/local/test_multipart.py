"""Forms with files in them: every content comes back, and what is no form is refused."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_databricks_runs.local.web.errors import ApiError
from prefect_databricks_runs.local.web.multipart import multipart_fields


@given(st.binary(), st.text().filter(lambda text: text == text.encode("utf-8", "replace").decode()))
@settings(deadline=None, database=None)
def test_every_content_comes_back(content: bytes, text: str) -> None:
    request = httpx.Request("POST", "http://x", data={"path": text}, files={"content": content})
    fields = multipart_fields(request.headers["content-type"], request.read())
    assert fields == {"path": text, "content": base64.b64encode(content).decode()}


@given(st.binary(), st.sampled_from(["", "; boundary=", "; boundary=b", '; boundary="b']))
@settings(deadline=None, database=None)
def test_any_body_is_a_form_or_a_clear_error(raw: bytes, boundary: str) -> None:
    for body in (raw, b"--b\r\n" + raw + b"\r\n--b--\r\n"):
        fields: dict[str, Any] = {}
        with contextlib.suppress(ApiError):
            fields = multipart_fields(f"multipart/form-data{boundary}", body)
        assert all(isinstance(value, str) for value in fields.values())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"--b--",
        b"no form",
        b"--b\r\n\r\nno name\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\ncut off',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--b--',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 2 + b"--b--",
    ],
)
def test_what_is_no_form_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        multipart_fields("multipart/form-data; boundary=b", raw)
    assert (refused.value.status, refused.value.error_code) == (400, "MALFORMED_REQUEST")
