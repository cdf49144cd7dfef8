"""A Databricks job written in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import Unpack

from .._payload.build import plain_job
from ..options import RequestOptions, StartAndWaitOptions
from ._compute import Compute, named
from ._lines import Line, fault, users_line
from ._methods import TaskMethods
from ._parameters import check_names, defaults_of
from ._tasks import ConditionTask, ForEachTask, JobTask, check_references, checked_key, dependencies
from ._whole import check_whole, is_saved

if TYPE_CHECKING:
    from ..credentials import DatabricksCredentials
    from ..runs import Run

T = TypeVar("T", bound=JobTask)

_OPERATORS: Final = {
    "==": "EQUAL_TO",
    "!=": "NOT_EQUAL",
    ">": "GREATER_THAN",
    ">=": "GREATER_THAN_OR_EQUAL",
    "<": "LESS_THAN",
    "<=": "LESS_THAN_OR_EQUAL",
}


class Job(TaskMethods[JobTask]):
    """A Databricks job written in Python, task by task.

    It is data, and nothing runs while it is written. `run` runs it, `apply_job` saves it, and `submit_run(json=job)`
    submits it; `as_dict` returns it as the Jobs API has it. A fault raises `InvalidJob`, which names the line of your
    code.

    Args:
        name: Its name, by which the saved job is found.
        parameters: Its parameters with their defaults, which are sent as text.
        job_clusters: Clusters that tasks share, by their keys: `{"shared": {"spark_version": …}}`.
        environments: Serverless environments by their keys, each the list of its dependencies or its specification:
            `{"main": ["pandas"]}`.
        **settings: Any other setting of a job in the Jobs API, such as `tags`, `schedule` or `max_concurrent_runs`.

    Attributes:
        name: Its name.

    Raises:
        InvalidJob: An argument has a fault.

    Example:
        ```python
        from prefect_databricks_runs import Job

        cluster = {"spark_version": "16.4.x-scala2.12", "node_type_id": "m5d.large", "num_workers": 1}
        job = Job("nightly-report", parameters={"day": ""}, job_clusters={"shared": cluster})
        collect = job.notebook("/Shared/collect", parameters={"day": job.parameter("day")})
        enough = job.condition("enough", collect.value("rows"), ">", 0, after=collect)
        job.notebook("/Shared/report", after=enough.is_true)
        ```
    """

    def __init__(
        self,
        name: str,
        *,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        job_clusters: Mapping[str, Any] | Sequence[Any] | None = None,
        environments: Mapping[str, Any] | Sequence[Any] | None = None,
        **settings: Any,
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise fault(f"A job needs a name, a string that is not empty, not {name!r}.")
        if "tasks" in settings:
            raise fault("The tasks of a `Job` are added by its methods, such as `job.notebook(…)`.")
        self.name = name
        self._line = users_line()
        self._parameters = defaults_of(parameters)
        self._compute = Compute(
            named(job_clusters, "job_cluster_key", "new_cluster", "job_clusters"),
            named(environments, "environment_key", "spec", "environments"),
        )
        self._settings = {key: value for key, value in settings.items() if value is not None}
        self._defaults: dict[str, Any] = {}
        self._tasks: dict[str, JobTask] = {}

    def __repr__(self) -> str:
        return f"<Job {self.name!r} with {len(self._tasks)} {'task' if len(self._tasks) == 1 else 'tasks'}>"

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Iterate over the settings, so that `dict(job)` is `job.as_dict()`: so Prefect shows a flow's parameter."""
        return iter(self.as_dict().items())

    def defaults(self, **fields: Any) -> None:
        """Set fields that every task has that does not set them itself, whether it was added already or not.

        Conditions and for-each tasks are left out; the task of a for-each task is not.

        Args:
            **fields: Any fields of a task, such as `cluster`, `environment`, `max_retries` or `timeout_seconds`.

        Example:
            ```python
            from prefect_databricks_runs import Job

            job = Job("nightly-report")
            job.defaults(max_retries=2, timeout_seconds=3600)
            job.notebook("/Shared/collect")
            ```
        """
        if "after" in fields or any(key.endswith("_task") for key in fields):
            raise fault("Defaults are fields that all tasks can share; `after` and what a task runs are its own.")
        self._defaults = {**self._defaults, **self._read(fields)}

    def parameter(self, name: str) -> str:
        """Return the reference to a parameter of this job.

        Args:
            name: One of `parameters`.
        """
        check_names([name], self._parameters, self.name)
        return f"{{{{job.parameters.{name}}}}}"

    def condition(self, key: str, left: Any, op: str, right: Any, *, after: Any = (), **fields: Any) -> ConditionTask:
        """Add a condition. Other tasks come after `condition.is_true` or `condition.is_false`.

        Args:
            key: The task key.
            left: The left operand, such as `task.value("rows")`; sent as a string.
            op: `==` and `!=` compare strings; `>`, `>=`, `<` and `<=` compare numbers.
            right: The right operand; sent as a string.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.
        """
        known = _OPERATORS.get(op, op) if isinstance(op, str) else None
        if known not in _OPERATORS.values():
            raise fault(f"{op!r} is not an operator of a condition; use one of {', '.join(_OPERATORS)}.")
        content = {"op": known, "left": left, "right": right}
        fields = {"condition_task": content, **fields}
        task = ConditionTask(self, *self._checked(key, after, fields))
        return self._keep(task)

    def for_each(
        self, key: str, inputs: Any, *, concurrency: int | None = None, after: Any = (), **fields: Any
    ) -> ForEachTask:
        """Add a for-each task. Its own method, such as `.notebook(…)`, sets the task that runs for each input.

        Args:
            key: The task key.
            inputs: A list; or the reference to one, such as `task.value("regions")`.
            concurrency: The number of iterations that run at once. Databricks' default: 20.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.

        Example:
            ```python
            from prefect_databricks_runs import Job

            job = Job("nightly-report")
            regions = job.for_each("regions", ["north", "south"], concurrency=2)
            regions.notebook("/Shared/report", parameters={"region": regions.input})
            ```
        """
        content = {"inputs": inputs, **({} if concurrency is None else {"concurrency": concurrency})}
        task = ForEachTask(self, *self._checked(key, after, {"for_each_task": content, **fields}))
        return self._keep(task)

    def as_dict(self) -> dict[str, Any]:
        """Return the job as the body of `POST /api/2.2/jobs/create`, in plain JSON.

        Raises:
            InvalidJob: The job has a fault, such as a for-each task without a task to repeat.
            InvalidPayload: Something in it cannot be JSON.
        """
        check_whole(self.name, self._tasks, self._line)
        body = {
            "name": self.name,
            **self._settings,
            "parameters": [{"name": name, "default": value} for name, value in self._parameters.items()],
            "job_clusters": list(self._compute.clusters.values()),
            "environments": list(self._compute.environments.values()),
            "tasks": [self._compute.finished(task._fields, self._defaults) for task in self._tasks.values()],
        }
        return plain_job({key: value for key, value in body.items() if value != []})

    def as_one_time_run(self) -> dict[str, Any]:
        """Return the job as the body of `POST /api/2.2/jobs/runs/submit`, in plain JSON.

        Raises:
            InvalidJob: It has shared clusters or parameters, which only a saved job has; or as in `as_dict`.
        """
        body = self.as_dict()
        only_saved = [key for key in ("job_clusters", "parameters") if body.get(key)]
        if only_saved:
            raise self._line.fault(
                f"The job {self.name!r} has `{'` and `'.join(only_saved)}`, which only a saved job has. Start it with"
                " `job.run(…)`, which saves it first; or use `apply_job` and `run_now`."
            )
        return {"run_name": body.pop("name"), **body}

    def run(
        self,
        databricks_credentials: DatabricksCredentials,
        *,
        job_parameters: Mapping[str, Any] | None = None,
        **options: Unpack[StartAndWaitOptions],
    ) -> Run:
        """Run the job and wait for it.

        With settings that only a saved job has, such as shared clusters or parameters, it is saved by its name with
        `apply_job`, and then run with `run_now_and_wait`; otherwise it is submitted with `submit_run_and_wait`.

        Args:
            databricks_credentials: The workspace, and how to sign in.
            job_parameters: Values for its parameters, sent as text.
            **options: Those of `run_now_and_wait`, such as `max_wait_seconds` and `on_retry`.

        Returns:
            The run as it ended, with its tasks and their outputs.

        Raises:
            InvalidJob: The job has a fault, or no parameter of a name in `job_parameters`.
            JobProtected: The saved job with that name differs, and was not created by `apply_job`.
            DatabricksError: As in `apply_job` and `run_now_and_wait`.

        Example:
            ```python
            from prefect import flow
            from prefect_databricks_runs import DatabricksCredentials, Job

            @flow
            def nightly():
                job = Job("nightly-report")
                job.notebook("/Shared/nightly")
                return job.run(DatabricksCredentials.load("BLOCK_NAME")).state.name

            nightly()
            ```
        """
        from ..flows import run_now_and_wait, submit_run_and_wait
        from ..tasks import apply_job

        given, body = self._given(job_parameters), self.as_dict()
        if not is_saved(body):
            return submit_run_and_wait(databricks_credentials, self.as_one_time_run(), **options)
        job_id = apply_job(databricks_credentials, body, **_of_requests(options))
        return run_now_and_wait(databricks_credentials, job_id=job_id, job_parameters=given, **options)

    async def arun(
        self,
        databricks_credentials: DatabricksCredentials,
        *,
        job_parameters: Mapping[str, Any] | None = None,
        **options: Unpack[StartAndWaitOptions],
    ) -> Run:
        """Async twin of `run`: the same parameters, result and errors."""
        from ..flows import arun_now_and_wait, asubmit_run_and_wait
        from ..tasks import aapply_job

        given, body = self._given(job_parameters), self.as_dict()
        if not is_saved(body):
            return await asubmit_run_and_wait(databricks_credentials, self.as_one_time_run(), **options)
        job_id = await aapply_job(databricks_credentials, body, **_of_requests(options))
        return await arun_now_and_wait(databricks_credentials, job_id=job_id, job_parameters=given, **options)

    def _add(self, key: str, after: Any, fields: dict[str, Any]) -> JobTask:
        return self._keep(JobTask(self, *self._checked(key, after, fields)))

    def _checked(self, key: Any, after: Any, fields: Mapping[str, Any]) -> tuple[str, Line, dict[str, Any]]:
        """Return a task that is about to be added: its key, the line that adds it, and its fields."""
        key = checked_key(key)
        if key in self._tasks:
            first = self._tasks[key]._line
            raise fault(
                f"The job {self.name!r} has a task {key!r} already, of {first.file}:{first.number}. Pass another `key`."
            )
        before = dependencies(after, self)
        read = self._read(fields)
        return key, users_line(), {"task_key": key, **({"depends_on": before} if before else {}), **read}

    def _keep(self, task: T) -> T:
        self._tasks[task.key] = task
        return task

    def _read(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a task as the Jobs API has them."""
        check_references(fields, self)
        read = self._compute.read({key: value for key, value in fields.items() if value is not None})
        reserved = {"task_key": "`key`", "depends_on": "`after`"}
        for name in reserved.keys() & read.keys():
            raise fault(f"`{name}` of a task is made from {reserved[name]}; pass that instead.")
        return read

    def _given(self, values: Mapping[str, Any] | None) -> dict[str, Any] | None:
        if not values:
            return None
        check_names(values, self._parameters, self.name)
        return dict(values)


def _of_requests(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options.items() if key in RequestOptions.__annotations__}
