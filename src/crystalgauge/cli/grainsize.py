"""``crystalgauge grainsize``: the ASTM grain-size number of measured pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LEAST_COVERED = 0.9


def grainsize(
    results: Annotated[
        Path, typer.Argument(help="Result folder of measure, with pixel sizes.", metavar="RESULTS")
    ],
) -> None:
    """Print the ASTM E112 grain-size number of grains that fill the pictures.

    By counting grains, and by intercepts on lines and on circles, each with its 95 % interval over
    the pictures, and the largest grain (E930).
    """
    from crystalgauge.cli.tables import print_table
    from crystalgauge.measure.grain_size import (
        circular_intercept,
        covered_part,
        largest_grain,
        lineal_intercept,
        planimetric,
    )
    from crystalgauge.pipeline.grain_fields import read_fields

    named = read_fields(results)
    fields = list(named.values())
    covered = sum(map(covered_part, fields)) / len(fields)
    if covered < LEAST_COVERED:
        typer.echo(
            f"warning: grains cover {100 * covered:.0f} % of the pictures; grain-size numbers are "
            "for grains that fill them",
            err=True,
        )
    found = [planimetric(fields), lineal_intercept(fields), circular_intercept(fields)]
    titles = ("method", "G", "95 % interval", "grains per mm²", "intercept in µm", "counted")
    rows = []
    for each in found:
        planar = each.method == "planimetric"
        interval = "" if each.n_fields == 1 else f"{each.low:.2f} to {each.high:.2f}"
        means = (f"{each.mean:.4g}", "") if planar else ("", f"{1e3 * each.mean:.4g}")
        rows.append((each.method, f"{each.number:.2f}", interval, *means, f"{each.counted:g}"))
    pictures = f"{len(fields)} picture{'' if len(fields) == 1 else 's'}"
    one = "; an interval takes two or more" if len(fields) == 1 else ""
    print_table(titles, rows, f"{pictures}{one}")
    largest = largest_grain(fields)
    if largest is not None:
        more = "; a grain that the border cuts is larger" if largest.cut_is_larger else ""
        typer.echo(
            f"largest grain: G = {largest.number:.2f}, {1e6 * largest.area_mm2:.4g} µm², "
            f"crystal {largest.grain + 1} of {list(named)[largest.field]}{more}"
        )
