"""The application: its commands, its options and how it ends."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from crystalgauge._version import __version__
from crystalgauge.cli import exit_codes
from crystalgauge.cli.benchmark import benchmark
from crystalgauge.cli.compare import compare
from crystalgauge.cli.evaluate import evaluate
from crystalgauge.cli.focus import focus
from crystalgauge.cli.grainsize import grainsize
from crystalgauge.cli.lengths import lengths
from crystalgauge.cli.measure import measure
from crystalgauge.cli.models import models
from crystalgauge.cli.reproduce import reproduce
from crystalgauge.cli.simulate import simulate
from crystalgauge.cli.train import train
from crystalgauge.cli.trend import trend
from crystalgauge.cli.watch import watch

if TYPE_CHECKING:
    from collections.abc import Sequence

_logger = logging.getLogger("crystalgauge")

app = typer.Typer(
    name="crystalgauge",
    help="Measure crystals in micrographs.",
    epilog="Exit status: 0 done, 1 some pictures failed, 2 no results, 130 stopped by Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    measure,
    focus,
    compare,
    grainsize,
    lengths,
    watch,
    trend,
    simulate,
    evaluate,
    models,
    train,
    benchmark,
):
    app.command()(_command)
app.add_typer(reproduce, name="reproduce")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crystalgauge {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", envvar="CRYSTALGAUGE_DEBUG", help="Log everything; show tracebacks."
        ),
    ] = False,
) -> None:
    """Measure crystals in micrographs."""
    level = logging.DEBUG if debug else logging.WARNING
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    _logger.setLevel(level)


def _refusal(error: Exception) -> str:
    """Return what the system refused to do with a file; empty when it was something else."""
    if not isinstance(error, OSError) or error.filename is None:
        return ""
    why = f"cannot use {str(error.filename)!r}: {error.strerror}"
    return f"{why}; check the name, or choose another folder"


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process.

    Parameters
    ----------
    arguments
        Words after the program's name; those of the process when None.
    """
    try:
        app(args=None if arguments is None else list(arguments), prog_name="crystalgauge")
    except Exception as error:
        from crystalgauge.core.errors import CrystalGaugeError  # brings numpy

        message = str(error) if isinstance(error, CrystalGaugeError) else _refusal(error)
        if not message or _logger.isEnabledFor(logging.DEBUG):
            raise
        typer.echo(f"error: {message}", err=True)
    sys.exit(exit_codes.NOTHING_DONE)
