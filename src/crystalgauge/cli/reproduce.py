"""``crystalgauge reproduce``: a published table, made again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crystalgauge.cli import exit_codes
from crystalgauge.cli.options import parse_names

RESULTS = Path("docs") / "results"
IMAGES = Path("docs") / "images"


class Paper(StrEnum):
    """Papers whose table can be made again."""

    PCS = "pcs"
    PCS_MONITORING = "pcs-monitoring"
    APERTURE = "aperture"
    AGGLOMERATION = "agglomeration"


class Budget(StrEnum):
    """What may be spent."""

    SMOKE = "smoke"
    CPU = "cpu"
    GPU = "gpu"


def reproduce(
    paper: Annotated[
        Paper,
        typer.Argument(
            help="pcs: synthetic protein crystals, Table 1; pcs-monitoring: its batches over time; "
            "aperture: focus classifier and learned aperture; agglomeration: Tables I and II.",
            metavar="pcs|pcs-monitoring|aperture|agglomeration",
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for sets, trainings and results.", metavar="DIR")
    ],
    budget: Annotated[
        Budget, typer.Option(help="smoke: minutes; cpu: an afternoon; gpu: as published, days.")
    ] = Budget.SMOKE,
    table: Annotated[
        Path | None,
        typer.Option(help="Where the table goes; docs/results/PAPER.md, of smoke DIR/PAPER.md."),
    ] = None,
    rows: Annotated[
        str,
        typer.Option(
            help="Rows to make, such as row5,crystals or kernels; all of the budget if not."
        ),
    ] = "",
    number: Annotated[
        int | None,
        typer.Option("--n", help="Pictures of each variant of pcs-val, or of each sample.", min=1),
    ] = None,
    minutes_per_row: Annotated[
        float | None, typer.Option(help="Longest training of a row; 25 with cpu.", min=0.01)
    ] = None,
    imagenet_weights: Annotated[
        Path | None,
        typer.Option(help="ResNet-50, safetensors, names of torchvision; for gpu.", metavar="FILE"),
    ] = None,
    focus_pictures: Annotated[
        Path | None,
        typer.Option(help="Folder with in_focus and out_of_focus; for aperture.", metavar="DIR"),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="What predicts: auto, onnxruntime, openvino or torch.")
    ] = "auto",
    threads: Annotated[
        int | None, typer.Option(help="Threads of a prediction; all cores if not given.", min=1)
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that render.", min=1)] = 1,
) -> None:
    """Train what a budget allows, score it on the benchmark sets, write the paper's table again.

    Rows that are done are kept: the same command goes on where it stopped.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    from crystalgauge.core import ArgumentError
    from crystalgauge.reproduce import (
        reproduce_agglomeration,
        reproduce_aperture,
        reproduce_monitoring,
        reproduce_pcs,
    )

    trains = paper is Paper.PCS
    limited = trains or paper is Paper.AGGLOMERATION
    if not limited and minutes_per_row is not None:
        raise ArgumentError(f"--minutes-per-row is not of the paper {paper}; leave it out")
    if not trains and imagenet_weights is not None:
        raise ArgumentError("--imagenet-weights are of the paper pcs; leave them out")
    if paper is Paper.PCS_MONITORING and rows:
        raise ArgumentError(f"{paper} trains nothing; leave out --rows")
    if paper is Paper.APERTURE and number is not None:
        raise ArgumentError("the budget sets the number of pictures of aperture; leave out --n")
    if paper is not Paper.APERTURE and focus_pictures is not None:
        raise ArgumentError("--focus-pictures is of the paper aperture; leave it out")
    figure = IMAGES / f"{paper}.png" if table is None and budget is not Budget.SMOKE else None
    if table is None and budget is not Budget.SMOKE:
        contest = "-contest" if paper is Paper.AGGLOMERATION else ""  # its page is our graph's
        table = RESULTS / f"{paper}{contest}.md"
    console = Console(stderr=True)
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False))
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=1.0)

            def report(share: float, words: str) -> None:
                bar.update(task, completed=share, description=words)

            if trains:
                written = reproduce_pcs(
                    out,
                    budget.value,
                    table=table,
                    rows=parse_names(rows) or None,
                    pictures=number,
                    minutes_per_row=minutes_per_row,
                    imagenet_weights=imagenet_weights,
                    engine=engine,  # type: ignore[arg-type]  # the engine names the choices
                    threads=threads,
                    workers=workers,
                    progress=report,
                )
            elif paper is Paper.AGGLOMERATION:
                written = reproduce_agglomeration(
                    out,
                    budget.value,
                    table=table,
                    rows=parse_names(rows) or None,
                    pictures=number,
                    minutes_per_row=minutes_per_row,
                    engine=engine,  # type: ignore[arg-type]  # the engine names the choices
                    threads=threads,
                    progress=report,
                )
            elif paper is Paper.APERTURE:
                written = reproduce_aperture(
                    out,
                    budget.value,
                    table=table,
                    figure=figure,
                    rows=parse_names(rows) or None,
                    focus_pictures=focus_pictures,
                    threads=threads,
                    progress=report,
                )
            else:
                written = reproduce_monitoring(
                    out,
                    budget.value,
                    table=table,
                    pictures=number,
                    engine=engine,  # type: ignore[arg-type]  # the engine names the choices
                    threads=threads,
                    progress=report,
                )
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from there", err=True)
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    typer.echo(f"table: {written}")
