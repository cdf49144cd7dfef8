"""The rules for the new clusters of tasks and of job clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..web.errors import invalid

_PROFILE = "spark.databricks.cluster.profile"


def check_new_cluster(cluster: Mapping[str, Any]) -> None:
    """Check that a new cluster has a size.

    A policy may set the size, and a cluster of a single node needs no size.

    Raises:
        ApiError: The cluster has no size, or has no workers and is not a cluster of a single node.
    """
    single_node = cluster.get("is_single_node") or cluster.get("spark_conf", {}).get(_PROFILE) == "singleNode"
    if "policy_id" in cluster or single_node or "autoscale" in cluster:
        return
    if "num_workers" not in cluster:
        raise invalid("no_cluster_size")
    if cluster["num_workers"] == 0:
        raise invalid("no_workers")
