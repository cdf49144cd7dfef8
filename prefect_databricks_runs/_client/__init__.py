"""The wire: one request to a Databricks workspace, and its answer."""
