"""The `DatabricksJob` block, which is saved once and runs a Databricks job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Annotated, Any, Dict, Literal, Optional  # noqa: UP035 - see the fields

from prefect.blocks.abstract import JobBlock

from .._prefect.compat import (
    EMPTY_IS_NONE,
    REQUIRED_MODEL,
    BlockOfEitherPydantic,
    Field,
    ValidationError,
    field_names,
    what_is_wrong,
)
from ..auth import fault_of_names
from ..credentials import DatabricksCredentials
from ..errors import InvalidOption
from ..runs import Run
from .job_run import DatabricksJobRun

if TYPE_CHECKING:
    _JobBlock = JobBlock[Run]
else:
    _JobBlock = JobBlock  # on Prefect 2 it is not generic

_WHICH = ("job_name", "job_id", "one_time_run")


@dataclass(frozen=True)
class Start:
    """A call that starts a run.

    Attributes:
        of_saved_job: Whether to call `run_now`; else `submit_run`.
        json: The whole request body, if there is one.
        parameters: The named parameters.
    """

    of_saved_job: bool
    json: Any
    parameters: dict[str, Any]


class DatabricksJob(BlockOfEitherPydantic, _JobBlock):
    """Run a Databricks job: a job that is saved in the workspace, or a one-time run described in the block.

    Attributes:
        databricks_credentials: The workspace, and how to sign in.
        job_name: Name of a saved job. Set exactly one of `job_name`, `job_id` and `one_time_run`.
        job_id: Id of a saved job.
        one_time_run: Request of a one-time run, as for `submit_run`.
        job_parameters: Values for the parameters of the saved job; a call may override them.
        max_wait_seconds: Seconds after which the run is cancelled. Never if empty or 0.
        fail_on_task_failures: Whether a run that ends `SUCCESS_WITH_FAILURES` is a failure.
        on_retry: Action of a retried flow when the run of its earlier attempt failed: `resubmit` or `repair`.

    Raises:
        InvalidOption: Not exactly one of the three is set, or the block does not have a field of that name.

    Example:
        Save a job once, load it anywhere, and run it:
        ```python
        from prefect_databricks_runs import DatabricksCredentials, DatabricksJob

        databricks = DatabricksCredentials.load("BLOCK_NAME")
        DatabricksJob(databricks_credentials=databricks, job_name="nightly").save("nightly", overwrite=True)

        run = DatabricksJob.load("nightly").run(job_parameters={"day": "2026-11-27"})
        ```
    """

    _block_type_name = "Databricks Runs Job"
    _block_type_slug = "databricks-runs-job"
    _logo_url = DatabricksCredentials._logo_url  # type: ignore[assignment]  # a URL on either line
    _documentation_url = "https://docs.databricks.com/aws/en/jobs/"  # type: ignore[assignment]  # a URL on either line

    # pydantic 1 (Prefect 2) does not support `X | None` in a block, and Prefect's form does not support a bare `dict`.
    databricks_credentials: DatabricksCredentials = Field(
        default=REQUIRED_MODEL, title="Databricks credentials", description="The workspace, and how to sign in."
    )
    job_name: Annotated[Optional[str], EMPTY_IS_NONE] = Field(  # noqa: UP045 - as above
        default=None,
        title="Job name",
        description="Name of a saved job. Fill in one of job name, job ID and one-time run.",
    )
    job_id: Annotated[Optional[int], EMPTY_IS_NONE] = Field(  # noqa: UP045 - as above
        default=None, title="Job ID", description="Id of a saved job, instead of its name."
    )
    one_time_run: Annotated[Optional[Dict[str, Any]], EMPTY_IS_NONE] = Field(  # noqa: UP006, UP045 - as above
        default=None,
        title="One-time run",
        description='Request of a one-time run, instead of a saved job: `{"notebook_task": {"notebook_path": "/n"}}`.',
    )
    job_parameters: Annotated[Optional[Dict[str, Any]], EMPTY_IS_NONE] = Field(  # noqa: UP006, UP045 - as above
        default=None,
        title="Job parameters",
        description="Values for the parameters of the saved job. A run may override them.",
    )
    max_wait_seconds: Annotated[Optional[float], EMPTY_IS_NONE] = Field(  # noqa: UP045 - as above
        default=None, title="Maximum wait", description="Seconds after which the run is cancelled. Empty: never."
    )
    fail_on_task_failures: bool = Field(
        default=False,
        title="Fail on task failures",
        description="Whether a run that ends `SUCCESS_WITH_FAILURES` is a failure.",
    )
    on_retry: Literal["resubmit", "repair"] = Field(
        default="resubmit",
        title="On retry",
        description="Action of a retried flow when the run of its earlier attempt failed: `resubmit` starts another"
        " run, `repair` reruns its failed tasks.",
    )

    if not TYPE_CHECKING:

        def __init__(self, **fields: Any) -> None:
            fault = fault_of_names(fields, field_names(type(self)), "DatabricksJob")
            if fault:
                raise InvalidOption([fault])
            try:
                super().__init__(**_without_emptied(fields))
            except ValidationError as error:
                raise InvalidOption([f"DatabricksJob has invalid fields: {what_is_wrong(error)}."]) from None

    @staticmethod
    def fault_of(text: str) -> InvalidOption:
        """Make the error for a reference that does not name such a block."""
        return InvalidOption([text])

    def block_initialization(self) -> None:
        """Check the fields; Prefect calls it on construction, on load and for a flow's parameter.

        Raises:
            InvalidOption: Names each invalid field, and what to set.
        """
        faults = []
        if self.databricks_credentials is None:  # only Prefect 2 accepts that
            faults.append("DatabricksJob needs `databricks_credentials`.")
        given = [name for name in _WHICH if _says_something(getattr(self, name))]
        if len(given) != 1:
            found = f"Found: {', '.join(given)}." if given else "None is set."
            faults.append(f"DatabricksJob needs exactly one of {', '.join(_WHICH)}. {found}")
        elif self.one_time_run and self.job_parameters:
            faults.append("`job_parameters` are for a saved job; put the parameters of a one-time run into its tasks.")
        elif self.job_id is not None and self.job_id < 0:
            faults.append("`job_id` must be above 0; take it from the page of the job.")
        if not 0 <= (self.max_wait_seconds or 0) < inf:
            faults.append("`max_wait_seconds` must be above 0; leave it empty to wait without a limit.")
        if faults:
            raise InvalidOption(faults)

    def trigger(self, **parameters: Any) -> DatabricksJobRun:  # type: ignore[override]  # sync, as Prefect's own newer blocks are
        """Start a run, and return without waiting for it. `run` is safer: nothing can happen between start and wait.

        Args:
            **parameters: The parameters of `run_now`, or of `submit_run` for a one-time run; they override the block's
                fields.

        Raises:
            DatabricksError: As in `run_now` and `submit_run`.
        """
        from ..tasks import run_now, submit_run

        start = self._start(parameters)
        begin = run_now if start.of_saved_job else submit_run
        return DatabricksJobRun(self, begin(self.databricks_credentials, start.json, **start.parameters))

    async def atrigger(self, **parameters: Any) -> DatabricksJobRun:
        """Async twin of `trigger`: the same parameters, result and errors."""
        from ..tasks import arun_now, asubmit_run

        start = self._start(parameters)
        begin = arun_now if start.of_saved_job else asubmit_run
        return DatabricksJobRun(self, await begin(self.databricks_credentials, start.json, **start.parameters))

    def run(self, **parameters: Any) -> Run:
        """Start a run and wait for it, with the flow `run_now_and_wait` or `submit_run_and_wait`.

        Args:
            **parameters: The parameters of the flow; they override the block's fields.

        Returns:
            The run as it ended, with its tasks and their outputs.

        Raises:
            RunFailed: The run failed.
            DatabricksError: As in the flow.
        """
        from .running_jobs import run_now_and_wait
        from .submitting import submit_run_and_wait

        start = self._start(parameters, self._wait_options())
        flow: Callable[..., Run] = run_now_and_wait if start.of_saved_job else submit_run_and_wait
        return flow(self.databricks_credentials, start.json, **start.parameters)

    async def arun(self, **parameters: Any) -> Run:
        """Async twin of `run`: the same parameters, result and errors."""
        from .running_jobs import arun_now_and_wait
        from .submitting import asubmit_run_and_wait

        start = self._start(parameters, self._wait_options())
        flow: Callable[..., Awaitable[Run]] = arun_now_and_wait if start.of_saved_job else asubmit_run_and_wait
        return await flow(self.databricks_credentials, start.json, **start.parameters)

    def _start(self, parameters: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> Start:
        """Return the call that starts a run of this job.

        Args:
            parameters: Named parameters of the call; they override the block's fields.
            options: The options of the block.

        Raises:
            InvalidOption: The parameters have another job, other credentials, or a parameter that the job cannot have.
        """
        named = self.one_time_run or {"job_id": self.job_id, "job_name": self.job_name}
        of_saved_job = named is not self.one_time_run
        fixed = {"databricks_credentials", *(("job_id", "job_name") if of_saved_job else ("json",))}
        faults = [f"`{name}` is a field of the block; save another block for it." for name in fixed & {*parameters}]
        json = parameters.get("json")
        if of_saved_job and isinstance(json, Mapping):
            faults += [
                f"`{name}` of `json` is a field of the block; save another block for it." for name in fixed & {*json}
            ]
        if parameters.get("job_parameters") and not of_saved_job:
            faults.append("`job_parameters` are for a saved job; the one-time run of this block has none.")
        if faults:
            raise InvalidOption(faults)
        merged = {"on_retry": self.on_retry, **(options or {}), **parameters}
        if not of_saved_job:
            return Start(of_saved_job, named, merged)
        values = {**(self.job_parameters or {}), **(merged.pop("job_parameters", None) or {})}
        return Start(of_saved_job, merged.pop("json", None), {**merged, **named, "job_parameters": values or None})

    def _wait_options(self, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the options for the wait.

        Args:
            options: The options of the call; they override the block's fields.
        """
        of_block = {
            "max_wait_seconds": self.max_wait_seconds or None,
            "fail_on_task_failures": self.fail_on_task_failures,
        }
        return {**of_block, **(options or {})}


def _without_emptied(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out None and empty text, the values of an emptied form field, so that the default takes their place."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def _says_something(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)
