"""The job that a command names: in a file of JSON or YAML, or an object of a Python module."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .._check_job.reading import read_source
from .._check_job.tree import ANYTHING, NotReadable, plain
from .._payload.looks import at
from .._text import quoted, safe_repr
from ..errors import DatabricksError, InvalidJob

_FILES = (".json", ".yml", ".yaml")
_PACKAGE = f"{Path(__file__).parent.parent}{os.sep}"
_OF_BUNDLES = frozenset(("bundle", "resources", "targets"))
_FORMS = "Pass a file of JSON or YAML, or `module:name` or `file.py:name` of a job in Python."


def job_of(target: str) -> Any:
    """Return the job that is meant.

    Args:
        target: A path of a `.json`, `.yml` or `.yaml` file; or `module:name` or `file.py:name`.

    Raises:
        InvalidJob: The file, module or name does not exist, or is not a job.
    """
    path = Path(target)
    if path.suffix.lower() in _FILES:
        return _of_settings(_read(path), target)
    module, colon, name = target.rpartition(":")
    if colon and module and name:
        return _named(_module(module), name, target)
    if path.suffix == ".py":
        raise InvalidJob(f"{target} is a Python file; name the job in it too, as {target}:job.")
    raise InvalidJob(f"{quoted(target)} does not name a job. {_FORMS}")


def _read(path: Path) -> Any:
    """Read a file as `check-job` does, with the same limits: aliases of YAML may stand for any number of values."""
    try:
        source = read_source(str(path))
        content = [plain(each) for each in source.documents]
    except NotReadable as error:
        line = "" if error.line is None else f", line {error.line}"
        raise InvalidJob(f"{path} {error}{line}.") from None
    if len(content) != 1:
        found = f"has {len(content)} documents" if content else "is empty"
        raise InvalidJob(f"{path} {found}; pass a file with one job.")
    if source.doubled:
        number, key = source.doubled[0]
        place = "" if number is None else f", the second time in line {number}"
        raise InvalidJob(f"{path} has the key {quoted(key)} twice in one object{place}; leave one of them.")
    unclear = next(_unclear(content[0], ""), None)
    if unclear is not None:
        raise InvalidJob(
            f"{path}: {unclear or 'the job'} has no clear value: quote text such as `yes` and `on`, and write the value"
            " itself instead of a tag such as `!reference`."
        )
    return content[0]


def _unclear(value: Any, path: str) -> Iterator[str]:
    """Yield the paths of values that YAML leaves open."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _unclear(each, at(path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _unclear(each, f"{path}[{index}]")
    elif value is ANYTHING:
        yield path


def _of_settings(content: Any, target: str) -> Any:
    """Return the settings in a file; an export of Databricks has them beside a `job_id`."""
    if isinstance(content, Mapping):
        for key in ("settings", "new_settings"):
            if isinstance(content.get(key), Mapping) and "name" not in content:
                return content[key]
        if _OF_BUNDLES & content.keys() and "tasks" not in content:
            raise InvalidJob(f"{target} is part of a bundle; `databricks bundle deploy` deploys it.")
        return content
    raise InvalidJob(
        f"{target} is not a job: it has {type(content).__name__} instead of an object with `name`, `tasks`, …"
    )


def _module(name: str) -> Any:
    is_file = name.endswith(".py")
    folder = str(Path(name).resolve().parent) if is_file else str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as `python name.py` and `python -m name` do
    try:
        return _loaded(Path(name)) if is_file else importlib.import_module(name)
    except DatabricksError:  # a fault in the job, which names its own line
        raise
    except SystemExit as error:  # else its status would be that of the command
        raise InvalidJob(
            f"{quoted(name)} ends the program when it is imported: sys.exit({error.code!r}){_line_of(error)}. Put that"
            ' under `if __name__ == "__main__":`.'
        ) from error
    except Exception as error:
        if (
            isinstance(error, ModuleNotFoundError)
            and error.name
            and (name == error.name or name.startswith(f"{error.name}."))
        ):
            raise InvalidJob(
                f"The module {quoted(name)} does not exist in {folder} and is not installed. {_FORMS}"
            ) from None
        raise InvalidJob(
            f"{quoted(name)} cannot be imported: {type(error).__name__}: {error}{_line_of(error)}"
        ) from error


def _line_of(error: BaseException) -> str:
    """Return the innermost line of the user's code that an error has come through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [
        f"{each.filename}:{each.lineno}"
        for each in frames
        if not each.filename.startswith((_PACKAGE, "<frozen importlib"))
    ]
    return f" ({lines[-1]})" if lines else ""


def _loaded(path: Path) -> Any:
    if not path.is_file():
        raise InvalidJob(f"The file {path} does not exist.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InvalidJob(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def _named(module: Any, name: str, target: str) -> Any:
    found = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            jobs = ", ".join(key for key, value in vars(module).items() if _is_job(value)) or "none"
            raise InvalidJob(f"{target}: {module.__name__} has no {quoted(name)}. Jobs in it: {jobs}.") from None
        except DatabricksError:
            raise
        except Exception as error:
            raise InvalidJob(f"{target} cannot be read: {type(error).__name__}: {error}{_line_of(error)}") from error
    if not (isinstance(found, Mapping) or _is_job(found)):
        raise InvalidJob(
            f"{target} is not a job: it is {safe_repr(found, 100)}. A job is a `Job`, a dict, or an object with"
            " `as_dict()` or `model_dump()`."
        )
    return found


def _is_job(value: Any) -> bool:
    return not isinstance(value, type) and any(
        callable(getattr(value, each, None)) for each in ("as_dict", "model_dump")
    )
