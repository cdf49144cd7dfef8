"""A method for each kind of task, which a job has, and a for-each task of a job."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from ._lines import fault

T = TypeVar("T")

_KEY_CHARACTERS = 100
_NOT_IN_KEY = re.compile(r"[^\w-]+", re.ASCII)
_OF_SQL = {"query": "query_id", "file": "path", "dashboard": "dashboard_id", "alert": "alert_id"}


class TaskMethods(Generic[T]):
    """A method for each kind of task.

    All of them take any other field of a task in the Jobs API as a keyword, and these:

    * `key`: The task key. Without it, it is made from the name of what is run.
    * `after`: What the task comes after: tasks, outcomes of conditions, or keys of tasks; one or a list.
    * `run_if`: When it runs, such as `ALL_DONE` or `AT_LEAST_ONE_SUCCESS`. Databricks' default: `ALL_SUCCESS`.
    * `cluster`: The key of a job cluster, or a new cluster of the task's own, a dict.
    * `environment`: The key of an environment.
    """

    @abstractmethod
    def _add(self, key: str, after: Any, fields: dict[str, Any]) -> T:
        """Add a task."""

    def notebook(
        self,
        path: str,
        *,
        key: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        source: str | None = None,
        warehouse_id: str | None = None,
        after: Any = (),
        **fields: Any,
    ) -> T:
        """Add a notebook.

        Args:
            path: The notebook, such as `/Shared/clean`.
            key: The task key. Default: the last part of the path.
            parameters: Values for its widgets, sent as text.
            source: `WORKSPACE` or `GIT`.
            warehouse_id: The SQL warehouse that runs it, for a notebook of SQL cells.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.
        """
        task = {
            "notebook_path": path,
            "base_parameters": parameters,
            "source": source,
            "warehouse_id": warehouse_id,
        }
        return self._one(key or key_of(path), after, {"notebook_task": task}, fields)

    def python(
        self,
        file: str,
        *,
        key: str | None = None,
        parameters: Sequence[Any] | None = None,
        source: str | None = None,
        after: Any = (),
        **fields: Any,
    ) -> T:
        """Add a Python file.

        Args:
            file: The file, such as `/Workspace/Shared/count.py`.
            key: The task key. Default: the name of the file.
            parameters: Its command line arguments, sent as text.
            source: `WORKSPACE` or `GIT`.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.
        """
        task = {"python_file": file, "parameters": parameters, "source": source}
        return self._one(key or key_of(str(file).removesuffix(".py")), after, {"spark_python_task": task}, fields)

    def wheel(
        self,
        package: str,
        entry_point: str,
        *,
        key: str | None = None,
        parameters: Sequence[Any] | Mapping[str, Any] | None = None,
        after: Any = (),
        **fields: Any,
    ) -> T:
        """Add an entry point of a Python wheel.

        Args:
            package: The name of the package. Its wheel is in `libraries=`, or among the environment's dependencies.
            entry_point: The name of the entry point.
            key: The task key. Default: the name of the package.
            parameters: A list of arguments, or a dict of named ones; sent as text.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.
        """
        kind = "named_parameters" if isinstance(parameters, Mapping) else "parameters"
        task = {"package_name": package, "entry_point": entry_point, kind: parameters}
        return self._one(key or key_of(package), after, {"python_wheel_task": task}, fields)

    def jar(
        self,
        main_class: str,
        *,
        key: str | None = None,
        parameters: Sequence[Any] | None = None,
        after: Any = (),
        **fields: Any,
    ) -> T:
        """Add a JAR.

        Args:
            main_class: The full name of the class with `main`. Its JAR is in `libraries=`.
            key: The task key. Default: the last part of the name.
            parameters: The arguments of `main`, sent as text.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.
        """
        task = {"main_class_name": main_class, "parameters": parameters}
        return self._one(key or key_of(str(main_class).rpartition(".")[2]), after, {"spark_jar_task": task}, fields)

    def sql(
        self,
        key: str,
        *,
        warehouse_id: str,
        query: Any = None,
        file: Any = None,
        dashboard: Any = None,
        alert: Any = None,
        parameters: Mapping[str, Any] | None = None,
        after: Any = (),
        **fields: Any,
    ) -> T:
        """Add SQL: one of a query, a file, a dashboard and an alert.

        Args:
            key: The task key.
            warehouse_id: The SQL warehouse.
            query: The id of a saved query; or the object that the Jobs API has for it.
            file: The path of a file; or the object.
            dashboard: The id of a dashboard; or the object.
            alert: The id of an alert; or the object.
            parameters: Values for the parameters of the query or file, sent as text.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.
        """
        given = {"query": query, "file": file, "dashboard": dashboard, "alert": alert}
        chosen = {kind: value for kind, value in given.items() if value is not None}
        if len(chosen) != 1:
            raise fault(f"A SQL task has one of `query`, `file`, `dashboard` and `alert`; {len(chosen)} were passed.")
        ((kind, value),) = chosen.items()
        what = {_OF_SQL[kind]: value} if isinstance(value, str) else value
        task = {"warehouse_id": warehouse_id, kind: what, "parameters": parameters}
        return self._one(key, after, {"sql_task": task}, fields)

    def dbt(
        self,
        key: str,
        commands: Sequence[str],
        *,
        project_directory: str | None = None,
        warehouse_id: str | None = None,
        catalog: str | None = None,
        schema: str | None = None,
        source: str | None = None,
        after: Any = (),
        **fields: Any,
    ) -> T:
        """Add dbt commands.

        Args:
            key: The task key.
            commands: The commands, such as `["dbt deps", "dbt run"]`.
            project_directory: The folder of the project.
            warehouse_id: The SQL warehouse that runs the models.
            catalog: The catalog to write to.
            schema: The schema to write to.
            source: `WORKSPACE` or `GIT`.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.
        """
        task = {
            "commands": [commands] if isinstance(commands, str) else commands,
            "project_directory": project_directory,
            "warehouse_id": warehouse_id,
            "catalog": catalog,
            "schema": schema,
            "source": source,
        }
        return self._one(key, after, {"dbt_task": task}, fields)

    def pipeline(
        self, key: str, pipeline_id: str, *, full_refresh: bool | None = None, after: Any = (), **fields: Any
    ) -> T:
        """Add an update of a pipeline.

        Args:
            key: The task key.
            pipeline_id: The pipeline.
            full_refresh: Whether to compute all its tables again.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.
        """
        task = {"pipeline_id": pipeline_id, "full_refresh": full_refresh}
        return self._one(key, after, {"pipeline_task": task}, fields)

    def run_job(
        self, key: str, job_id: int, *, parameters: Mapping[str, Any] | None = None, after: Any = (), **fields: Any
    ) -> T:
        """Add a run of another saved job.

        Args:
            key: The task key.
            job_id: The other job, as `apply_job` returns it.
            parameters: Values for that job's parameters, sent as text.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: Any other field of a task.
        """
        return self._one(key, after, {"run_job_task": {"job_id": job_id, "job_parameters": parameters}}, fields)

    def task(self, key: str, *, after: Any = (), **fields: Any) -> T:
        """Add any task that the Jobs API has.

        Args:
            key: The task key.
            after: The tasks, outcomes or task keys that it comes after.
            **fields: The fields of the task, among them its own object, such as `spark_submit_task={…}`.
        """
        return self._add(key, after, fields)

    def _one(self, key: str, after: Any, task: Mapping[str, Mapping[str, Any]], fields: dict[str, Any]) -> T:
        """Add a task with one object, of which what is None is left out."""
        ((kind, content),) = task.items()
        given = {name: value for name, value in content.items() if value is not None}
        return self._add(key, after, {kind: given, **fields})


def key_of(path: str) -> str:
    """Return the task key of what is run: the last part of a path."""
    last = str(path).rstrip("/").rpartition("/")[2]
    return _NOT_IN_KEY.sub("_", last).strip("_")[:_KEY_CHARACTERS]
