"""What Databricks has under `/api` and the local workspace lacks."""

from __future__ import annotations

# How the paths of other APIs begin.
NOT_SERVED_APIS = (
    "clusters/",
    "dbfs/",
    "fs/",
    "instance-pools/",
    "libraries/",
    "permissions/",
    "pipelines",
    "policies/",
    "preview/",
    "repos",
    "secrets/",
    "sql/",
    "token/",
    "unity-catalog/",
    "workspace/",
)
