"""The command line: `prefect-databricks-runs demo`, `local`, `check` and `orphans`."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn
from uuid import UUID

import typer
from rich.console import Console

from ._version import __version__

app = typer.Typer(
    help="Run work on Databricks from Prefect.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_CHILD_SECONDS = 30.0
# A signal that comes just before a wait begins, or that another thread is given, does not end the wait: no wait is
# longer than this.
_SIGNAL_SECONDS = 0.5


@app.callback(invoke_without_command=True)
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command()
def demo(
    ui: Annotated[
        bool, typer.Option("--ui", help="Keep the Prefect server up at the end, to look at the runs.")
    ] = False,
    fail: Annotated[bool, typer.Option("--fail", help="Let one of the tasks raise, to see how that looks.")] = False,
) -> None:
    """Run a real six-task job on a local workspace, watched by a real Prefect flow. Needs no Databricks account."""
    from .demo.job import install
    from .demo.servers import direct_environment
    from .local import LocalWorkspace

    console = Console(stderr=True)
    with _ended_by_signals(), ExitStack() as stack:
        workspace = stack.enter_context(LocalWorkspace())
        install(workspace.root)
        api_url = _prefect_api_url(stack, console)
        command = [sys.executable, "-m", "prefect_databricks_runs.demo.flow", str(workspace.root / "Volumes" / "demo")]
        environment = {
            **direct_environment(),
            "PREFECT_API_URL": api_url,
            "DATABRICKS_HOST": workspace.url,
            "DATABRICKS_TOKEN": workspace.token,
        }
        status = _run_child([*command, "--fail"] if fail else command, environment)
        if ui:
            console.print(
                f"The Prefect UI is at {api_url.removesuffix('/api')} until you press Ctrl-C.", soft_wrap=True
            )
            _wait_forever()
    if not _configured_api_url():
        gone = "The demo's Prefect server is stopped, and the links to it lead nowhere now"
        console.print(f"{gone}: `prefect-databricks-runs demo --ui` keeps it up.", soft_wrap=True)
    raise typer.Exit(status)


@app.command()
def local(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="PREFECT_DATABRICKS_RUNS_LOCAL_TOKEN",
            help="The token that it accepts; made up if not given. In the environment, it is not seen in `ps`.",
        ),
    ] = None,
    client_id: Annotated[
        str | None, typer.Option(help="The client id of a service principal, to sign in with OAuth.")
    ] = None,
    client_secret: Annotated[
        str | None,
        typer.Option(
            envvar="PREFECT_DATABRICKS_RUNS_LOCAL_CLIENT_SECRET",
            help="Its secret; made up if not given. In the environment, it is not seen in `ps`.",
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="The folder that plays the workspace's files."),
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="Serve https, with a certificate that is printed as SSL_CERT_FILE.")
    ] = False,
    pass_env: Annotated[
        list[str] | None,
        typer.Option(help="The name of an environment variable that tasks are to see; may be given again."),
    ] = None,
) -> None:
    """Serve a local Databricks Jobs API, which runs notebooks and Python files on this machine, until stopped."""
    from .local import LocalWorkspace

    if client_secret and not client_id:
        raise typer.BadParameter("A client secret needs a --client-id.", param_hint="--client-secret")
    try:
        made = LocalWorkspace(port=port, token=token, root=root, tls=tls, pass_environment=pass_env or ())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--pass-env") from None
    try:
        with _ended_by_signals(), made as workspace:
            typer.echo(f"DATABRICKS_HOST={workspace.url}\nDATABRICKS_TOKEN={workspace.token}")
            if client_id:
                secret = workspace.add_service_principal(client_id, client_secret)
                typer.echo(f"DATABRICKS_CLIENT_ID={client_id}\nDATABRICKS_CLIENT_SECRET={secret}")
            if workspace.ca_file:
                typer.echo(f"SSL_CERT_FILE={workspace.ca_file}")
            sys.stdout.flush()
            _wait_forever()
    except OSError as error:
        typer.echo(f"The local workspace could not take port {port}: {error}. Give another one with --port.", err=True)
        raise typer.Exit(1) from None


@app.command()
def check(
    block: Annotated[
        str | None,
        typer.Option(help="A saved DatabricksCredentials block, by name. Without it, the environment is checked."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="A profile of ~/.databrickscfg instead of the environment.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as a JSON object.")] = False,
) -> None:
    """Say who you are in a workspace, how you sign in, until when, and what you may do there. Starts nothing.

    Ends with 1 if there is something to correct, and with 2 if that could not be found out.
    """
    from ._check.command import check
    from ._check.printing import printing_for
    from ._prefect import portal

    if block is not None and profile is not None:
        raise typer.BadParameter("Give either a block or a profile.", param_hint="--profile")
    try:
        worst = portal.call(check, block, profile, printing_for(as_json=as_json)).worst
    except Exception:  # not 1, which says that something is to be corrected
        traceback.print_exc()
        worst = "error"
    raise typer.Exit({"ok": 0, "failed": 1}.get(worst, 2))


@app.command()
def orphans(
    block: Annotated[
        list[str] | None,
        typer.Option(help="A saved DatabricksCredentials block, by name; may be given again. Without it, all of them."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(help="A profile of ~/.databrickscfg, instead of blocks and the environment.")
    ] = None,
    flow_run: Annotated[
        list[UUID] | None,
        typer.Option(
            help="The id of a flow run whose process is gone although Prefect calls it running; may be given again."
        ),
    ] = None,
    *,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel them.")] = False,
    completed: Annotated[
        bool, typer.Option("--completed", help="Count the runs of flow runs that completed, too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as a JSON list.")] = False,
) -> None:
    """List the Databricks runs that go on although the flow run that asked for them is over.

    Ends with 1 if any is left going, and with 2 if that could not be found out.
    """
    from . import DatabricksError
    from ._orphans.command import Wanted, orphans
    from ._orphans.listing import listing_for
    from ._prefect import portal

    if block and profile is not None:
        raise typer.BadParameter("Give either blocks or a profile.", param_hint="--profile")
    wanted = Wanted(block or (), profile, frozenset(flow_run or ()), completed, cancel)
    listing = listing_for(as_json=as_json)
    try:
        left = portal.call(orphans, wanted, listing)
    except DatabricksError as error:
        typer.echo(str(error), err=True)
        left = None
    except Exception:  # not 1, which says that a run is left going
        traceback.print_exc()
        left = None
    listing.close()
    raise typer.Exit(2 if left is None else 1 if left else 0)


def main() -> None:
    """Run the command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _prefect_api_url(stack: ExitStack, console: Console) -> str:
    """Return the Prefect API that is set, or that of a server which is started for as long as `stack` lasts."""
    from .demo.servers import PrefectServer

    configured = _configured_api_url()
    if configured:
        return configured
    console.print("Starting a Prefect server (PREFECT_API_URL is not set) …")
    return stack.enter_context(PrefectServer()).api_url


def _configured_api_url() -> str:
    """Return what `PREFECT_API_URL` says, in the environment or in the profile; empty where it is not set."""
    from prefect.settings import PREFECT_API_URL

    return str(PREFECT_API_URL.value() or "")


def _run_child(command: list[str], environment: dict[str, str]) -> int:
    """Run the user's side, and see it end: interrupted, it cancels its Databricks run first.

    In a session of its own, a Ctrl-C in the terminal reaches it once, from here, and does not disturb that.
    """
    with subprocess.Popen(command, env=environment, start_new_session=True) as child:  # noqa: S603 - this interpreter
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return child.wait(_SIGNAL_SECONDS)
        except BaseException:
            child.send_signal(signal.SIGINT)
            try:
                child.wait(_CHILD_SECONDS)
            except BaseException:
                child.kill()
            raise


def _wait_forever() -> NoReturn:
    while True:
        time.sleep(_SIGNAL_SECONDS)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the block as Ctrl-C does, so that nothing is left behind.

    Ctrl-C itself is set too: a shell lets its background jobs ignore it, and the children inherit that.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    earlier = {each: signal.signal(each, interrupt) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in earlier.items():
            signal.signal(each, handler)
