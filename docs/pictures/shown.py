"""What the pictures of Prefect's UI show: the texts that this package puts there, for runs that never change.

`make.py` writes a hash of each beside the pictures, into made.json. A test compares them, so that no picture is older
than what it shows. The release of Prefect that drew them is in made.json too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect_databricks_runs import DatabricksCredentials, Run
from prefect_databricks_runs._deploy.form import SavedJob, form_of
from prefect_databricks_runs._report import artifact_text
from prefect_databricks_runs._report.flow_run_report import shown_name
from prefect_databricks_runs._report.summary import summary_text
from prefect_databricks_runs._report.task_runs import shown_state, shown_state_of_run
from prefect_databricks_runs.demo.job import demo_job
from tests.support.answers import HOST, run, task, with_output

MADE = Path(__file__).parent / "made.json"
_END = {"execution_duration": 2_000, "end_time": 1_700_000_002_000}


def shown() -> dict[str, str]:
    """Return a hash of what each picture shows, by the picture's name without its ending."""
    failed, active = _failed_run(), _active_run()
    job = SavedJob(7, "daily report", True, {"day": "today"}, {})
    texts = {
        "run": [repr(shown_state(each)) for each in failed.attempts] + [json.dumps(demo_job(Path("/data"), fail=True))],
        "artifact": [artifact_text(failed)],
        "many-runs": [shown_name(failed), repr(shown_state_of_run(failed))],
        "many-runs-artifact": [summary_text({failed.run_id: failed}, {}, HOST)],
        "sign-in-form": sorted(set(_texts(DatabricksCredentials._to_block_schema(block_type_id=UUID(int=0)).fields))),
        "deployment-form": sorted(_texts(form_of(job, {})["properties"])),
        "suspended": [shown_name(active), *(repr(shown_state(each)) for each in active.attempts)],
    }
    return {name: sha256("\n".join(lines).encode()).hexdigest()[:16] for name, lines in texts.items()}


def _failed_run() -> Run:
    tasks = [
        task("collect", "TERMINATED", "SUCCESS", **_END),
        task("load", "TERMINATED", "FAILED", depends_on=[{"task_key": "collect"}], **_END),
        task("report", "TERMINATED", "UPSTREAM_FAILED", depends_on=[{"task_key": "load"}], **_END),
    ]
    read = Run.from_api(run("TERMINATED", "FAILED", tasks=tasks, **_END), HOST)
    return with_output(
        read, "load", error="ValueError: no rows today", error_trace="Traceback …\nValueError: no rows today"
    )


def _active_run() -> Run:
    tasks = [
        task("load", "TERMINATED", "SUCCESS", **_END),
        task("stock", "RUNNING", depends_on=[{"task_key": "load"}]),
        task("report", "BLOCKED", depends_on=[{"task_key": "stock"}]),
    ]
    return Run.from_api(run("RUNNING", tasks=tasks), HOST)


def _texts(schema: Any) -> Iterator[str]:
    """The texts in the schema of a form; the rest of it differs between the releases of Prefect and pydantic."""
    if not isinstance(schema, (dict, list)):
        return
    for name, value in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if name in ("title", "description", "default") and isinstance(value, (str, int, float)):
            yield f"{name}: {value}"
        else:
            yield from _texts(value)
