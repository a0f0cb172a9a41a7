"""``crystalgauge watch``: pictures measured and stored as an instrument drops them."""

from __future__ import annotations

import contextlib
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crystalgauge.cli import exit_codes
from crystalgauge.cli.options import (
    AlarmList,
    Channel,
    Correction,
    CusumH,
    CusumK,
    EngineName,
    MaxBlur,
    MaxCrystalBlur,
    MinFocus,
    MinScore,
    ModelName,
    ParticleKind,
    PixelSize,
    Reference,
    ScaleList,
    parse_scales,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crystalgauge.monitor import WatchRecord


def watch(
    folder: Annotated[
        Path, typer.Argument(help="Folder that an instrument writes to.", metavar="DIR")
    ],
    store: Annotated[
        str,
        typer.Option(
            help="Database: sqlite:///run.db or postgresql://user@host/name.", metavar="URL"
        ),
    ],
    pixel_size: PixelSize = None,
    pattern: Annotated[
        str | None,
        typer.Option(help="File names to take, such as '*.tif'; all that can be read if not."),
    ] = None,
    time_from: Annotated[
        str,
        typer.Option(
            help="Time of a picture: auto, exif, mtime, or a pattern such as %Y%m%d-%H%M%S."
        ),
    ] = "auto",
    once: Annotated[
        bool, typer.Option("--once", help="End when the pictures that are there are measured.")
    ] = False,
    settle: Annotated[
        float, typer.Option(help="Seconds a file must stay the same before it is read.", min=0)
    ] = 1.0,
    model: ModelName = "crystals",
    min_score: MinScore = None,
    scales: ScaleList = "auto",
    channel: Channel = None,
    engine: EngineName = "auto",
    frame_correction: Correction = "miles-lantuejoul",
    particles: ParticleKind = "crystals",
    max_crystal_blur: MaxCrystalBlur = None,
    min_focus: MinFocus = 0.0,
    max_blur: MaxBlur = 3.0,
    alarm: AlarmList = None,
    cusum: Annotated[
        list[str] | None, typer.Option(help="Figure whose drift raises an alarm; repeatable.")
    ] = None,
    cusum_k: CusumK = 0.5,
    cusum_h: CusumH = 5.0,
    reference: Reference = 20,
) -> None:
    """Measure pictures as they come into a folder and store them, one transaction each.

    An alarm is printed and stored once, when it happens.

    Ctrl-C finishes the picture at hand and ends. Stopped or killed at any moment, the same command
    goes on where it was: no picture is lost and none is stored twice.
    """
    from crystalgauge.cli.watch_progress import watch_progress
    from crystalgauge.core import parse_pixel_size
    from crystalgauge.monitor import Cusum, parse_threshold, watch_folder
    from crystalgauge.pipeline import Settings

    settings = Settings(
        model=model,
        engine=engine,  # type: ignore[arg-type]  # the engine names the choices when it is wrong
        scales=parse_scales(scales),
        min_score=min_score,
        pixel_size=None if pixel_size is None else parse_pixel_size(pixel_size),
        channel=int(channel) if channel and channel.isdecimal() else channel,
        frame_correction=frame_correction,  # type: ignore[arg-type]  # checked by the settings
        min_focus=min_focus,
        max_blur_px=max_blur,
        particles=particles,  # type: ignore[arg-type]  # checked by the settings
        max_crystal_blur_px=max_crystal_blur,
    )
    thresholds = [parse_threshold(text) for text in alarm or []]
    cusums = [Cusum(name, cusum_k, cusum_h, reference) for name in cusum or []]
    stop = threading.Event()
    count = _Count()
    with watch_progress() as shown, _ending_gently(stop):
        records = watch_folder(
            folder,
            store,
            settings,
            pattern=pattern,
            time_from=time_from,
            once=once,
            settle_s=settle,
            stop=stop,
            on_progress=shown.progress,
            thresholds=thresholds,
            cusums=cusums,
        )
        shown.begin(str(folder))
        for record in records:
            count.add(record)
            shown.record(record)
            for raised in record.alarms:
                typer.echo(str(raised))
    typer.echo(count.words())
    raise typer.Exit(_status(count, stopped=once and stop.is_set()))


@dataclass
class _Count:
    """What a run did."""

    ok: int = 0
    failed: int = 0
    duplicate: int = 0
    out_of_focus: int = 0
    crystals: int = 0
    alarms: int = 0

    def add(self, record: WatchRecord) -> None:
        name = record.status.replace(" ", "_")
        setattr(self, name, getattr(self, name) + 1)
        self.alarms += len(record.alarms)
        if record.measurement is not None:
            self.crystals += len(record.measurement.crystals)

    def words(self) -> str:
        pictures = f"{self.ok} picture{'' if self.ok == 1 else 's'}"
        lost = f", {self.failed} failed" if self.failed else ""
        twice = f", {self.duplicate} there already" if self.duplicate else ""
        unsharp = f", {self.out_of_focus} left out as out of focus" if self.out_of_focus else ""
        rang = f", {self.alarms} alarm{'' if self.alarms == 1 else 's'}" if self.alarms else ""
        return f"{self.crystals} crystals in {pictures}{twice}{lost}{unsharp}{rang}"


def _status(count: _Count, *, stopped: bool) -> int:
    if stopped:
        return exit_codes.INTERRUPTED
    if count.failed:
        return exit_codes.SOME_FAILED if count.ok else exit_codes.NOTHING_DONE
    return exit_codes.OK


@contextlib.contextmanager
def _ending_gently(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the run after the picture at hand, a second one at once."""

    def handle(number: int, _frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        if number == signal.SIGINT:
            typer.echo("stopping after the picture at hand; Ctrl-C again ends at once", err=True)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("stopped; stored pictures are kept, the same command goes on", err=True)
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
