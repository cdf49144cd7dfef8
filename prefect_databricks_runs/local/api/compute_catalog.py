"""What compute can be named in a request: a few entries of the lists that Databricks has, in its own words.

Nothing of it is made: a task runs in the Python that runs the workspace.
"""

from __future__ import annotations

from typing import Any, Final


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


SPARK_VERSIONS: Final = (
    _runtime("16.4", "3.5.2", "2.12"),
    _runtime("15.4", "3.5.0", "2.12"),
    _runtime("14.3", "3.5.0", "2.12"),
    _runtime("13.3", "3.4.1", "2.12"),
)
NODE_TYPES: Final = (
    _node_type("m5d.large", 8192, 2, "General Purpose", 75),
    _node_type("i3.xlarge", 31232, 4, "Storage Optimized", 950),
    _node_type("r5d.xlarge", 32768, 4, "Memory Optimized", 150),
)
