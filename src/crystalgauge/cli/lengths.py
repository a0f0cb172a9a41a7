"""``crystalgauge lengths``: the length distribution with the crystals that the border cuts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from crystalgauge.measure import Estimate
    from crystalgauge.pipeline.visible_lengths import Lengths

PER = 1e6
"""Of µm² in mm², or px² in a million."""


def lengths(
    results: Annotated[Path, typer.Argument(help="Result folder of measure.", metavar="RESULTS")],
    out: Annotated[
        Path | None, typer.Option(help="The same as a table.", metavar="FILE.csv")
    ] = None,
) -> None:
    """Print the lengths of needles, those that the border cuts kept as censored data.

    By maximum likelihood with a log-normal distribution and by classes, each with its 95 %
    interval over the pictures, and beside them what the frame weights of whole crystals give.
    """
    from crystalgauge.cli.tables import print_table
    from crystalgauge.measure.length_figures import NAMES
    from crystalgauge.pipeline.visible_lengths import LEAST_ELONGATION, read_lengths

    found = read_lengths(results)
    if found.elongation < LEAST_ELONGATION:
        typer.echo(
            f"warning: crystals are {found.elongation:.1f} times as long as wide; the direction of "
            f"cut ones can be told from {LEAST_ELONGATION:g} on. Trust the frame weights",
            err=True,
        )
    if found.uncalibrated:
        number = f"{found.uncalibrated} picture{'' if found.uncalibrated == 1 else 's'}"
        typer.echo(
            f"warning: {number} without a pixel size left out; to count all of them, measure with "
            "--pixel-size",
            err=True,
        )
    symbol, area = ("µm", "mm²") if found.unit == "um" else ("px", "Mpx")
    titles = ("estimate", *(f"x{q}" for q in (10, 50, 90)), "D[4,3]", f"per {area}")
    rows = [("whole, weighted", *(f"{value:.4g}" for value in found.weighted))]
    for fit in found.fits:
        cells = [_shown(fit.figures[n], PER if n == "number_per_area" else 1.0) for n in NAMES]
        rows.append((f"cut ones kept, {fit.form}", *cells))
    first = found.fits[0]
    pictures = f"{first.n_pictures} picture{'' if first.n_pictures == 1 else 's'}"
    print_table(
        titles,
        rows,
        f"lengths in {symbol}; {first.n_crystals} crystals show {found.least:.3g} {symbol} or "
        f"more, the border cuts {first.n_cut}; {pictures}",
    )
    if out is not None:
        _write(found, out)


def _shown(estimate: Estimate, factor: float) -> str:
    value = f"{factor * (estimate.value or 0):.4g}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({factor * estimate.low:.3g} to {factor * estimate.high:.3g})"


def _write(found: Lengths, out: Path) -> None:
    import polars as pl

    from crystalgauge.io import replacing

    rows = [
        {
            "form": fit.form, "figure": name, "unit": _unit(name, found.unit),
            **{
                end: value and value * (PER if name == "number_per_area" else 1.0)
                for end, value in vars(estimate).items()
            },
            "n_pictures": fit.n_pictures, "n_crystals": fit.n_crystals, "n_cut": fit.n_cut,
            "least_length": found.least,
        }
        for fit in found.fits
        for name, estimate in fit.figures.items()
    ]  # fmt: skip
    with replacing(out) as file:
        pl.DataFrame(rows).write_csv(file, float_precision=6)
    typer.echo(f"table: {out}")


def _unit(name: str, unit: str) -> str:
    return unit if name != "number_per_area" else "1/mm2" if unit == "um" else "1/Mpx"
