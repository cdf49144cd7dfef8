"""The chaos from the command line, with as many flows as one likes.

    python -m tests.chaos --flows 2000 --seed 7

It starts a Prefect server and a local workspace of its own, prints the numbers, and exits with 1 if a run was lost,
doubled or orphaned.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings


def main() -> int:
    """Entry point of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--flows", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Prefect 2 warns of what it stands on
        os.environ["PREFECT_HOME"] = home  # before Prefect is imported, which reads it then
        from prefect_databricks_runs.demo.servers import PrefectServer
        from tests.chaos.storm import Storm

        with PrefectServer() as server:
            report = Storm(arguments.flows, arguments.seed, server.api_url, tell=print).run()
    print(report)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
