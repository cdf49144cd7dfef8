"""Reading the parameters of a call into the template of a request that starts a run, or into the settings of a job."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol, runtime_checkable

from ..errors import InvalidPayload
from ..fields import RunNowFields, SubmitRunFields
from .api import BODIES, Field, task_fields, tree_of, values_of
from .checks import check_run_now, check_submit_run
from .forms import Place, Shape, as_sent
from .job_checks import check_job
from .looks import UNREADABLE, given
from .plain import Reader
from .template import Template

# Idempotency tokens are made of these fields as strings, and of all other fields unchanged: never add to them.
_PARAMETERS = frozenset(
    (
        *("job_parameters", "notebook_params", "python_named_params", "sql_params", "jar_params", "python_params"),
        *("spark_submit_params", "dbt_commands", "commands", "base_parameters", "named_parameters"),
    )
)
_WITH_PARAMETERS = frozenset(("PythonWheelTask", "SparkJarTask", "SparkPythonTask", "SparkSubmitTask", "SqlTask"))
# Strings that Databricks compares with other strings, or reads as JSON.
_SENT_AS_TEXT = frozenset((("ForEachTask", "inputs"), ("ConditionTask", "left"), ("ConditionTask", "right")))


@runtime_checkable
class SubmittedJob(Protocol):
    """A job that can also be submitted as a one-time run."""

    def as_one_time_run(self) -> dict[str, Any]:
        """Return the body of `runs/submit`."""
        ...


def submit_run_template(json: Any, fields: Mapping[str, Any]) -> Template:
    """Read the body of `POST /api/2.2/jobs/runs/submit`.

    Args:
        json: The body as a mapping or as an object with `as_dict()` or `model_dump()`, or None. Unknown keys pass.
            Never changed.
        fields: Named fields, see `SubmitRunFields`. Each replaces the same key of `json`, unless it is None.

    Returns:
        A template that always has `tasks`: the fields of a single task become the task `main`.
    """
    build = _Build()
    if isinstance(json, SubmittedJob):
        json = json.as_one_time_run()
    body = build.one_task(build.merged(json, fields, SubmitRunFields.__optional_keys__))
    return build.finished(body, check_submit_run, "runs/submit")


def run_now_template(json: Any, fields: Mapping[str, Any]) -> Template:
    """Read the body of `POST /api/2.2/jobs/run-now`.

    Args:
        json: The body as a mapping or as an object with `as_dict()` or `model_dump()`, or None. Unknown keys pass.
            Never changed.
        fields: Named fields, see `RunNowFields`. Each replaces the same key of `json`, unless it is None;
            `notebook_params` are merged key by key.
    """
    build = _Build()
    body = build.merged(json, fields, RunNowFields.__optional_keys__, merged_key="notebook_params")
    return build.finished(body, check_run_now, "run-now")


def job_settings(json: Any) -> dict[str, Any]:
    """Read the settings of a job, the body of `POST /api/2.2/jobs/create`.

    Args:
        json: The settings as a mapping or as an object with `as_dict()` or `model_dump()`. Never changed.

    Returns:
        A new dict of JSON values as they are sent; the fields of a single task become the task `main`.

    Raises:
        InvalidPayload: Names every fault.
    """
    template = _job_template(json)
    if template.placeholders:
        # Filled in, they would change the job with each flow run, also for runs that are active at the time.
        faults = [
            f"`{{{{ {path} }}}}` has another value in each flow run, and a saved job keeps one; make it a parameter of"
            " the job, and pass the value with `job_parameters`."
            for path in sorted(template.placeholders)
        ]
        raise InvalidPayload(faults, "jobs/create")
    return template.fill({})


def plain_job(json: Any) -> dict[str, Any]:
    """Read the settings of a job like `job_settings`, and leave placeholders and most faults in them.

    Raises:
        InvalidPayload: A value cannot be JSON.
    """
    template = _job_template(json)
    if template.faults:
        raise InvalidPayload([fault for _, fault in sorted(template.faults)], "jobs/create")
    plain: dict[str, Any] = as_sent(template.body, template.late)
    return plain


def _job_template(json: Any) -> Template:
    build = _Build()
    return build.finished(build.one_task(build.merged(json, {}, frozenset())), check_job, "jobs/create")


class _Build:
    """A body that is being built."""

    def __init__(self) -> None:
        self._reader = Reader(scan=True)

    def merged(
        self, json: Any, fields: Mapping[str, Any], names: frozenset[str], merged_key: str = ""
    ) -> dict[str, Any]:
        """Override `json` with the named fields; in the field `merged_key`, key by key."""
        body = {**self._mapping(json, "json")} if json is not None else {}
        for name, value in fields.items():
            if name not in names:
                self._reader.fault(name, "is not a parameter of this call; correct the name, or use `json`.")
            elif value is not None:
                merge = name == merged_key and body.get(name) is not None
                body[name] = self._laid_over(body[name], value, name) if merge else value
        return _without_none(body)

    def one_task(self, body: dict[str, Any]) -> dict[str, Any]:
        """Move the fields of a single task, which API 2.0 has at the top level, into `tasks`."""
        names = [key for key in body if isinstance(key, str) and (key in task_fields() or key.endswith("_task"))]
        task = {key: body[key] for key in names}
        rest = {key: value for key, value in body.items() if key not in task}
        if task and given(rest, "tasks"):
            self._reader.fault("tasks", f"cannot be combined with {', '.join(names)}; move these into their task.")
            return rest
        return {**rest, "tasks": [{"task_key": "main", **task}]} if task else rest

    def finished(self, body: dict[str, Any], check: Callable[[dict[str, Any]], list[str]], endpoint: str) -> Template:
        """Turn the body into JSON. Faults found here are raised when the template is filled."""
        reader = self._reader
        plain = reader.plain(body, Place(), _shapes(endpoint))
        return Template(plain, tuple(reader.slots), tuple(reader.late), tuple(reader.faults), check, endpoint)

    def _mapping(self, value: Any, path: str) -> Mapping[Any, Any]:
        found = self._reader.unwrapped(value, path)
        if not isinstance(found, Mapping):
            if found is not UNREADABLE:
                self._reader.fault(
                    path, f"must be a dict or an object with as_dict(), not of type {type(value).__name__}."
                )
            return {}
        return found

    def _laid_over(self, below: Any, value: Any, path: str) -> dict[Any, Any]:
        return {**self._mapping(below, path), **_without_none(self._mapping(value, path))}


@cache
def _shapes(endpoint: str) -> dict[str, Any]:
    """Return the shapes of the fields of a body, as a dict for each object in it."""
    return tree_of(BODIES[endpoint], _shape)


def _shape(owner: str, key: str, field: Field) -> Shape | None:
    if field.kind == "int" and not field.container:
        return Shape.ID if key == "job_id" else Shape.SENT_WHOLE
    if (owner, key) in _SENT_AS_TEXT:
        return Shape.SENT_TEXT
    if not field.container:
        return Shape.SENT_SCALAR if field.kind == "text" or values_of(field.kind) else None
    if field.kind != "text":
        return None
    if key in _PARAMETERS or (key == "parameters" and owner in _WITH_PARAMETERS):
        return Shape.TEXTS
    return Shape.SENT_TEXTS if field.container == "{" else None


def _without_none(fields: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in fields.items() if value is not None}
