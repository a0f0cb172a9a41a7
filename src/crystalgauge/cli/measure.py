"""``crystalgauge measure``: pictures in, a result folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalgauge.cli import exit_codes
from crystalgauge.cli.options import (
    Channel,
    Correction,
    EngineName,
    MaxBlur,
    MaxCrystalBlur,
    MinFocus,
    MinScore,
    ModelName,
    ParticleKind,
    PixelSize,
    ScaleList,
    parse_names,
    parse_scales,
)

if TYPE_CHECKING:
    from crystalgauge.pipeline import BatchResult

HEAD_ROWS = 8


def measure(
    paths: Annotated[
        list[str], typer.Argument(help="Pictures, folders or glob patterns.", metavar="PATHS...")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results.", metavar="DIR")],
    pixel_size: PixelSize = None,
    model: ModelName = "crystals",
    min_score: MinScore = None,
    scales: ScaleList = "auto",
    export: Annotated[
        str, typer.Option(help="More annotation formats, such as geojson,imagej,yolo-seg.")
    ] = "",
    channel: Channel = None,
    frame_correction: Correction = "miles-lantuejoul",
    particles: ParticleKind = "crystals",
    max_crystal_blur: MaxCrystalBlur = None,
    colour: Annotated[
        str, typer.Option(help="What the overlays' colours tell: score or agglomerates.")
    ] = "score",
    engine: EngineName = "auto",
    min_focus: MinFocus = 0.0,
    max_blur: MaxBlur = 3.0,
    workers: Annotated[int, typer.Option(help="Processes that measure.", min=1)] = 1,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Measure everything anew; replace foreign files.")
    ] = False,
) -> None:
    """Measure the crystals in pictures.

    Writes crystals.csv, crystals.parquet, agglomerates.csv, crystals.coco.json, images.csv,
    overlays/, report.html and provenance.json. A picture that fails is listed and the others go on;
    the same command again measures only what is new, failed or changed.
    """
    from crystalgauge.cli.measure_progress import batch_progress
    from crystalgauge.core import parse_pixel_size
    from crystalgauge.pipeline import Settings, measure_batch

    settings = Settings(
        model=model,
        engine=engine,  # type: ignore[arg-type]  # the engine names the choices when it is wrong
        scales=parse_scales(scales),
        min_score=min_score,
        pixel_size=None if pixel_size is None else parse_pixel_size(pixel_size),
        channel=int(channel) if channel and channel.isdecimal() else channel,
        frame_correction=frame_correction,  # type: ignore[arg-type]  # checked by the settings
        colour=colour,  # type: ignore[arg-type]  # checked by the settings
        min_focus=min_focus,
        max_blur_px=max_blur,
        particles=particles,  # type: ignore[arg-type]  # checked by the settings
        max_crystal_blur_px=max_crystal_blur,
    )
    try:
        with batch_progress() as on_progress:
            result = measure_batch(
                paths,
                out,
                settings=settings,
                exports=parse_names(export),
                workers=workers,
                overwrite=overwrite,
                on_progress=on_progress,
            )
    except KeyboardInterrupt:
        typer.echo(
            "stopped; finished pictures are kept, the same command goes on from there", err=True
        )
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    _report(result)
    raise typer.Exit(_status(result))


def _status(result: BatchResult) -> int:
    if result.measured == 0:
        return exit_codes.NOTHING_DONE
    return exit_codes.SOME_FAILED if result.failed else exit_codes.OK


def _report(result: BatchResult) -> None:
    """Print the head of the table and where the rest is."""
    import polars as pl

    from crystalgauge.cli.tables import print_frame

    for entry in result.entries:
        if not entry.ok:
            said = entry.record.message.removeprefix("out of focus: ")
            typer.echo(f"{entry.record.status}: {entry.name.shown}: {said}", err=True)
    number = sum(entry.record.crystals for entry in result.entries)
    if number:
        head = (
            pl.scan_parquet(result.out / "crystals.parquet", glob=False).head(HEAD_ROWS).collect()
        )
        print_frame(head, rest=number - len(head))
    pictures = f"{result.measured} picture{'' if result.measured == 1 else 's'}"
    lost = f", {result.failed} failed" if result.failed else ""
    again = f" ({result.resumed} from an earlier run)" if result.resumed else ""
    unsharp = f", {result.left_out} left out as out of focus" if result.left_out else ""
    typer.echo(f"{number} crystals in {pictures}{again}{lost}{unsharp}")
    typer.echo(f"report: {result.out / 'report.html'}")
