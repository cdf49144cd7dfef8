"""Files that are odd, hostile or not of jobs at all: each has one clear answer, in bounded time and memory."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_databricks_runs._check_job import reading
from prefect_databricks_runs._check_job.reading import read_source
from prefect_databricks_runs._check_job.tree import ANYTHING, NotReadable, plain
from prefect_databricks_runs._check_job.yaml_tree import yaml_trees
from tests.check_job.test_corpus import found, said

JOB = """\
name: a
tasks:
  - task_key: a
    notebook_task: {notebook_path: /a}
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 10)}]\n" for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)
UNREADABLE = {
    "empty": (b"", "The file is empty."),
    "blank": (b" \n\n", "The file is empty."),
    "comments": (b"# nothing\n---\n---\n", "The file is empty."),
    "binary": (b"\x00\x01\x02", "The file is not text."),
    "latin": ("name: Ä\n".encode("latin-1"), "The file is not text in UTF-8."),
    "control characters": (b"name: \x01\n", "The file is not YAML"),
    "broken YAML": (b"tasks: [a\nb: c\n", "The file is not YAML"),
    "tab": (b"tasks:\n\t- a\n", "The file is not YAML"),
    "bomb of aliases": (BOMB.encode(), "The file has more than 500,000 values, aliases filled in."),
    "bomb of merges": (
        ("a: &a {k: 1}\n" + "".join(f"x{n}: &x{n} {{<<: *a, v{n}: *a}}\n" for n in range(9)) + "tasks: *no\n").encode(),
        "has an alias *no without an anchor before it",
    ),
    "alias of itself": (b"tasks: &a [*a]\n", "The file has an alias *a inside of what it stands for."),
    "deep flow": (b"[" * 500, "levels deep"),
    "deeper flow": (b"[" * 100_000, "is not YAML: exceeded maximum nesting depth"),
    "deep block": (b"- " * 5_000, "levels deep"),
    "merge of text": (b"a:\n  <<: b\n", "The file has a `<<` that is not a map."),
    "key that is a list": (b"? [a]\n: b\n", "The file has a key that is not text."),
    "text": (b"hello\n", "The file has no definition of a job"),
    "another program": (b"on: push\njobs:\n  build:\n    runs-on: ubuntu\n", "The file has no definition of a job"),
    "list of texts": (b"- a\n- b\n", "The file has no definition of a job"),
}


