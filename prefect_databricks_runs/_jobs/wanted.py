"""A job as it is wanted, read from what users pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import Any, Final

from .._payload.build import SubmittedJob, job_settings
from .._payload.hints import hints_of
from .._payload.rules import Hint
from .._payload.shared_checks import NO_TASKS
from ..errors import InvalidPayload

TAG: Final = "prefect_settings"
"""The tag that marks a job as made here. Its value is the hash of what was wanted; after a hyphen, that of what
Databricks itself has set. Tags become those of clusters, where some clouds take 63 characters in lower case."""
_MOST_TAGS = 25
_BUNDLE_VARIABLE = re.compile(r"\$\{(?:var|bundle|workspace|resources)\.[\w.\[\]]+\}")
_HASH_CHARACTERS = 12


@dataclass(frozen=True)
class Wanted:
    """A job as it is wanted.

    Attributes:
        name: Its name, by which it is found.
        settings: Its settings, without `access_control_list` and without our tag.
        access_control_list: Who may do what with it; None to leave that as it is.
        digest: The hash of `settings`.
        hints: What the shape of the API does not have.
    """

    name: str
    settings: dict[str, Any]
    access_control_list: list[dict[str, Any]] | None
    digest: str
    hints: list[Hint]

    @classmethod
    def of(cls, job: Any) -> Wanted:
        """Read a job.

        Args:
            job: A `Job`, a dict, or an object with `as_dict()` or `model_dump()`.

        Raises:
            InvalidPayload: Naming every fault.
        """
        settings = _of_api(job_settings(job))
        faults = [
            *_faults(settings),
            *(() if isinstance(job, (Mapping, SubmittedJob)) else _bundle_variables(settings)),
        ]
        if faults:
            raise InvalidPayload(faults, "jobs/create")
        hints = hints_of(settings, "jobs/create")
        entries = settings.pop("access_control_list", None)
        if TAG in settings.get("tags", {}):  # of a job that was read from Databricks
            settings = {**settings, "tags": {key: value for key, value in settings["tags"].items() if key != TAG}}
        text = dumps(settings, sort_keys=True, ensure_ascii=False)
        digest = sha256(text.encode("utf-8", "replace")).hexdigest()[:_HASH_CHARACTERS]
        return cls(settings["name"], settings, entries, digest, hints)

    def tagged(self, own: str = "") -> dict[str, Any]:
        """Return the settings as they are sent.

        Args:
            own: The hash of what Databricks itself has set; empty if that is nothing.
        """
        value = f"{self.digest}-{own}" if own else self.digest
        return {**self.settings, "tags": {**self.settings.get("tags", {}), TAG: value}}


@dataclass(frozen=True)
class Mark:
    """The content of the tag of a saved job.

    Attributes:
        is_ours: Whether there is one.
        digest: The hash of what was wanted when the job was saved.
        own: The hash of what Databricks itself has set.
    """

    is_ours: bool
    digest: str
    own: str

    @classmethod
    def in_settings(cls, settings: Mapping[str, Any]) -> Mark:
        """Read the tag of a saved job."""
        tags = settings.get("tags")
        value = tags.get(TAG) if isinstance(tags, Mapping) else None
        digest, _, own = value.partition("-") if isinstance(value, str) else ("", "", "")
        return cls(bool(value), digest, own)


def without_mark(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a saved job without our tag."""
    tags = {key: value for key, value in (settings.get("tags") or {}).items() if key != TAG}
    rest = {key: value for key, value in settings.items() if key != "tags"}
    return {**rest, "tags": tags} if tags else rest


def _of_api(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings without what the Python support of bundles adds to those of the Jobs API."""
    rest = {key: value for key, value in settings.items() if key not in ("permissions", "lifecycle")}
    permissions = settings.get("permissions")
    if not isinstance(permissions, list) or "access_control_list" in settings:
        return rest
    entries = [
        {"permission_level" if key == "level" else key: value for key, value in entry.items()}
        for entry in permissions
        if isinstance(entry, Mapping)
    ]
    return {**rest, "access_control_list": entries}


def _bundle_variables(value: Any) -> Iterator[str]:
    """Yield the faults of references that only the deployment of a bundle resolves."""
    for name in dict.fromkeys(_BUNDLE_VARIABLE.findall(dumps(value, ensure_ascii=False))):
        yield f"`{name}` is a variable of a bundle, which only the bundle resolves; use the value itself."


def _faults(settings: Mapping[str, Any]) -> list[str]:
    faults = []
    name = settings.get("name")
    if not isinstance(name, str) or not name.strip():
        faults.append("name: is missing; the saved job is found by its name.")
    if not settings.get("tasks"):
        faults.append(NO_TASKS)
    deployment = settings.get("deployment")
    if isinstance(deployment, Mapping) and deployment.get("kind") == "BUNDLE":
        faults.append("deployment: a bundle deploys its jobs itself; leave `deployment` out to have one beside it.")
    tags = settings.get("tags")
    if isinstance(tags, Mapping) and len(set(tags) - {TAG}) >= _MOST_TAGS:
        faults.append(
            f"tags: there are {len(tags)}; a job has at most {_MOST_TAGS}, and `{TAG}` is added, so set at most"
            f" {_MOST_TAGS - 1}."
        )
    return faults
