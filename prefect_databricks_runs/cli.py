"""The command line: `demo`, `local`, `check`, `check-job`, `apply`, `deploy`, `orphans` and `watch`."""

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

import typer
from rich.console import Console

from ._apply.options import apply
from ._check_job.options import check_job
from ._commands import ends_with_2
from ._deploy.options import deploy
from ._orphans.options import orphans
from ._version import __version__

app = typer.Typer(
    help="Run work on Databricks from Prefect.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_CHILD_SECONDS = 30.0
# A signal that comes just before a wait begins, or that another thread gets, does not end the wait: no wait is
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
    job: Annotated[
        bool,
        typer.Option(
            "--job",
            help="Write the job in Python, save it, deploy it with a form and a schedule, and let a worker run it.",
        ),
    ] = False,
) -> None:
    """Run a real job on a local workspace, watched by a real Prefect flow. Needs no Databricks account."""
    if job and fail:
        raise typer.BadParameter("Use either --job or --fail.", param_hint="--job")
    from .demo.job import install
    from .demo.servers import direct_environment
    from .local import LocalWorkspace

    console = Console(stderr=True)
    with _ended_by_signals(), ExitStack() as stack:
        workspace = stack.enter_context(LocalWorkspace())
        install(workspace.root)
        # A schedule of the demo must not stay on the user's own server.
        api_url = _own_prefect_api_url(stack, console) if job else _prefect_api_url(stack, console)
        module = f"prefect_databricks_runs.demo.{'saved_job' if job else 'flow'}"
        command = [sys.executable, "-m", module, str(workspace.root / "Volumes" / "demo")]
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
    if job or not _configured_api_url():
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
        typer.Option(help="The name of an environment variable that tasks are to see; can be repeated."),
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
        typer.echo(
            f"The local workspace could not take port {port}: {error}. Choose another one with --port.", err=True
        )
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
        raise typer.BadParameter("Use either a block or a profile.", param_hint="--profile")
    with ends_with_2():
        worst = portal.call(check, block, profile, printing_for(as_json=as_json)).worst
    raise typer.Exit({"ok": 0, "failed": 1}.get(worst, 2))


app.command()(apply)
app.command()(deploy)
app.command()(orphans)
app.command("check-job")(check_job)


@app.command()
def watch(
    block: Annotated[
        list[str] | None,
        typer.Option(help="A saved DatabricksCredentials block, by name; can be repeated. Without it, all of them."),
    ] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Look at everything once, and end: for a schedule.")] = False,
    every: Annotated[
        float | None,
        typer.Option(min=1, help="With --once: how many seconds later the next pass comes. Flow runs count on it."),
    ] = None,
) -> None:
    """Watch the Databricks runs of suspended flow runs, and resume these, until stopped.

    Ends with 0 when it is stopped. With --once it ends with 1 if it left a suspended flow run alone, and with 2 if it
    could not ask Prefect or a workspace.
    """
    from . import DatabricksError
    from ._prefect import portal
    from ._watcher.command import Wanted, watch

    if every is not None and not once:
        raise typer.BadParameter("It says when the next pass of --once comes.", param_hint="--every")
    status = 2
    with suppress(KeyboardInterrupt), _ended_by_signals():
        try:
            status = portal.call(watch, Wanted(block or (), once, every), lambda text: typer.echo(text, err=True))
        except DatabricksError as error:
            typer.echo(str(error), err=True)
        except KeyboardInterrupt:
            typer.echo("Stopped.", err=True)
            status = 0
        except Exception:  # not 1, which says that a flow run was left alone
            traceback.print_exc()
    raise typer.Exit(status)


def main() -> None:
    """Run the command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _prefect_api_url(stack: ExitStack, console: Console) -> str:
    """Return the Prefect API that is set, or that of a server which is started for as long as `stack` lasts."""
    configured = _configured_api_url()
    return configured or _own_prefect_api_url(stack, console, because=" (PREFECT_API_URL is not set)")


def _own_prefect_api_url(stack: ExitStack, console: Console, because: str = "") -> str:
    """Return the Prefect API of a server which is started for as long as `stack` lasts."""
    from .demo.servers import PrefectServer

    console.print(f"Starting a Prefect server{because} …")
    return stack.enter_context(PrefectServer()).api_url


def _configured_api_url() -> str:
    """Return what `PREFECT_API_URL` says, in the environment or in the profile; empty where it is not set."""
    from prefect.settings import PREFECT_API_URL

    return str(PREFECT_API_URL.value() or "")


def _run_child(command: list[str], environment: dict[str, str]) -> int:
    """Run the user's side, and see it end: interrupted, it cancels its Databricks run first.

    In its own session, a Ctrl-C in the terminal reaches it once, from here, and does not disturb that.
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
