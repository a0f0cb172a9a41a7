"""``crystalgauge reproduce``: a published table, made again."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crystalgauge.cli import exit_codes
from crystalgauge.cli.options import parse_names

RESULTS = Path("docs") / "results"


class Paper(StrEnum):
    """Papers whose table can be made again."""

    PCS = "pcs"
    PCS_MONITORING = "pcs-monitoring"


class Budget(StrEnum):
    """What may be spent."""

    SMOKE = "smoke"
    CPU = "cpu"
    GPU = "gpu"


def reproduce(
    paper: Annotated[
        Paper,
        typer.Argument(
            help="pcs: synthetic protein crystals, Table 1; pcs-monitoring: its batches over time.",
            metavar="pcs|pcs-monitoring",
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
        str, typer.Option(help="Rows to make, such as row5,crystals; all of the budget if not.")
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
    from crystalgauge.reproduce import reproduce_monitoring, reproduce_pcs

    trains = paper is Paper.PCS
    if not trains and (rows or minutes_per_row is not None or imagenet_weights is not None):
        raise ArgumentError(
            "--rows, --minutes-per-row and --imagenet-weights are of the paper pcs; "
            f"{paper} trains nothing, leave them out"
        )
    if table is None and budget is not Budget.SMOKE:
        table = RESULTS / f"{paper}.md"
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
