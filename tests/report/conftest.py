from tests.report.prefect_client import prefect

__all__ = ["prefect"]
