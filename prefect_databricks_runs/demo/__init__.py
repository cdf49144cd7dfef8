"""The demo: a real job on a local workspace, started and watched by a real Prefect flow."""
