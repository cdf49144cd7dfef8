"""The endpoints of the workspace's files: import, export, get-status, list, mkdirs, delete."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path

from ..bodies.schema import BOOLEAN, STRING, Object, read
from ..files.paths import clean_path
from ..files.workspace_files import FILE, NOTEBOOK, WorkspaceFiles, describe, is_python_notebook, kind_of
from ..task_child.cells import HEADER
from ..texts import text
from ..web.calls import Call, Endpoint, Fields
from ..web.errors import ApiError, field_not_served, invalid

MAX_CONTENT_BYTES = 10 * 1024 * 1024
_PATH = Object({"path": STRING}, required=("path",))
_IMPORT = Object(
    {"path": STRING, "content": STRING, "format": STRING, "language": STRING, "overwrite": BOOLEAN},
    required=("path", "content"),
)
_DELETE = Object({"path": STRING, "recursive": BOOLEAN}, required=("path",))
_EXPORT = Object({"path": STRING, "format": STRING, "direct_download": BOOLEAN}, required=("path",))


class FileEndpoints:
    """The endpoints under `workspace/`.

    Args:
        root: The folder with the workspace's files.
    """

    def __init__(self, root: Path) -> None:
        self._files = WorkspaceFiles(root)
        self.served: dict[str, Endpoint] = {
            "POST workspace/import": self.import_,
            "POST workspace/mkdirs": self.mkdirs,
            "POST workspace/delete": self.delete,
            "GET workspace/get-status": self.get_status,
            "GET workspace/list": self.list_objects,
            "GET workspace/export": self.export,
        }

    def import_(self, call: Call) -> Fields:
        """Write a notebook or a file."""
        asked = read(call.fields, _IMPORT)
        path = clean_path(asked["path"])
        if path == "/":
            raise invalid("import_to_root")
        content = _content(asked["content"])
        name, content = _stored(path.rpartition("/")[2], content, asked)
        if asked.get("format") == "AUTO" and _is_notebook(name, content):
            path = path.removesuffix(".py").removesuffix(".ipynb")
        self._files.write(path, name, content, overwrite=asked.get("overwrite", False))
        return {}

    def mkdirs(self, call: Call) -> Fields:
        """Make a folder, and the folders above it."""
        self._files.make_folder(clean_path(read(call.fields, _PATH)["path"]))
        return {}

    def delete(self, call: Call) -> Fields:
        """Delete a file, a notebook or a folder."""
        asked = read(call.fields, _DELETE)
        self._files.delete(clean_path(asked["path"]), recursive=asked.get("recursive", False))
        return {}

    def get_status(self, call: Call) -> Fields:
        """Return the object at a path."""
        path = clean_path(read(call.fields, _PATH)["path"])
        return describe(self._files.find(path), path)

    def list_objects(self, call: Call) -> Fields:
        """Return the content of a folder: `objects`, unless it is empty."""
        objects = list(self._files.children(clean_path(read(call.fields, _PATH)["path"])))
        return {"objects": objects} if objects else {}

    def export(self, call: Call) -> Fields:
        """Return a notebook or a file as it is kept: `content` in base64, `file_type`."""
        asked = read(call.fields, _EXPORT)
        if asked.get("direct_download"):
            raise field_not_served("direct_download", value=True)
        path = clean_path(asked["path"])
        file = self._files.find(path)
        kind = kind_of(file)
        own_format = "JUPYTER" if file.suffix == ".ipynb" else "SOURCE"
        wanted = asked.get("format", "SOURCE")
        if kind not in {NOTEBOOK, FILE} or wanted not in {own_format, "AUTO"}:
            raise invalid("export_format", path=path, kind=kind, format=wanted)
        content = self._files.read(path)
        return {"content": base64.b64encode(content).decode("ascii"), "file_type": file.suffix.removeprefix(".")}


def _content(encoded: str) -> bytes:
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("not_base64") from None
    if len(content) > MAX_CONTENT_BYTES:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", text("content_too_long", limit=MAX_CONTENT_BYTES))
    return content


def _stored(name: str, content: bytes, asked: Fields) -> tuple[str, bytes]:
    """Return the name and the content of the file that keeps an import."""
    kind = asked.get("format", "SOURCE")
    if kind == "SOURCE":
        return _with_suffix(name, ".py"), _python_source(content, asked.get("language"))
    if kind == "JUPYTER":
        return _with_suffix(name, ".ipynb"), _jupyter(content)
    if kind == "AUTO" and name.endswith(".ipynb"):
        return name, _jupyter(content)
    if kind in {"AUTO", "RAW"}:
        return name, content
    raise invalid("import_format", format=kind)


def _is_notebook(name: str, content: bytes) -> bool:
    return name.endswith(".ipynb") or (name.endswith(".py") and is_python_notebook(content))


def _with_suffix(name: str, suffix: str) -> str:
    return name if name.endswith(suffix) else name + suffix


def _python_source(content: bytes, language: str | None) -> bytes:
    if language is None:
        raise invalid("missing_field", field="language")
    if language != "PYTHON":
        raise invalid("import_language", language=language)
    return content if is_python_notebook(content) else f"{HEADER}\n".encode() + content


def _jupyter(content: bytes) -> bytes:
    try:
        is_notebook = isinstance(json.loads(content)["cells"], list)
    except (ValueError, LookupError, TypeError, RecursionError):
        is_notebook = False
    if not is_notebook:
        raise invalid("not_jupyter")
    return content