@pytest.mark.parametrize(("content", "error"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_or_is_no_job_is_said_so(tmp_path: Path, content: bytes, error: str) -> None:
    path = tmp_path / "odd.yml"
    path.write_bytes(content)
    results = found(path)
    assert results.exit_code(strict=False) == 2
    assert [each.severity for each in results.findings] == ["error"]
    assert error in results.findings[0].message


UNREADABLE_JSON = {
    "broken": ('{"tasks": [}', "The file is not JSON"),
    "deep": ("[" * 100_000, "levels deep"),
    "deep objects": ('{"a":' * 150 + "1" + "}" * 150, "levels deep"),
    "number": ("1", "The file has no definition of a job"),
}


@pytest.mark.parametrize(("content", "error"), UNREADABLE_JSON.values(), ids=UNREADABLE_JSON)
def test_what_cannot_be_read_as_json_is_said_so(tmp_path: Path, content: str, error: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content)
    results = found(path)
    assert results.exit_code(strict=False) == 2
    assert error in results.findings[0].message


def test_a_file_that_is_not_there_too_large_or_a_folder_without_jobs_is_an_error(tmp_path: Path, monkeypatch) -> None:
    assert "cannot be read: No such file" in found(tmp_path / "none.yml").findings[0].message
    (tmp_path / "notes.yml").write_text("hello: world\n")
    assert "No definition of a job was found" in found(tmp_path).findings[0].message
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    assert "has more than" in found(tmp_path / "notes.yml").findings[0].message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_a_folder_is_not_waited_for_and_a_broken_link_is_a_warning(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    (tmp_path / "link.yml").symlink_to(tmp_path / "pipe.yml")
    (tmp_path / "nowhere.yml").symlink_to(tmp_path / "none.yml")
    (tmp_path / "job.yml").write_text(JOB)
    assert [each[-42:] for each in said(found(tmp_path))] == ["cannot be read: No such file or directory."]


def test_what_is_of_another_type_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "job.yml"
    path.write_text("name: a\ntasks: {a: b}\nschedule: daily\ntimeout_seconds: .nan\n")
    assert said(found(path)) == [
        "fault a tasks: must be a list, not an object.",
        "fault a schedule: must be an object, not a string.",
        "warning a timeout_seconds: `timeout_seconds`; it should be a whole number, not nan.",
    ]


@pytest.mark.parametrize(
    "content",
    [
        JOB.encode(),
        b"\xef\xbb\xbf" + JOB.encode(),
        JOB.replace("\n", "\r\n").encode(),
        JOB.encode("utf-16"),
        b"---\n" + JOB.encode() + b"...\n",
        b"%YAML 1.2\n---\n" + JOB.encode(),
    ],
    ids=["plain", "BOM", "CRLF", "UTF-16", "marks", "directive"],
)
def test_a_job_is_read_in_every_encoding_that_yaml_has(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "job.yml"
    path.write_bytes(content)
    results = found(path)
    assert said(results) == []
    assert [each.job for each in results.checked] == ["a"]


def test_lines_are_those_of_the_file_with_crlf_and_in_later_documents(tmp_path: Path) -> None:
    path = tmp_path / "job.yml"
    path.write_bytes((JOB + "---\n" + JOB.replace("/a", "a")).replace("\n", "\r\n").encode())
    results = found(path)
    assert [(each.line, each.path) for each in results.findings] == [(9, "tasks[0].notebook_task.notebook_path")]


@pytest.mark.parametrize("suffix", ["yml", "json"])
def test_a_key_that_is_there_twice_is_a_warning(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"job.{suffix}"
    body = {"name": "a", "tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/a"}}]}
    text = JOB + "name: b\n" if suffix == "yml" else json.dumps(body).replace('"name"', '"name": "b", "name"')
    path.write_text(text)
    results = found(path)
    assert [(each.severity, each.line) for each in results.findings] == [("warning", 5 if suffix == "yml" else None)]
    assert "`name` is there twice in one object" in results.findings[0].message


SCALARS: dict[str, Any] = {
    "on": ANYTHING,
    "No": ANYTHING,
    "true": True,
    "'true'": "true",
    "~": None,
    "null": None,
    "''": "",
    "2026-11-28": "2026-11-28",
    "2026-11-28T06:30:00Z": "2026-11-28T06:30:00Z",
    "12:30:45": "12:30:45",
    "190:20": "190:20",
    "0755": 755,
    "0o17": 15,
    "0x1F": 31,
    "1_000": 1_000,
    "-7": -7,
    "1.5": 1.5,
    "1e3": 1_000.0,
    ".inf": float("inf"),
    "9" * 5_000: "9" * 5_000,
    "1.2.3": "1.2.3",
    "15.4": 15.4,
    "<<": "<<",
    "!!str 5": "5",
    "!!int 5": 5,
    "!Ref x": ANYTHING,
    "!!python/object/apply:os.system ['true']": [ "true" ],
    "!!binary aGk=": ANYTHING,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS.items(), ids=[each[:20] for each in SCALARS])
def test_a_scalar_is_read_as_bundles_read_it(text: str, value: Any) -> None:
    (document,), _ = yaml_trees(f"a: {text}\nb: [{text}]\n" if "[" not in text else f"a: {text}\n", "f")
    read = plain(document)
    assert read["a"] == value
    assert type(read["a"]) is type(value)
    assert read.get("b", [value]) == [value]


def test_keys_are_text_whatever_yaml_1_1_takes_them_for() -> None:
    (document,), _ = yaml_trees("on: 1\n2026-11-28: 2\n7: 3\ntrue: 4\n'y': 5\n", "f")
    assert plain(document) == {"on": 1, "2026-11-28": 2, "7": 3, "true": 4, "y": 5}


def test_merge_keys_give_way_to_own_keys_and_the_first_of_several_counts() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], y: 3}\n"
    (document,), _ = yaml_trees(text, "f")
    assert plain(document)["c"] == {"x": 1, "y": 3, "z": 2}


def test_standard_input_is_json_or_yaml(monkeypatch) -> None:
    class Input:
        buffer = io.BytesIO()

    monkeypatch.setattr("sys.stdin", Input)
    broken = {"tasks": [{"task_key": "a", "job_cluster_key": "b", "notebook_task": {"notebook_path": "/a"}}]}
    for text in (
        json.dumps(broken),
        "\n" + json.dumps(broken),
        "{tasks: [{task_key: a, job_cluster_key: b, sql_task: *a}]}",
    ):
        Input.buffer = io.BytesIO(text.replace("sql_task: *a", "notebook_task: {notebook_path: /a}").encode())
        results = found("-")
        assert [each.file for each in results.findings] == ["stdin"]
        assert "Job cluster 'b' is not defined" in results.findings[0].message


@settings(deadline=None, max_examples=100)
@given(st.one_of(st.binary(max_size=200), st.text(alphabet="ab:-[]{},&*<?!|>'\"# \n\t~", max_size=80).map(str.encode)))
def test_any_bytes_are_read_or_refused_in_words(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_bytes(content)
    try:
        for each in read_source(str(path)).documents:
            plain(each)
    except NotReadable as error:
        assert str(error)  # noqa: PT017 - most are read


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("${var.x}"),
    lambda each: st.lists(each, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["tasks", "name", "job_clusters", "task_key", "new_cluster", "depends_on", "for_each_task", "task",
             "resources", "jobs", "targets", "variables", "default", "bundle", "include", "settings", "job_id",
             "notebook_task", "notebook_path", "git_source", "environments", "parameters", "trigger", "schedule"]
        ),
        each,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(VALUES)
def test_documents_of_any_shape_are_checked_or_refused_and_never_crash_it(tmp_path_factory, value: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(value))
    assert found(path).exit_code(strict=False) in (0, 1, 2)
    path = path.with_name("any.yml")
    path.write_text(json.dumps({"resources": {"jobs": {"a": value}}, "targets": {"t": {"resources": value}}}))
    assert found(path, all_targets=True).exit_code(strict=False) in (0, 1, 2)
