"""The end of a command that could not find out what it was asked for."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def ends_with_2() -> Iterator[None]:
    """End the command with 2 if anything is raised: 0 and 1 are answers.

    An error that says what to do is printed as it is, and anything else with its traceback.
    """
    from .errors import DatabricksError

    try:
        yield
    except DatabricksError as error:
        typer.echo(str(error), err=True)
    except Exception:
        traceback.print_exc()
    else:
        return
    raise typer.Exit(2)
