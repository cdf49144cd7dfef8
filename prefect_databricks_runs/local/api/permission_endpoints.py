"""The permissions of jobs and of submitted runs: get, set, update, and the possible levels."""

from __future__ import annotations

from typing import Final

from ..accounts.users import Users
from ..bodies import bodies
from ..bodies.access_control import LEVELS, Grants, check_one_owner, read_grants
from ..bodies.schema import read
from ..runs.records import JobRecord, RunRecord
from ..runs.store import Store
from ..web.calls import Call, Endpoint, Fields
from ..web.errors import ApiError, unknown_path

PATH: Final = "permissions/jobs/{job_id}"

_DESCRIPTIONS: Final = {
    "CAN_VIEW": "Can view the job",
    "CAN_MANAGE_RUN": "Can view, run and cancel runs of the job",
    "CAN_MANAGE": "Can manage the job",
    "IS_OWNER": "Is the owner of the job",
}
# Administrators can manage every job; no request changes that.
_ADMINS: Final = {
    "group_name": "admins",
    "all_permissions": [{"permission_level": "CAN_MANAGE", "inherited": True, "inherited_from_object": ["/jobs/"]}],
}


class PermissionEndpoints:
    """The endpoints of the permissions of jobs. Permissions are kept and returned; every user may still do everything.

    A submitted run has permissions too, by its `job_id`.

    Args:
        store: The workspace's jobs and runs.
        users: The workspace's users.
    """

    def __init__(self, store: Store, users: Users) -> None:
        self._store = store
        self._users = users
        self.served: dict[str, Endpoint] = {
            f"GET {PATH}": self.get_permissions,
            f"PUT {PATH}": self.set,
            f"PATCH {PATH}": self.update,
            f"GET {PATH}/permissionLevels": self.levels,
        }

    def get_permissions(self, call: Call) -> Fields:
        """Return the permissions of a job: `object_id`, `object_type`, `access_control_list`."""
        job, _ = self._read(call, "GET")
        return self._answer(job)

    def set(self, call: Call) -> Fields:
        """Replace the permissions of a job, and return them."""
        job, grants = self._read(call, "PUT")
        return self._change(job, grants)

    def update(self, call: Call) -> Fields:
        """Change the permissions of some principals, and return all permissions."""
        job, grants = self._read(call, "PATCH")
        return self._change(job, {**job.grants, **grants})

    def levels(self, call: Call) -> Fields:
        """Return the levels that a permission can have: `permission_levels`."""
        self._read(call, "GET")
        return {
            "permission_levels": [{"permission_level": level, "description": _DESCRIPTIONS[level]} for level in LEVELS]
        }

    def _read(self, call: Call, method: str) -> tuple[JobRecord | RunRecord, Grants]:
        if call.version != "2.0":
            raise unknown_path(method, f"/permissions/jobs/{call.fields['job_id']}")
        body = read(call.fields, bodies.PERMISSIONS)
        job_id = body["job_id"]
        try:
            job = self._store.with_permissions(job_id)
        except ApiError as error:  # this API has always had the status that only newer workspaces have for jobs
            raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", error.message) from None
        return job, read_grants(body.get("access_control_list", []))

    def _change(self, job: JobRecord | RunRecord, grants: Grants) -> Fields:
        check_one_owner(grants)
        job.grants = grants
        return self._answer(job)

    def _answer(self, job: JobRecord | RunRecord) -> Fields:
        entries = [
            {
                kind: name,
                **({} if kind == "group_name" else {"display_name": name}),
                "all_permissions": [{"permission_level": level, "inherited": False}],
            }
            for (kind, name), level in job.grants.items()
        ]
        return {
            "object_id": f"/jobs/{job.job_id}",
            "object_type": "job",
            "access_control_list": [*entries, _ADMINS],
        }
