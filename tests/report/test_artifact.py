"""The artifact of a run: what a reader finds in it."""

from __future__ import annotations

from html import escape

import pytest
from markdown_it import MarkdownIt
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterId

from prefect_databricks_runs import Run
from prefect_databricks_runs._prefect.compat import update_artifact
from prefect_databricks_runs._report import artifact_text
from prefect_databricks_runs.demo.servers import PrefectServer
from tests.support.answers import HOST, RUN_ID, run, task, with_output

PAGE = f"{HOST}/jobs/42/runs"
HEAD = "| task | state | attempts | queue | setup | execution | total |"


def text_of(life_cycle: str, result: str | None = None, since: float | None = None, **more: object) -> str:
    return artifact_text(Run.from_api(run(life_cycle, result, **more), HOST), since=since)


def test_it_shows_link_state_and_tasks_whatever_their_names() -> None:
    tasks = [
        task("left", "RUNNING", run_id=5, queue_duration=61_000, setup_duration=1500),
        task(
            "right",
            "TERMINATED",
            "SUCCESS",
            run_id=6,
            attempt_number=1,
            execution_duration=3_600_000,
            end_time=1_700_003_661_000,
        ),
    ]
    text = text_of("RUNNING", message="a|b", run_name="x | y", tasks=tasks, since=1_700_000_000)
    assert text.splitlines() == [
        f"## [Databricks run {RUN_ID} x \\| y]({PAGE}/{RUN_ID}?o=77)",
        "",
        "**Running** since 2023-11-14 22:13:20 UTC: a\\|b",
        "",
        HEAD,
        "|---|---|---|---|---|---|---|",
        f"| [left]({PAGE}/5?o=77) | Running | 1 | 0:01:01 | 1.5 s |  |  |",
        f"| [right]({PAGE}/6?o=77) | Success | 2 |  |  | 1:00:00 | 1:01:01 |",
    ]


def failed(trace: str, error: str = "E: no rows") -> str:
    ended = Run.from_api(run("TERMINATED", "FAILED", tasks=[task("a", "TERMINATED", "FAILED")]), HOST)
    return artifact_text(with_output(ended, "a", error=error, error_trace=trace))


def test_a_failed_task_is_there_with_its_error_and_traceback_and_what_to_do_next() -> None:
    text = failed("Traceback …\nE: no rows\n")
    assert "### a: Failed\n\nE: no rows\n\n```text\nTraceback …\nE: no rows\n```" in text
    assert f"databricks jobs repair-run {RUN_ID} --rerun-all-failed-tasks" in text


def test_a_long_traceback_is_cut_and_says_where_the_rest_is() -> None:
    text = failed("".join(f"line {number}\n" for number in range(1000)) + "E: no rows")
    assert "line 999\nE: no rows" in text
    assert "line 1\n" not in text
    assert "This is the end of the traceback. See [its page]" in text


def test_a_traceback_with_a_fence_in_it_does_not_end_the_block() -> None:
    assert "````text\n```\nE\n````" in failed("```\nE")


def test_a_run_of_many_tasks_shows_those_that_matter() -> None:
    tasks = [task(f"t{number:03}", "TERMINATED", "SUCCESS", run_id=number + 1) for number in range(300)]
    tasks[7] = task("broken", "TERMINATED", "FAILED", run_id=8)
    text = text_of("TERMINATED", "FAILED", tasks=tasks)
    assert "299 of 300 tasks are not shown here" in text
    assert text.count("| [") == 1
    assert "| [broken]" in text


def test_a_task_that_failed_without_an_output_gives_databricks_reason() -> None:
    ended = task("a", "INTERNAL_ERROR", "FAILED")
    details = {"code": "CLUSTER_ERROR", "type": "CLOUD_FAILURE", "message": "The cluster was lost"}
    ended["state"]["state_message"] = "Run failed"
    text = text_of("TERMINATED", "FAILED", tasks=[{**ended, "status": {"termination_details": details}}])
    assert "### a: Failed\n\nRun failed\n\nThe cluster was lost" in text


def test_databricks_pointer_to_the_output_is_left_out_where_the_error_of_the_output_is_shown() -> None:
    pointer = "Workload failed, see run output for details"
    ended = {**task("a", "TERMINATED", "FAILED"), "status": {"termination_details": {"message": pointer}}}
    without = Run.from_api(run("TERMINATED", "FAILED", tasks=[ended]), HOST)
    assert pointer in artifact_text(without)
    text = artifact_text(with_output(without, "a", error="E: x", error_trace="Traceback …\nE: x"))
    assert "### a: Failed\n\nE: x\n\n```text\nTraceback" in text


def test_a_task_that_never_started_has_no_attempts() -> None:
    tasks = [task("a", "SKIPPED", "EXCLUDED", run_id=5, start_time=0)]
    assert f"| [a]({PAGE}/5?o=77) | Excluded |  |" in text_of("RUNNING", tasks=tasks)


def test_what_a_notebook_returned_is_shown_as_it_is_in_one_short_line() -> None:
    ended = Run.from_api(run("TERMINATED", "SUCCESS", tasks=[task("a", "TERMINATED", "SUCCESS", run_id=5)]), HOST)
    result = "\n![x](https://evil/x.png) <b>| `42`\x1b[31m\nsecond line"
    text = artifact_text(with_output(ended, "a", result=result))
    assert text.splitlines()[4].startswith("| task | state | result |")
    (row,) = (line for line in text.splitlines() if line.startswith("| [a]"))
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert f"<td><code>![x](https://evil/x.png)</code> {escape('<b>| `42`')}</td>" in html
    assert "<img" not in html
    assert "second line" not in html
    assert len(artifact_text(with_output(ended, "a", result="x" * 10_000))) < len(text) + 200
    assert row.count(" | ") == 7


def test_a_run_whose_tasks_returned_nothing_has_no_column_for_it() -> None:
    ended = Run.from_api(run("TERMINATED", "SUCCESS", tasks=[task("a", "TERMINATED", "SUCCESS")]), HOST)
    assert HEAD in artifact_text(with_output(ended, "a", result=None))
    assert HEAD in artifact_text(with_output(ended, "a", result=""))


@pytest.mark.anyio
async def test_one_that_is_no_longer_the_newest_of_its_key_is_updated(prefect_server: PrefectServer) -> None:
    """Prefect 2 answers 404 then, having done it."""
    async with get_client() as client:
        older, _ = [
            await client.create_artifact(ArtifactCreate(key="of-two", type="markdown", data=text))
            for text in ("older", "newer")
        ]
        await update_artifact(client, older.id, "changed")
        (found,) = await client.read_artifacts(artifact_filter=ArtifactFilter(id=ArtifactFilterId(any_=[older.id])))
    assert found.data == "changed"


def test_a_time_that_there_is_not_is_left_out() -> None:
    tries = [task("a", "TERMINATED", "FAILED", end_time=10**20), task("a", "RUNNING", attempt_number=1)]
    assert "### Attempts" in text_of("RUNNING", tasks=tries)
