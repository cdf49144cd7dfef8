"""`prefect-databricks-runs orphans`: runs that no flow run waits for."""
