"""The lines of Prefect that the tests run with."""

from __future__ import annotations

import pytest

from prefect_databricks_runs._prefect.compat import PREFECT_3

ON_PREFECT_3 = pytest.mark.skipif(not PREFECT_3, reason="It has nothing of Prefect in it, and runs with Prefect 3.")
"""Marks a long test that would find the same with Prefect 2."""
