"""A flow of a deployment that signs in with saved blocks, each of which was made in another tab of the form."""

from __future__ import annotations

from prefect import flow

from prefect_databricks_runs import DatabricksCredentials


@flow
def who_am_i(names: str) -> str:
    """Ask the workspace, with each of the blocks, whose names have spaces between them."""
    found = []
    for name in names.split():
        credentials = DatabricksCredentials.load(name)
        with credentials.get_client() as client:
            found.append(client.get("/api/2.0/preview/scim/v2/Me").raise_for_status().json()["userName"])
    return ", ".join(found)
