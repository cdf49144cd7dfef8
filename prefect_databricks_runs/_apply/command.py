"""The work of `prefect-databricks-runs apply`."""

from __future__ import annotations

from dataclasses import dataclass

from .._check.found import found
from .._connect.call import plain_call
from .._jobs.applying import Applied, Applying
from .._jobs.wanted import Wanted
from .._payload.hints import log_hints
from .._prefect.logging import run_logger
from .loading import job_of


@dataclass(frozen=True)
class Asked:
    """The arguments of the command.

    Attributes:
        target: The job: a file, or `module:name`.
        block: The name of a saved block; None for the environment.
        profile: A profile instead of the environment.
        adopt: Whether to take over a job that was not made here.
        is_dry: Whether to send nothing.
    """

    target: str
    block: str | None
    profile: str | None
    adopt: bool
    is_dry: bool


def wanted_by(asked: Asked) -> Wanted:
    """Return the job that is asked for; done in the main thread, because it may import the user's module.

    Raises:
        InvalidJob: It is not a job.
        InvalidPayload: Its settings have faults.
    """
    return Wanted.of(job_of(asked.target))


async def apply(asked: Asked, wanted: Wanted) -> Applied:
    """Apply a job.

    Args:
        asked: What is asked for.
        wanted: The job.

    Raises:
        DatabricksError: There are no credentials, or as in `apply_job`.
    """
    subject = await found(asked.block, asked.profile)
    call = plain_call(subject.credentials, run_logger())
    log_hints(wanted.hints, call.logger)
    return await Applying(call, wanted, adopt=asked.adopt, is_dry=asked.is_dry).apply()
