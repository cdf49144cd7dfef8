"""The environment variables that tasks see: the variables that Python needs, and no secrets of this process."""

from __future__ import annotations

import base64
import os
from collections.abc import Collection, Iterable, Mapping

_NEEDED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LANGUAGE", "TZ", "TZDIR"),
        *("TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV"),
        # This interpreter or a library may have been started with these.
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
        *("JAVA_HOME", "SPARK_HOME", "SPARK_LOCAL_IP", "HADOOP_HOME", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        # Windows.
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME", "HOMEDRIVE"),
        *("HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "NUMBER_OF_PROCESSORS"),
    }
)
_NEEDED_PREFIXES = ("LC_", "PYTHON")


def check_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names of the additional environment variables that a task sees.

    Raises:
        ValueError: `names` is not a list of names.
    """
    if isinstance(names, str):
        raise ValueError("pass_environment must be a list of names, such as ['AWS_REGION']")
    found = list(names)
    for name in found:
        if not isinstance(name, str) or not name or "=" in name or "\0" in name:
            # The message does not show the name: after an "=" there may be a secret value.
            raise ValueError("pass_environment must have names of environment variables, without values")
    return frozenset(found)


def environment_of_tasks(
    environment: Mapping[str, str], passed: Collection[str], secrets: Collection[str]
) -> dict[str, str]:
    """Return the whole environment of a task.

    Args:
        environment: The environment of this process.
        passed: The names of further variables to keep.
        secrets: Strings that must not be in any variable, plain or in base64.
    """
    hidden = [*secrets, *(base64.b64encode(secret.encode()).decode() for secret in secrets)]
    return {
        name: value
        for name, value in environment.items()
        if (name in passed or _is_needed(name)) and not any(secret in value for secret in hidden)
    }


def _is_needed(name: str) -> bool:
    # On Windows, the case of names does not matter.
    name = name.upper() if os.name == "nt" else name
    return name in _NEEDED or name.startswith(_NEEDED_PREFIXES)
