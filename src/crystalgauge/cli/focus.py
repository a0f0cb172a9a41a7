"""``crystalgauge focus``: how sharp pictures are, tile by tile."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalgauge.cli import exit_codes
from crystalgauge.cli.options import Channel, PixelSize  # noqa: TC001 (typer)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crystalgauge.focus import StackFocus
    from crystalgauge.pipeline.focus_batch import FocusBatch

SHOWN_ROWS = 40


def focus(
    paths: Annotated[
        list[str], typer.Argument(help="Pictures, folders or glob patterns.", metavar="PATHS...")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR")],
    max_blur: Annotated[
        float, typer.Option(help="Blur of edges up to which a tile is in focus, px.", min=0.01)
    ] = 3.0,
    min_share: Annotated[
        float,
        typer.Option(help="Share of the tiles in focus from which a picture is.", min=0, max=1),
    ] = 0.9,
    stack: Annotated[
        bool, typer.Option("--stack", help="The pictures are planes of one stack: find the best.")
    ] = False,
    fuse: Annotated[
        bool, typer.Option("--fuse", help="Make one sharp picture of a stack; implies --stack.")
    ] = False,
    pixel_size: PixelSize = None,
    channel: Channel = None,
) -> None:
    """Judge how sharp pictures are, tile by tile.

    Writes focus.csv (a row per picture with its verdict), focus-tiles.csv and the heat maps
    focus-maps/; of a stack also focus-stack.csv, and with --fuse fused.tif and fused-depth.tif.
    Blur is the standard deviation of the edges' blur in px, in um too where the pixel size is
    known. A picture that fails is listed and the others go on.
    """
    from crystalgauge.core import parse_pixel_size
    from crystalgauge.pipeline.focus_batch import FocusSettings, focus_batch
    from crystalgauge.pipeline.focus_stack import write_stack

    settings = FocusSettings(
        most_blur_px=max_blur,
        least_share=min_share,
        pixel_size=None if pixel_size is None else parse_pixel_size(pixel_size),
        channel=int(channel) if channel and channel.isdecimal() else channel,
    )
    try:
        with _progress() as on_progress:
            result = focus_batch(
                paths, out, settings=settings, keep_pictures=fuse, on_progress=on_progress
            )
    except KeyboardInterrupt as stopped:
        typer.echo(f"stopped; {stopped or 'no picture was judged'}", err=True)
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    _report(result)
    if stack or fuse:
        _report_stack(result, write_stack(result, fused=fuse))
    raise typer.Exit(_status(result))


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    from rich.console import Console

    from crystalgauge.cli.measure_progress import progress_bar

    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task("Judging", total=None, note="")

        def show(done: int, total: int, name: str) -> None:
            bar.update(task, total=total, completed=done, note=name)

        yield show


def _status(result: FocusBatch) -> int:
    if result.judged == 0:
        return exit_codes.NOTHING_DONE
    return exit_codes.SOME_FAILED if result.failed else exit_codes.OK


def _report(result: FocusBatch) -> None:
    from crystalgauge.cli.tables import print_table

    rows = []
    for entry in result.entries:
        found = entry.focus
        if found is None:
            typer.echo(f"failed: {entry.name.shown}: {entry.message}", err=True)
            continue
        known = found.judged > 0
        interval = f"{found.low_px:.1f} to {found.high_px:.1f}" if known else ""
        numbers = (f"{100 * found.share:.0f} %", f"{found.blur_px:.2f}") if known else ("", "")
        rows.append((entry.name.shown, found.verdict, *numbers, interval))
    if rows:
        titles = ("picture", "verdict", "in focus", "blur, px", "90 % interval")
        rest = len(rows) - SHOWN_ROWS
        print_table(titles, rows[:SHOWN_ROWS], f"... and {rest} more" if rest > 0 else "")
    lost = f", {result.failed} failed" if result.failed else ""
    plural = "" if result.judged == 1 else "s"
    typer.echo(f"{result.judged} picture{plural} judged{lost}; results in {result.out}")


def _report_stack(result: FocusBatch, found: StackFocus) -> None:
    if found.best is None:
        typer.echo("stack: no plane shows anything to judge by")
        return
    names = [entry.name.shown for entry in result.entries if entry.tiles is not None]
    blur = found.blur_px[found.best]
    typer.echo(f"stack: plane {found.best} ({names[found.best]}) is the best, blur {blur:.2f} px")
