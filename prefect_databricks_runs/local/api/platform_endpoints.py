"""The few endpoints beside jobs by which clients check their connection: the user, and the compute there is."""

from __future__ import annotations

from typing import Any, Final

from ..accounts.users import User, Users
from ..web.calls import Call, Endpoint, Fields

_USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
_PRINCIPAL_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"


def _runtime(version: str, spark: str, scala: str) -> dict[str, str]:
    return {
        "key": f"{version}.x-scala{scala}",
        "name": f"{version} LTS (includes Apache Spark {spark}, Scala {scala})",
    }


def _node_type(name: str, memory_mb: int, cores: int, category: str, disk_gb: int) -> dict[str, Any]:
    return {
        "node_type_id": name,
        "memory_mb": memory_mb,
        "num_cores": float(cores),
        "num_gpus": 0,
        "description": name,
        "instance_type_id": name,
        "category": category,
        "is_deprecated": False,
        "is_hidden": False,
        "support_cluster_tags": True,
        "node_instance_type": {"instance_type_id": name, "local_disks": 1, "local_disk_size_gb": disk_gb},
    }


# The compute that a request can name: a few entries of the lists of Databricks, in its own words. None of it is
# created: a task runs in the Python that runs the workspace.
_SPARK_VERSIONS: Final = (
    _runtime("16.4", "3.5.2", "2.12"),
    _runtime("15.4", "3.5.0", "2.12"),
    _runtime("14.3", "3.5.0", "2.12"),
    _runtime("13.3", "3.4.1", "2.12"),
)
_NODE_TYPES: Final = (
    _node_type("m5d.large", 8192, 2, "General Purpose", 75),
    _node_type("i3.xlarge", 31232, 4, "Storage Optimized", 950),
    _node_type("r5d.xlarge", 32768, 4, "Memory Optimized", 150),
)


class PlatformEndpoints:
    """The endpoints for the signed-in user and for the compute that a cluster could have.

    Args:
        users: The workspace's users.
    """

    def __init__(self, users: Users) -> None:
        self._users = users
        self.served: dict[str, Endpoint] = {
            "GET preview/scim/v2/Me": self.me,
            "GET clusters/spark-versions": self.spark_versions,
            "GET clusters/list-node-types": self.node_types,
        }

    def me(self, call: Call) -> Fields:
        """Return the signed-in user."""
        user = self._users.named(call.user)
        return _service_principal(user) if user.is_service_principal else _person(user)

    def spark_versions(self, _call: Call) -> Fields:
        """Return versions of the Databricks Runtime. Here, every task runs in the Python that runs the workspace."""
        return {"versions": [dict(version) for version in _SPARK_VERSIONS]}

    def node_types(self, _call: Call) -> Fields:
        """Return types of machines. Here, every task runs on this machine."""
        return {"node_types": [dict(node_type) for node_type in _NODE_TYPES]}


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
