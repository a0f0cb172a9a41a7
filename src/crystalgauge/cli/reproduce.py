"""``crystalgauge reproduce``: a published table, made again; one command a paper."""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crystalgauge.cli import exit_codes
from crystalgauge.cli.options import parse_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESULTS = Path("docs") / "results"
IMAGES = Path("docs") / "images"

reproduce = typer.Typer(
    help="Train what a budget allows, score it, write a paper's tables again.",
    epilog="What is done is kept: the same command goes on where it stopped.",
    no_args_is_help=True,
)


class Budget(StrEnum):
    """What may be spent."""

    SMOKE = "smoke"
    CPU = "cpu"
    GPU = "gpu"


Out = Annotated[Path, typer.Option(help="Folder for sets, trainings and results.", metavar="DIR")]
BudgetOption = Annotated[
    Budget,
    typer.Option(
        "--budget", help="smoke: minutes; cpu: an afternoon; gpu: as published, hours to days."
    ),
]
Table = Annotated[
    Path | None,
    typer.Option(help="Where the page goes; into docs/results, of smoke into the folder."),
]
Rows = Annotated[
    str, typer.Option(help="Rows to make, separated by commas; all of the budget if not.")
]
MinutesPerRow = Annotated[
    float | None,
    typer.Option(help="Longest training of a row; the budget's if not given.", min=0.01),
]
EngineOption = Annotated[
    str, typer.Option("--engine", help="What predicts: auto, onnxruntime, openvino or torch.")
]
Threads = Annotated[
    int | None, typer.Option(help="Threads of a prediction; all cores if not given.", min=1)
]


@reproduce.command()
def pcs(
    out: Out,
    budget: BudgetOption = Budget.SMOKE,
    table: Table = None,
    rows: Rows = "",
    number: Annotated[
        int | None, typer.Option("--n", help="Pictures of each variant of pcs-val.", min=1)
    ] = None,
    minutes_per_row: MinutesPerRow = None,
    imagenet_weights: Annotated[
        Path | None,
        typer.Option(help="ResNet-50, safetensors, names of torchvision; for gpu.", metavar="FILE"),
    ] = None,
    engine: EngineOption = "auto",
    threads: Threads = None,
    workers: Annotated[int, typer.Option(help="Processes that render.", min=1)] = 1,
) -> None:
    """Oriented detection of protein crystals, Table 1.

    Rows are row1 to row5 (S2A-Net), crystals (one magnification) and crystals-auto (as measure
    looks).
    """
    from crystalgauge.reproduce import reproduce_pcs

    _write(
        reproduce_pcs, out, budget, table=_page(table, budget, "pcs.md"),
        rows=parse_names(rows) or None, pictures=number, minutes_per_row=minutes_per_row,
        imagenet_weights=imagenet_weights, engine=engine, threads=threads, workers=workers,
    )  # fmt: skip


@reproduce.command("pcs-monitoring")
def pcs_monitoring(
    out: Out,
    budget: BudgetOption = Budget.SMOKE,
    table: Table = None,
    number: Annotated[
        int | None, typer.Option("--n", help="Pictures of each sample.", min=1)
    ] = None,
    engine: EngineOption = "auto",
    threads: Threads = None,
) -> None:
    """Batches of protein crystals over time."""
    from crystalgauge.reproduce import reproduce_monitoring

    _write(
        reproduce_monitoring, out, budget, table=_page(table, budget, "pcs-monitoring.md"),
        pictures=number, engine=engine, threads=threads,
    )  # fmt: skip


@reproduce.command()
def aperture(
    out: Out,
    budget: BudgetOption = Budget.SMOKE,
    table: Table = None,
    rows: Rows = "",
    focus_pictures: Annotated[
        Path | None, typer.Option(help="Folder with in_focus and out_of_focus.", metavar="DIR")
    ] = None,
    threads: Threads = None,
) -> None:
    """Focus classifier and learned aperture."""
    from crystalgauge.reproduce import reproduce_aperture

    _write(
        reproduce_aperture, out, budget, table=_page(table, budget, "aperture.md"),
        figure=_page(None, budget, "aperture.png", IMAGES) if table is None else None,
        rows=parse_names(rows) or None, focus_pictures=focus_pictures, threads=threads,
    )  # fmt: skip


@reproduce.command()
def agglomeration(
    out: Out,
    budget: BudgetOption = Budget.SMOKE,
    table: Table = None,
    rows: Rows = "",
    number: Annotated[
        int | None, typer.Option("--n", help="Most test pictures of each substance.", min=1)
    ] = None,
    minutes_per_row: MinutesPerRow = None,
    engine: EngineOption = "auto",
    threads: Threads = None,
) -> None:
    """Agglomerates by focus, Tables I and II."""
    from crystalgauge.reproduce import reproduce_agglomeration

    _write(
        reproduce_agglomeration, out, budget,
        table=_page(table, budget, "agglomeration-contest.md"),
        rows=parse_names(rows) or None, pictures=number, minutes_per_row=minutes_per_row,
        engine=engine, threads=threads,
    )  # fmt: skip


def _page(given: Path | None, budget: Budget, name: str, folder: Path = RESULTS) -> Path | None:
    """Return where a file goes; None, which is the results' folder, for a budget of minutes."""
    return given if given is not None or budget is Budget.SMOKE else folder / name


def _write(make: Callable[..., Path], out: Path, budget: Budget, /, **options: Any) -> None:
    """Make a paper's page behind a progress bar and say where it is."""
    with _progress() as report:
        written = make(out, budget.value, progress=report, **options)
    typer.echo(f"table: {written}")


@contextmanager
def _progress() -> Iterator[Callable[[float, str], None]]:
    """Show a bar; the body reports its share, 0 to 1, and what it is doing."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    console = Console(stderr=True)
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False))
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=1.0)
            yield lambda share, words: bar.update(task, completed=share, description=words)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from there", err=True)
        raise typer.Exit(exit_codes.INTERRUPTED) from None
