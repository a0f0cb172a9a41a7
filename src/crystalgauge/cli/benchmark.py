"""``crystalgauge benchmark``: the sets that models are compared on."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crystalgauge.cli import exit_codes


class Name(StrEnum):
    """The sets."""

    PCS_VAL = "pcs-val"
    PCS_PATH = "pcs-path"
    AGGLOMERATES_PATH = "agglomerates-path"


def benchmark(
    name: Annotated[
        Name, typer.Argument(help="Which set.", metavar="pcs-val|pcs-path|agglomerates-path")
    ],
    out: Annotated[Path, typer.Option(help="Folder for pictures and truth.", metavar="DIR")],
    number: Annotated[
        int | None,
        typer.Option("--n", help="The first so many pictures; 1000, or all shipped.", min=1),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that render.", min=1)] = 1,
) -> None:
    """Write a benchmark set: pictures that no training sees, with their truth.

    pcs-val goes to DIR/clean and DIR/augmented. Two sets are path traced and shipped: pcs-path goes
    to DIR/path-traced, agglomerates-path to DIR/ammonium-perchlorate and DIR/sugar. Every protein
    crystal counts; the entry fair tells which ones can be made out. Agglomerates have the entries
    agglomerated, and ignore where a crystal has no class. The same command again makes only what
    is missing.
    """
    from rich.console import Console

    from crystalgauge.cli.measure_progress import progress_bar
    from crystalgauge.datasets.benchmark_sets import write_benchmark

    try:
        with progress_bar(Console(stderr=True)) as bar:
            task = bar.add_task("Writing", total=number, note="")

            def count(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            truths = write_benchmark(name.value, out, number, workers=workers, progress=count)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from there", err=True)
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    for truth in truths:
        typer.echo(f"{name}: {truth}")
