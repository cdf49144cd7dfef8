"""The endpoints of runs: submit, run now, repair, get, list, cancel, delete."""

from __future__ import annotations

from ..accounts.users import Users
from ..bodies import bodies
from ..bodies.access_control import take_grants
from ..bodies.checks import check_parameters, check_run_now, check_submission, only_keys
from ..bodies.old_form import has_old_form, read_settings
from ..bodies.schema import read
from ..runs.engine import Engine
from ..runs.records import RunRecord
from ..runs.repair import tasks_to_repair
from ..runs.simulation import own_courses
from ..runs.store import Store
from ..web.calls import Call, Endpoint, Fields
from ..web.errors import invalid, unknown_path
from .answers import Answers
from .export import notebook_html
from .run_list import list_runs


class RunEndpoints:
    """The endpoints under `jobs/runs`, and `jobs/run-now`.

    Args:
        store: The workspace's jobs and runs.
        users: The workspace's users.
        engine: Runs the runs.
        answers: Makes the JSON.
    """

    def __init__(self, store: Store, users: Users, engine: Engine, answers: Answers) -> None:
        self._store = store
        self._users = users
        self._engine = engine
        self._answers = answers
        self.served: dict[str, Endpoint] = {
            "POST jobs/runs/submit": self.submit,
            "POST jobs/run-now": self.run_now,
            "POST jobs/runs/repair": self.repair,
            "GET jobs/runs/get": self.get_run,
            "GET jobs/runs/get-output": self.get_output,
            "GET jobs/runs/list": self.list_runs,
            "GET jobs/runs/export": self.export,
            "POST jobs/runs/cancel": self.cancel,
            "POST jobs/runs/cancel-all": self.cancel_all,
            "POST jobs/runs/delete": self.delete,
        }

    def submit(self, call: Call) -> Fields:
        """Start a run without a job: `run_id`."""
        body = read_settings(call.fields, bodies.SUBMIT, call.version)
        token = body.pop("idempotency_token", None)
        known = self._store.run_of_token(token)
        if known:
            return {"run_id": known.run_id}
        if not body.get("tasks"):
            raise invalid("no_tasks")
        grants = take_grants(body, self._users.named(call.user).principal)
        check_submission(body, call.version)
        for task in body["tasks"]:
            own_courses(task)
        if not body.get("queue", {}).get("enabled", False):
            self._engine.check_place()
        run = self._store.add_run(body, job=None, overrides={}, creator=call.user, token=token, grants=grants)
        self._engine.start(run)
        return {"run_id": run.run_id}

    def run_now(self, call: Call) -> Fields:
        """Start a run of a job: `run_id`, `number_in_job`; neither for a continuous job that has an active run."""
        body = read(call.fields, bodies.RUN_NOW)
        token = body.pop("idempotency_token", None)
        run = self._store.run_of_token(token) or self._start_job(body, call.user, token)
        if run is None:
            return {}
        return {"run_id": run.run_id, "number_in_job": run.run_id}

    def repair(self, call: Call) -> Fields:
        """Run tasks of a finished run again: `repair_id`."""
        if call.version == "2.0":
            raise unknown_path("POST", "/jobs/runs/repair")
        body = read(call.fields, bodies.REPAIR)
        run, task = self._store.find(body["run_id"])
        if task is not None:
            raise invalid("repair_by_task_run", run_id=body["run_id"])
        settings = run.settings if run.job is None or run.job.deleted else run.job.settings
        check_parameters(body)
        keys = tasks_to_repair(run, settings, body)
        return {"repair_id": self._engine.repair(run, settings, keys, body)}

    def get_run(self, call: Call) -> Fields:
        """Return a run, or a task run."""
        asked = read(call.fields, bodies.GET_RUN)
        run, task = self._store.find(asked["run_id"])
        return self._answers.task_run(run, task, asked) if task else self._answers.run(run, call.version, asked)

    def get_output(self, call: Call) -> Fields:
        """Return the output of a task run, or of a run in the form of version 2.0, which has one task."""
        run, task = self._store.find(read(call.fields, bodies.RUN_ID)["run_id"])
        if task is not None:
            return self._answers.output(run, task)
        if not has_old_form(run.settings):
            raise invalid("output_of_job_run")
        return self._answers.output_of_run(run)

    def list_runs(self, call: Call) -> Fields:
        """Return a page of runs, newest first."""
        asked = read(call.fields, bodies.LIST_RUNS)
        with_tasks = asked.get("expand_tasks", False)

        def answer(run: RunRecord) -> Fields:
            return self._answers.listed_run(run, call.version, with_tasks=with_tasks)

        return list_runs(self._store, asked, call.version, answer)

    def export(self, call: Call) -> Fields:
        """Return the notebook of a task run as an HTML page: `views`."""
        asked = read(call.fields, bodies.EXPORT)
        run, task = self._store.find(asked["run_id"])
        if task is None and has_old_form(run.settings):
            task = run.tasks[-1]
        if task is None or "notebook_task" not in task.settings:
            raise invalid("export_needs_notebook", run_id=asked["run_id"])
        if task.source is None:
            raise invalid("export_without_notebook", run_id=asked["run_id"])
        if asked.get("views_to_export", "CODE") == "DASHBOARDS":
            return {"views": []}
        name = task.settings["notebook_task"]["notebook_path"].rpartition("/")[2]
        return {"views": [{"type": "NOTEBOOK", "name": name, "content": notebook_html(task.source, name)}]}

    def cancel(self, call: Call) -> Fields:
        """Begin to cancel a run or a task run, unless it has finished."""
        self._engine.cancel(*self._store.find(read(call.fields, bodies.RUN_ID)["run_id"]))
        return {}

    def cancel_all(self, call: Call) -> Fields:
        """Begin to cancel all active runs of a job, or all queued runs of the workspace."""
        asked = read(call.fields, bodies.CANCEL_ALL)
        job_id, queued_only = asked.get("job_id"), asked.get("all_queued_runs", False)
        if job_id is None and not queued_only:
            raise invalid("missing_field", field="job_id")
        if job_id is not None:
            self._store.job(job_id)
        for run in list(self._store.active.values()):
            if (job_id is None or run.job_id == job_id) and (not queued_only or run.state.status == "QUEUED"):
                self._engine.cancel(run)
        return {}

    def delete(self, call: Call) -> Fields:
        """Delete a finished run."""
        self._store.delete_run(read(call.fields, bodies.RUN_ID)["run_id"])
        return {}

    def _start_job(self, body: Fields, user: str, token: str | None) -> RunRecord | None:
        job = self._store.job(body.get("job_id", 0))
        check_run_now(body, job.settings)
        tasks = job.settings.get("tasks")
        if not tasks:
            raise invalid("job_without_tasks", job_id=job.job_id)
        if job.runs_continuously and self._store.active_runs(job.job_id):
            return None
        keys = only_keys(body["only"], tasks) if body.get("only") else None
        queue = body.get("queue", {}).get("enabled", job.queue_enabled)
        if not queue:
            self._engine.check_place()
        run = self._store.add_run(job.settings, job=job, overrides=body, creator=user, token=token, keys=keys)
        self._engine.start(run, queue=queue)
        return run
