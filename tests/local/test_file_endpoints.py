"""The workspace's files over the API: what is imported runs, what is there is told, nothing leaves the folder."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_databricks_runs.local import LocalWorkspace
from tests.local.client import Client, error, notebook_task, python_task

API = "/api/2.0/workspace"
SOURCE = b"dbutils.notebook.exit('ran')"
JUPYTER = json.dumps({"cells": [{"cell_type": "code", "source": SOURCE.decode()}], "nbformat": 4}).encode()
HEADER = b"# Databricks notebook source\n"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    (tmp_path / "root").mkdir()
    with LocalWorkspace(root=tmp_path / "root") as workspace:
        client = Client(workspace)
        yield client
        client.close()


def post(client: Client, endpoint: str, **body: Any) -> httpx.Response:
    return client.http.post(f"{API}/{endpoint}", json=body)


def put(client: Client, path: str, content: bytes = SOURCE, **fields: Any) -> httpx.Response:
    return post(client, "import", path=path, content=base64.b64encode(content).decode(), **fields)


def notebook(client: Client, path: str, content: bytes = SOURCE, **fields: Any) -> httpx.Response:
    return put(client, path, content, **{"format": "SOURCE", "language": "PYTHON", **fields})


def status(client: Client, path: str) -> dict[str, Any]:
    return client.answer(client.http.get(f"{API}/get-status", params={"path": path}))


def gone(client: Client, path: str) -> bool:
    return error(client.http.get(f"{API}/get-status", params={"path": path})) == (
        404,
        "RESOURCE_DOES_NOT_EXIST",
        f"Path ({path}) doesn't exist.",
    )


def result(client: Client, path: str) -> str:
    return client.output(client.finish(notebook_task(path)))["notebook_output"]["result"]


class TestImport:
    @pytest.mark.parametrize(
        ("path", "content", "fields"),
        [
            ("/n", SOURCE, {"format": "SOURCE", "language": "PYTHON"}),
            ("/n", SOURCE, {"language": "PYTHON"}),
            ("/n", HEADER + SOURCE, {"language": "PYTHON"}),
            ("/n.py", SOURCE, {"language": "PYTHON"}),
            ("/n", JUPYTER, {"format": "JUPYTER", "language": "PYTHON"}),
            ("/n", JUPYTER, {"format": "JUPYTER"}),
            ("/n.ipynb", JUPYTER, {"format": "AUTO"}),
            ("/n.py", HEADER + SOURCE, {"format": "AUTO"}),
        ],
    )
    def test_a_notebook_runs_and_is_known_as_one(
        self, client: Client, path: str, content: bytes, fields: dict[str, str]
    ) -> None:
        assert client.answer(put(client, path, content, **fields)) == {}
        assert result(client, "/n") == "ran"
        assert status(client, "/n")["object_type"] == "NOTEBOOK"
        [listed] = client.answer(client.http.get(f"{API}/list", params={"path": "/"}))["objects"]
        assert (listed["path"], listed["language"]) == ("/n", "PYTHON")

    @pytest.mark.parametrize("kind", ["AUTO", "RAW"])
    def test_a_file_keeps_its_name_and_content(self, client: Client, kind: str) -> None:
        content = b"import sys\r\nprint(sys.argv[1])\n\xff"[:-1]
        client.answer(put(client, "/script.py", content, format=kind))
        assert (client.workspace.root / "script.py").read_bytes() == content
        assert status(client, "/script.py")["object_type"] == "FILE"
        assert gone(client, "/script")
        assert client.output(client.finish(python_task("/script.py", "said")))["logs"] == "said\n"

    def test_overwriting_is_on_request_and_in_any_format(self, client: Client) -> None:
        client.answer(notebook(client, "/n"))
        newer = json.dumps({"cells": [{"cell_type": "code", "source": "dbutils.notebook.exit('newer')"}]}).encode()
        taken = (400, "RESOURCE_ALREADY_EXISTS", "Path (/n) already exists.")
        assert error(put(client, "/n", newer, format="JUPYTER")) == taken
        assert result(client, "/n") == "ran"
        client.answer(put(client, "/n", newer, format="JUPYTER", overwrite=True))
        assert result(client, "/n") == "newer"
        client.answer(notebook(client, "/n", overwrite="true"))
        assert result(client, "/n") == "ran"
        assert [file.name for file in client.workspace.root.iterdir()] == ["n.py"]

    def test_a_notebook_never_overwrites_a_file_with_another_name_nor_a_folder(self, client: Client) -> None:
        client.answer(put(client, "/n.py", b"x = 1", format="RAW"))
        client.answer(post(client, "mkdirs", path="/folder"))
        for path, taken in (("/n", "/n.py"), ("/folder", "/folder")):
            refused = error(notebook(client, path, overwrite=True))
            assert refused == (400, "RESOURCE_ALREADY_EXISTS", f"Path ({taken}) already exists.")
        assert (client.workspace.root / "n.py").read_bytes() == b"x = 1"

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"format": "DBC"}, "The format DBC is not served by the local workspace"),
            ({"format": "HTML"}, "The format HTML"),
            ({"format": "R_MARKDOWN"}, "The format R_MARKDOWN"),
            ({"format": "SOURCE", "language": "SQL"}, "The language SQL is not served by the local workspace"),
            ({"format": "SOURCE"}, "Missing required field: language"),
            ({"format": "JUPYTER"}, "The content is not a Jupyter notebook"),
            ({"content": "%%%"}, "The content must be in base64."),
            ({"content": None}, "Missing required field: content"),
            ({"path": "n"}, "Only absolute paths are currently supported."),
            ({"path": "/"}, "The root folder cannot be imported to"),
        ],
    )
    def test_what_cannot_be_imported_is_refused_by_name(
        self, client: Client, fields: dict[str, Any], said: str
    ) -> None:
        body = {"path": "/n", "content": base64.b64encode(SOURCE).decode(), **fields}
        code, name, message = error(post(client, "import", **body))
        assert (code, name) == (400, "INVALID_PARAMETER_VALUE")
        assert message.startswith(said)
        assert list(client.workspace.root.iterdir()) == []

    def test_more_than_10_mb_is_refused(self, client: Client) -> None:
        refused = error(put(client, "/f", b"x" * (10 * 1024 * 1024 + 1), format="RAW"))
        assert refused[:2] == (400, "MAX_NOTEBOOK_SIZE_EXCEEDED")

    def test_the_folder_must_be_there(self, client: Client) -> None:
        refused = error(notebook(client, "/a/b/n"))
        assert refused == (404, "RESOURCE_DOES_NOT_EXIST", "The parent folder (/a/b) does not exist.")

    def test_a_form_with_a_file_is_the_same(self, client: Client) -> None:
        form = {"path": "/Workspace/n", "language": "PYTHON", "overwrite": "true"}
        for content in (SOURCE, b"dbutils.notebook.exit('ra' + 'n')\r\n"):
            client.answer(client.http.post(f"{API}/import", data=form, files={"content": content}))
            assert result(client, "/n") == "ran"
        broken = client.http.post(f"{API}/import", content=b"x", headers={"Content-Type": "multipart/form-data"})
        assert error(broken)[:2] == (400, "MALFORMED_REQUEST")


class TestStatus:
    def test_each_kind_of_object(self, client: Client) -> None:
        before = int(time.time()) * 1000
        client.answer(post(client, "mkdirs", path="/a/b"))
        client.answer(notebook(client, "/a/n"))
        client.answer(put(client, "/a/f.txt", b"12345", format="AUTO"))
        folder, known, file = (status(client, path) for path in ("/a", "/a/n", "/a/f.txt"))
        assert len({each.pop("object_id") for each in (folder, known, file)}) == 3
        for each in (known, file):
            assert before <= each.pop("created_at") <= each.pop("modified_at") <= time.time() * 1000 + 1
        assert folder == {"object_type": "DIRECTORY", "path": "/a"}
        assert known == {"object_type": "NOTEBOOK", "path": "/a/n", "language": "PYTHON"}
        assert file == {"object_type": "FILE", "path": "/a/f.txt", "size": 5}

    def test_one_object_has_one_id_however_it_is_called(self, client: Client) -> None:
        client.answer(notebook(client, "/n"))
        spellings = ["/n", "/Workspace/n", "//n", "/./n"]
        assert len({status(client, path)["object_id"] for path in spellings}) == 1
        known = status(client, "/n")["object_id"]
        client.answer(notebook(client, "/n", overwrite=True))
        assert status(client, "/n")["object_id"] == known

    def test_the_root_is_a_folder(self, client: Client) -> None:
        assert status(client, "/")["object_type"] == status(client, "/Workspace")["object_type"] == "DIRECTORY"

    def test_a_list_names_what_is_in_a_folder_or_the_object_itself(self, client: Client) -> None:
        client.answer(post(client, "mkdirs", path="/a/b"))
        client.answer(notebook(client, "/a/n"))
        listed = client.answer(client.http.get(f"{API}/list", params={"path": "/a"}))["objects"]
        assert [(each["path"], each["object_type"]) for each in listed] == [
            ("/a/b", "DIRECTORY"),
            ("/a/n", "NOTEBOOK"),
        ]
        assert client.answer(client.http.get(f"{API}/list", params={"path": "/a/n"})) == {"objects": [listed[1]]}
        assert client.answer(client.http.get(f"{API}/list", params={"path": "/a/b"})) == {}

    def test_an_export_gives_back_what_was_imported(self, client: Client) -> None:
        client.answer(put(client, "/n", JUPYTER, format="JUPYTER"))
        query = {"path": "/n", "format": "JUPYTER"}
        answer = client.answer(client.http.get(f"{API}/export", params=query))
        assert (base64.b64decode(answer["content"]), answer["file_type"]) == (JUPYTER, "ipynb")
        for refused in ({"format": "SOURCE"}, {"format": "HTML"}, {"path": "/"}):
            assert error(client.http.get(f"{API}/export", params={**query, **refused}))[0] == 400
        assert error(client.http.get(f"{API}/export", params={**query, "direct_download": "true"}))[0] == 501


class TestFolders:
    def test_mkdirs_makes_what_is_above_and_may_be_repeated(self, client: Client) -> None:
        for _ in range(2):
            assert client.answer(post(client, "mkdirs", path="/a/b/c")) == {}
        assert status(client, "/a/b/c")["object_type"] == "DIRECTORY"

    def test_mkdirs_over_a_notebook_or_file_is_refused(self, client: Client) -> None:
        client.answer(notebook(client, "/n"))
        client.answer(put(client, "/f", format="RAW"))
        for path, taken in (("/n", "/n"), ("/n/a", "/n"), ("/f", "/f"), ("/f/a/b", "/f")):
            refused = error(post(client, "mkdirs", path=path))
            assert refused == (400, "RESOURCE_ALREADY_EXISTS", f"Path ({taken}) already exists.")

    def test_delete_of_each_kind(self, client: Client) -> None:
        client.answer(post(client, "mkdirs", path="/a/b"))
        client.answer(notebook(client, "/a/n"))
        assert error(post(client, "delete", path="/a")) == (400, "DIRECTORY_NOT_EMPTY", "Folder (/a) is not empty.")
        client.answer(post(client, "delete", path="/a/n"))
        assert gone(client, "/a/n")
        client.answer(post(client, "delete", path="/a/b"))
        client.answer(post(client, "mkdirs", path="/a/b"))
        client.answer(post(client, "delete", path="/a", recursive=True))
        assert gone(client, "/a")
        assert error(post(client, "delete", path="/a"))[:2] == (404, "RESOURCE_DOES_NOT_EXIST")

    @pytest.mark.parametrize("path", ["/", "/Workspace", "//", "/."])
    def test_the_root_cannot_be_deleted(self, client: Client, path: str) -> None:
        client.answer(notebook(client, "/n"))
        assert error(post(client, "delete", path=path, recursive=True))[0] == 400
        assert result(client, "/n") == "ran"


class TestEscapes:
    @pytest.fixture
    def outside(self, client: Client) -> Path:
        folder = client.workspace.root.parent / "outside"
        folder.mkdir()
        (folder / "kept.py").write_bytes(HEADER)
        (client.workspace.root / "link").symlink_to(folder)
        (client.workspace.root / "kept.py").symlink_to(folder / "kept.py")
        (client.workspace.root / "circle").symlink_to("circle")
        return folder

    @pytest.mark.parametrize(
        "path",
        ["/../outside/kept.py", "/a/../../outside", "/link/kept", "/link/new", "/link", "/kept.py", "/circle", "/a\0b"]
        + ["/" + "n" * 300, "/" + "n/" * 5000, "/\ud800", "relative", "", "/Workspace/../x"],
    )
    @pytest.mark.parametrize("endpoint", ["import", "mkdirs", "delete"])
    def test_no_path_leaves_the_folder(self, client: Client, outside: Path, endpoint: str, path: str) -> None:
        body = {"path": path, "content": "", "format": "RAW", "overwrite": True, "recursive": True}
        answer = client.http.post(
            f"{API}/{endpoint}", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
        code, _, message = error(answer)
        assert code in {400, 404}, message
        assert [file.read_bytes() for file in outside.iterdir()] == [HEADER]

    def test_what_lies_outside_is_not_told(self, client: Client, outside: Path) -> None:
        for endpoint in ("get-status", "list", "export"):
            for path in ("/link", "/link/kept", "/kept.py", "/kept", "/circle"):
                assert error(client.http.get(f"{API}/{endpoint}", params={"path": path}))[0] in {400, 404}
        assert client.answer(client.http.get(f"{API}/list", params={"path": "/"})) == {}

    def test_a_link_inside_is_deleted_and_not_what_it_leads_to(self, client: Client) -> None:
        client.answer(post(client, "mkdirs", path="/a"))
        client.answer(notebook(client, "/a/n"))
        (client.workspace.root / "link").symlink_to("a")
        assert status(client, "/link/n")["object_type"] == "NOTEBOOK"
        client.answer(post(client, "delete", path="/link", recursive=True))
        assert gone(client, "/link")
        assert result(client, "/a/n") == "ran"

    @given(st.text(max_size=40))
    @settings(
        suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None, database=None
    )
    def test_any_path_is_answered(self, client: Client, path: str) -> None:
        for endpoint, body in (("mkdirs", {}), ("delete", {"recursive": True})):
            assert post(client, endpoint, path=f"/{path}", **body).status_code in {200, 400, 404}
        assert client.workspace.root.is_dir()
