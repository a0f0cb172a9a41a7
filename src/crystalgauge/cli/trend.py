"""``crystalgauge trend``: how a watched process went, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalgauge.cli import exit_codes
from crystalgauge.cli.options import AlarmList, CusumH, CusumK, Reference, parse_pool

if TYPE_CHECKING:
    from crystalgauge.monitor import Trend


def trend(
    store: Annotated[
        str,
        typer.Argument(help="Store of crystalgauge watch: a file or an address.", metavar="STORE"),
    ],
    out: Annotated[Path, typer.Option(help="The page.", metavar="FILE")] = Path("trend.html"),
    alarm: AlarmList = None,
    cusum: Annotated[
        list[str] | None,
        typer.Option(help="Figure whose drift is looked for; number-weighted D50 if not given."),
    ] = None,
    cusum_k: CusumK = 0.5,
    cusum_h: CusumH = 5.0,
    reference: Reference = 20,
    pool: Annotated[
        str,
        typer.Option(help="Pictures of one sample for the kinetics: auto, or a time as 10min."),
    ] = "auto",
    least_size: Annotated[
        float | None,
        typer.Option(help="Size from which every crystal is found, um (px without pixel size)."),
    ] = None,
    kinetics: Annotated[
        Path | None,
        typer.Option(help="Table of the kinetics, one row per sample.", metavar="FILE.csv"),
    ] = None,
) -> None:
    """Write a page with the trends of a watched process, its alarms and its kinetics.

    The store may be written to meanwhile.
    """
    from crystalgauge.monitor import Cusum, parse_threshold, write_trend

    thresholds = [parse_threshold(text) for text in alarm or []]
    cusums = [Cusum(name, cusum_k, cusum_h, reference) for name in cusum or [""]]
    shown = write_trend(
        store,
        out,
        thresholds=thresholds,
        cusums=cusums,
        pool_h=parse_pool(pool),
        least_size=least_size,
    )
    _report(shown)
    whole = kinetics is None or _write_kinetics(shown, kinetics)
    typer.echo(f"trend: {out}")
    if not len(shown.pictures):
        raise typer.Exit(exit_codes.NOTHING_DONE)
    raise typer.Exit(exit_codes.OK if whole else exit_codes.SOME_FAILED)


def _write_kinetics(shown: Trend, path: Path) -> bool:
    """Write the table and tell whether there is one."""
    from crystalgauge.io import replacing

    found = shown.kinetics
    if found is None or found.kinetics is None:
        why = found.reason if found else "there is no measured picture"
        typer.echo(f"no table of kinetics: {why}", err=True)
        return False
    with replacing(path) as file:
        found.table().write_csv(file, float_precision=6)
    typer.echo(f"kinetics: {path}")
    return True


def _report(shown: Trend) -> None:
    number, failed = len(shown.pictures), sum(file.status == "failed" for file in shown.files)
    for alarm in shown.alarms:
        state = "stands" if alarm.last == number - 1 else "over"
        typer.echo(f"alarm ({state}): {alarm.rule}, from {shown.names()[alarm.first]}")
    lost = f", {failed} failed" if failed else ""
    alarms = f"{len(shown.alarms)} alarm{'' if len(shown.alarms) == 1 else 's'}"
    typer.echo(f"{number} picture{'' if number == 1 else 's'}{lost}, {alarms}")
