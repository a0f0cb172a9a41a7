"""``crystalgauge compare``: whether the crystals of two or more results are alike."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crystalgauge.cli.options import Correction, parse_names

if TYPE_CHECKING:
    from crystalgauge.pipeline.comparison import GroupsCompared


class Unit(StrEnum):
    """Of lengths."""

    UM = "um"
    PX = "px"


def compare(
    groups: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more result folders of measure, or tables of crystals (parquet, csv).",
            metavar="A B [C...]",
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for compare.csv and compare.html.", metavar="DIR")
    ] = Path("comparison"),
    columns: Annotated[
        str, typer.Option(help="Quantities, such as box_length,circularity; sizes if not given.")
    ] = "",
    unit: Annotated[
        Unit | None, typer.Option(help="Unit of lengths; um where every group has it.")
    ] = None,
    frame_correction: Correction = "miles-lantuejoul",
    include_border: Annotated[
        bool,
        typer.Option(
            "--include-border", help="Crystals at the border too; with --frame-correction none."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of all that is drawn at random.", min=0)] = 0,
) -> None:
    """Compare the crystals of measured groups of pictures.

    Each group is one run of measure. Writes compare.csv and the page compare.html: the
    distributions with bands, medians with intervals, and for each pair of groups how far apart
    they are and whether chance explains it, with crystals of one picture kept together.
    """
    from crystalgauge.pipeline.comparison import compare_results
    from crystalgauge.pipeline.measured_groups import QUANTITIES

    result = compare_results(
        groups,
        out,
        columns=parse_names(columns) or QUANTITIES,
        unit=None if unit is None else unit.value,
        frame_correction=frame_correction,  # type: ignore[arg-type]  # checked when groups are read
        include_border=include_border,
        seed=seed,
    )
    _report(result)


def _report(result: GroupsCompared) -> None:
    from crystalgauge.cli.tables import print_table

    rows = []
    for row in result.table().iter_rows(named=True):
        p = row["p_clustered_holm"]
        pair = f"{row['group_a']} / {row['group_b']}"
        medians = (f"{row['median_a']:.4g}", f"{row['median_b']:.4g}")
        tested = "" if p is None else f"{p:.4f}"
        rows.append((row["column"], pair, *medians, f"{row['ks_statistic']:.3f}", tested))
    print_table(("quantity", "groups", "median", "median", "D", "p by pictures"), rows)
    typer.echo(f"report: {result.out / 'compare.html'}")
