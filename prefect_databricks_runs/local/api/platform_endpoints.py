"""The few endpoints beside jobs that clients call to see whether they are connected, and to whom."""

from __future__ import annotations

from ..accounts.users import User, Users
from ..web.calls import Call, Endpoint, Fields
from .compute_catalog import NODE_TYPES, SPARK_VERSIONS

_USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
_PRINCIPAL_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"


class PlatformEndpoints:
    """Who is signed in, and what compute a cluster could have.

    Args:
        users: the workspace's users.
    """

    def __init__(self, users: Users) -> None:
        self._users = users
        self.served: dict[str, Endpoint] = {
            "GET preview/scim/v2/Me": self.me,
            "GET clusters/spark-versions": self.spark_versions,
            "GET clusters/list-node-types": self.node_types,
        }

    def me(self, call: Call) -> Fields:
        """Answers who asks."""
        user = self._users.named(call.user)
        return _service_principal(user) if user.is_service_principal else _person(user)

    def spark_versions(self, _call: Call) -> Fields:
        """Answers versions of the Databricks Runtime; here a task runs in the Python that runs the workspace."""
        return {"versions": [dict(version) for version in SPARK_VERSIONS]}

    def node_types(self, _call: Call) -> Fields:
        """Answers types of machines; here there are none."""
        return {"node_types": [dict(node_type) for node_type in NODE_TYPES]}


def _person(user: User) -> Fields:
    return {
        "schemas": [_USER_SCHEMA],
        "id": str(user.user_id),
        "userName": user.name,
        "displayName": user.name,
        "emails": [{"type": "work", "value": user.name, "primary": True}],
        "active": True,
    }


def _service_principal(user: User) -> Fields:
    return {
        "schemas": [_USER_SCHEMA, _PRINCIPAL_SCHEMA],
        "id": str(user.user_id),
        "userName": user.name,
        "applicationId": user.name,
        "displayName": user.name,
        "active": True,
    }
