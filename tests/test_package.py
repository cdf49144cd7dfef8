"""The package's public names: each is there, though none is imported before it is used."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cloudpickle
import pytest
from prefect.flows import EntrypointType, load_flow_from_entrypoint

import prefect_databricks_runs as package
from prefect_databricks_runs import flows
from tests.support.processes import PATIENCE

INIT = Path(package.__file__)


@pytest.mark.parametrize("shown", [package, flows], ids=lambda shown: shown.__name__)
def test_a_type_checker_and_the_interpreter_see_the_same_names(shown: ModuleType) -> None:
    typed = {
        (name.name, f"{shown.__name__}.{node.module}")
        for node in ast.walk(ast.parse(Path(shown.__file__).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for name in node.names
        if name.name in shown.__all__ and name.name != "__version__"
    }
    homes = {(name, f"{shown.__name__}.{home}") for home, names in shown._HOMES.items() for name in names}
    assert homes == typed
    assert {name for name, _ in homes} == {*shown.__all__} - {"__version__"}


@pytest.mark.parametrize("name", package.__all__)
def test_each_public_name_is_there(name: str) -> None:
    assert getattr(package, name) is vars(package)[name]
    assert name in dir(package)


# Deployments that were saved have these names; a release that renames one breaks them.
FLOWS = [
    "arun_databricks_job",
    "arun_now_and_wait",
    "asubmit_run_and_wait",
    "await_for_run",
    "await_for_runs",
    "run_databricks_job",
    "run_now_and_wait",
    "submit_run_and_wait",
    "wait_for_run",
    "wait_for_runs",
]


def test_every_flow_is_one_that_deployments_may_name() -> None:
    assert set(flows.__all__) == set(FLOWS)


@pytest.mark.parametrize("name", FLOWS)
def test_a_deployment_names_a_flow_by_the_module_that_shows_it(name: str) -> None:
    flow, path = getattr(flows, name), f"prefect_databricks_runs.flows.{name}"
    assert flow.to_deployment("some", entrypoint_type=EntrypointType.MODULE_PATH).entrypoint == path
    assert load_flow_from_entrypoint(path) is flow
    assert load_flow_from_entrypoint(f"prefect_databricks_runs.{name}") is flow


@pytest.mark.parametrize("name", flows.__all__)
def test_a_flow_can_be_sent_to_another_process(name: str) -> None:
    flow = getattr(flows, name)
    sent = cloudpickle.loads(cloudpickle.dumps(flow))
    assert sent.fn.__module__ == "prefect_databricks_runs.flows"
    assert sent.parameters == flow.parameters


@pytest.mark.parametrize("shown", [package, flows], ids=lambda shown: shown.__name__)
def test_a_name_that_is_not_there_is_an_attribute_error(shown: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{shown.__name__}' has no attribute 'nothing'"):
        _ = shown.nothing


LONG = pytest.mark.long  # each costs an import of Prefect


@pytest.mark.parametrize(
    "code",
    [
        "from prefect_databricks_runs import *; assert issubclass(RunFailed, DatabricksError); submit_run_and_wait",
        "import prefect_databricks_runs as p; assert p.errors.RunFailed is p.RunFailed",
        pytest.param("from prefect_databricks_runs import errors, flows; assert flows.wait_for_run", marks=LONG),
        pytest.param(
            "from prefect_databricks_runs.flows import *; assert wait_for_run.name == 'wait-for-run'", marks=LONG
        ),
        pytest.param("from prefect_databricks_runs import flows; assert 'run_now_and_wait' in dir(flows)", marks=LONG),
        # Prefect makes models of all parameters of a flow, so only those flows are made that are used.
        "from prefect_databricks_runs import submit_run, wait_for_run; import sys\n"
        "ours = {name for name in sys.modules if name.startswith('prefect_databricks_runs.flows.')}\n"
        "assert ours == {'prefect_databricks_runs.flows.flow', 'prefect_databricks_runs.flows.waiting'}, ours",
        pytest.param(
            "import inspect, prefect_databricks_runs as p; assert dict(inspect.getmembers(p)).keys() >= set(p.__all__)",
            marks=LONG,
        ),
        # What Prefect does to learn of blocks.
        "from prefect.plugins import load_prefect_collections\n"
        "assert not isinstance(load_prefect_collections()['prefect_databricks_runs'], Exception)\n"
        "from prefect.utilities.dispatch import lookup_type\n"
        "from prefect.blocks.core import Block\n"
        "assert lookup_type(Block, 'databricks-runs-credentials').__name__ == 'DatabricksCredentials'",
    ],
    ids=[
        "star",
        "module as attribute",
        "module imported",
        "star of flows",
        "dir of flows",
        "only the flows that are used",
        "getmembers",
        "collections of Prefect",
    ],
)
def test_in_a_fresh_interpreter(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(INIT.parent.parent), *sys.path]),
            "PREFECT_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
