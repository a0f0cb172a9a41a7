"""``crystalgauge simulate``: pictures with their truth."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalgauge.cli import exit_codes

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_PICTURES = 10
"""Fewer say nothing of a rate: with the first one kernels are loaded, or even compiled."""

MEASURED_AFTER_S = 10.0
"""The rate is measured from the first picture made until this long after, then projected."""

WORTH_SAYING_S = 60.0
"""Shorter work needs no projection."""


class Form(StrEnum):
    """How a data set is written."""

    PICTURES = "pictures"
    SHARDS = "shards"


def simulate(
    regime: Annotated[
        str,
        typer.Argument(help="Kind: suspension, drop, blank, pcs, growth, agglomerates or zstack."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for pictures and truth.", metavar="DIR")],
    number: Annotated[int, typer.Option("--n", help="Number of pictures.", min=1)] = 10,
    size: Annotated[int, typer.Option(help="Height and width in px.", min=32)] = 384,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.", min=0)] = 0,
    workers: Annotated[int, typer.Option(help="Processes that render.", min=1)] = 1,
    form: Annotated[
        Form, typer.Option("--as", help="PNG with COCO truth, or packed shards for training.")
    ] = Form.PICTURES,
) -> None:
    """Render pictures of crystals with their truth in truth.coco.json.

    The same command again renders only what is missing. More than 10 000 pictures become several
    sets, each in a folder of its own. A zstack is a TIFF of 31 planes through focus, of nuclei and
    of crystals in turn, with the focal plane and each plane's distance from it in truth.json.
    """
    from rich.console import Console

    from crystalgauge.cli.measure_progress import progress_bar

    try:
        with progress_bar(Console(stderr=True)) as bar:
            task = bar.add_task("Rendering", total=number, note="")
            project = Projection(number, bar.console.print)

            def count(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)
                project(done)

            written = _write(regime, out, number, size, seed, workers, form, count)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from there", err=True)
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    typer.echo(f"{number} pictures with their truth: {written}")


def _write(
    regime: str,
    out: Path,
    number: int,
    size: int,
    seed: int,
    workers: int,
    form: Form,
    count: Callable[[int, int], None],
) -> Path:
    """Write the data set and return what to look at."""
    if regime == "zstack":
        return _write_stacks(out, number, size, seed, form, count)
    _check_regime(regime)
    if form is Form.SHARDS:
        from crystalgauge.datasets.shards import PICTURES_PER_SHARD, write_shards

        def shards_done(done: int, _: int) -> None:
            count(min(done * PICTURES_PER_SHARD, number), number)

        write_shards(
            out, number, size=size, seed=seed, regime=regime, workers=workers, progress=shards_done
        )
        return out
    from crystalgauge.datasets.writer import write_large_dataset

    truths = write_large_dataset(
        out, number, size=size, seed=seed, regime=regime, workers=workers, progress=count
    )
    return truths[0] if len(truths) == 1 else out


def _check_regime(regime: str) -> None:
    from crystalgauge.core import ArgumentError
    from crystalgauge.datasets.synthetic import REGIMES

    if regime not in REGIMES:
        known = ", ".join(sorted([*REGIMES, "zstack"]))
        raise ArgumentError(f"unknown regime {regime!r}; known are {known}")


def _write_stacks(
    out: Path, number: int, size: int, seed: int, form: Form, count: Callable[[int, int], None]
) -> Path:
    """Write stacks through focus and return their truth."""
    from crystalgauge.core import ArgumentError
    from crystalgauge.datasets.stacks import write_stacks

    if form is Form.SHARDS:
        raise ArgumentError("stacks are written as TIFF alone; leave out --as shards")
    return write_stacks(out, number, size=size, seed=seed, progress=count)


class Projection:
    """Say once, from a measured rate, how long the whole will take.

    Parameters
    ----------
    total
        Pictures wanted.
    say
        Called with the sentence.
    clock
        Seconds; rises.
    """

    def __init__(
        self, total: int, say: Callable[[str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total, self._say, self._clock = total, say, clock
        self._start: tuple[int, float] | None = None
        self._said = False

    def __call__(self, done: int) -> None:
        """Take note of the number of pictures there.

        Parameters
        ----------
        done
            Pictures there, those of earlier runs included.
        """
        now = self._clock()
        if self._start is None:
            self._start = done, now
            return
        made, passed = done - self._start[0], now - self._start[1]
        if self._said or passed < MEASURED_AFTER_S or made < LEAST_PICTURES:
            return
        self._said = True
        rate = made / passed
        left = (self._total - done) / rate
        if left >= WORTH_SAYING_S:
            self._say(
                f"{rate:.1f} pictures/s measured: the {self._total - done} pictures left take "
                f"about {_spoken(left)}"
            )


def _spoken(seconds: float) -> str:
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 2 * 86400 else f"{seconds / 86400:.1f} days"
