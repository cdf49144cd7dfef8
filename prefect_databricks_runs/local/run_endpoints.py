"""The endpoints of runs: submit, run now, get, list, cancel, delete."""

from __future__ import annotations

from . import bodies
from .answers import Answers
from .calls import Call, Endpoint, Fields
from .checks import check_run_now, check_settings
from .engine import Engine
from .errors import invalid
from .schema import read
from .store import Store


class RunEndpoints:
    """The endpoints under `jobs/runs`, and `jobs/run-now`.

    Args:
        store: its jobs and runs.
        engine: what runs them.
        answers: what makes the JSON.
    """

    def __init__(self, store: Store, engine: Engine, answers: Answers) -> None:
        self._store = store
        self._engine = engine
        self._answers = answers
        self.served: dict[str, Endpoint] = {
            "POST jobs/runs/submit": self.submit,
            "POST jobs/run-now": self.run_now,
            "GET jobs/runs/get": self.get_run,
            "GET jobs/runs/get-output": self.get_output,
            "POST jobs/runs/cancel": self.cancel,
            "POST jobs/runs/delete": self.delete,
        }

    def submit(self, call: Call) -> Fields:
        """Starts a run that belongs to no job: `run_id`."""
        body = read(bodies.with_tasks(call.fields), bodies.SUBMIT)
        token = body.pop("idempotency_token", None)
        known = self._store.run_of_token(token)
        if known:
            return {"run_id": known.run_id}
        if not body.get("tasks"):
            raise invalid("no_tasks")
        check_settings(body)
        run = self._store.add_run(body, job=None, overrides={}, token=token, creator=call.user)
        self._engine.start(run)
        return {"run_id": run.run_id}

    def run_now(self, call: Call) -> Fields:
        """Starts a run of a job: `run_id`, `number_in_job`."""
        body = read(call.fields, bodies.RUN_NOW)
        token = body.pop("idempotency_token", None)
        run = self._store.run_of_token(token)
        if run is None:
            job = self._store.job(body.get("job_id", 0))
            check_run_now(body)
            if not job.settings.get("tasks"):
                raise invalid("job_without_tasks", job_id=job.job_id)
            run = self._store.add_run(job.settings, job=job, overrides=body, token=token, creator=call.user)
            self._engine.start(run, queue=body.get("queue", {}).get("enabled", job.queue_enabled))
        return {"run_id": run.run_id, "number_in_job": run.run_id}

    def get_run(self, call: Call) -> Fields:
        """Answers a run, or a task run."""
        run, task = self._store.find(read(call.fields, bodies.RUN_ID)["run_id"])
        return self._answers.task_run(run, task) if task else self._answers.run(run)

    def get_output(self, call: Call) -> Fields:
        """Answers what a task run left behind."""
        run, task = self._store.find(read(call.fields, bodies.RUN_ID)["run_id"])
        if task is None:
            raise invalid("output_of_job_run")
        return self._answers.output(run, task)

    def cancel(self, call: Call) -> Fields:
        """Begins to cancel a run or a task run; nothing happens when it is over."""
        self._engine.cancel(*self._store.find(read(call.fields, bodies.RUN_ID)["run_id"]))
        return {}

    def delete(self, call: Call) -> Fields:
        """Forgets a run that is over."""
        self._store.delete_run(read(call.fields, bodies.RUN_ID)["run_id"])
        return {}
