"""A Databricks job written in Python: `Job`, and the tasks that its methods return.

A `Job` is data, the body of `jobs/create`, and nothing runs while it is written. `_job` is the job, `_methods` has a
method for each kind of task, `_tasks` what these return, `_compute` the clusters and environments that tasks share,
`_parameters` its parameters; `_whole` checks it as a whole, and `_lines` finds the line of the user's code at fault.
"""

from __future__ import annotations

from ._job import Job
from ._tasks import ConditionOutcome, ConditionTask, ForEachTask, JobTask

__all__ = ["ConditionOutcome", "ConditionTask", "ForEachTask", "Job", "JobTask"]
