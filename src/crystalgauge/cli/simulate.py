"""``crystalgauge simulate``: pictures with their truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crystalgauge.cli import exit_codes


def simulate(
    regime: Annotated[str, typer.Argument(help="Kind of scene: suspension or blank.")],
    out: Annotated[Path, typer.Option(help="Folder for pictures and truth.", metavar="DIR")],
    number: Annotated[int, typer.Option("--n", help="Number of pictures.", min=1)] = 10,
    size: Annotated[int, typer.Option(help="Height and width in px.", min=32)] = 384,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes that render.", min=1)] = 1,
) -> None:
    """Render pictures of crystals with their truth in truth.coco.json.

    The same command again renders only what is missing.
    """
    from rich.console import Console

    from crystalgauge.cli.measure_progress import progress_bar
    from crystalgauge.datasets.writer import write_dataset

    try:
        with progress_bar(Console(stderr=True)) as bar:
            task = bar.add_task("Rendering", total=number, note="")
            truth = write_dataset(
                out,
                number,
                size=size,
                seed=seed,
                regime=regime,
                workers=workers,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from there", err=True)
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    typer.echo(f"{number} pictures with their truth: {truth}")
