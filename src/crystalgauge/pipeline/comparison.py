"""Groups of measured pictures compared: a table and a page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crystalgauge._version import __version__
from crystalgauge.io import replacing
from crystalgauge.measure.comparison import compare_groups
from crystalgauge.pipeline.comparison_page import comparison_page
from crystalgauge.pipeline.csv_cells import harmless
from crystalgauge.pipeline.measured_groups import (
    QUANTITIES,
    columns_of,
    common_unit,
    read_groups,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from crystalgauge.measure.comparison import Comparison
    from crystalgauge.measure.frame_correction import FrameCorrection
    from crystalgauge.pipeline.measured_groups import LengthUnit, MeasuredGroup


@dataclass(frozen=True, eq=False)
class GroupsCompared:
    """Groups and what was found.

    Parameters
    ----------
    groups
        As they were read.
    comparisons
        By the column compared.
    out
        Folder of ``compare.csv`` and ``compare.html``.
    """

    groups: tuple[MeasuredGroup, ...]
    comparisons: Mapping[str, Comparison]
    out: Path

    def table(self) -> pl.DataFrame:
        """Return one row per column and pair of groups."""
        import polars as pl

        return pl.DataFrame(
            [row for name, found in self.comparisons.items() for row in _rows(name, found)],
            infer_schema_length=None,
        )


def compare_results(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    columns: Sequence[str] = QUANTITIES,
    unit: LengthUnit | None = None,
    frame_correction: FrameCorrection = "miles-lantuejoul",
    include_border: bool = False,
    seed: int = 0,
) -> GroupsCompared:
    """Compare results of earlier measurements, every group with every other one.

    Parameters
    ----------
    paths
        Result folders of ``crystalgauge measure``, or tables of crystals (Parquet or CSV).
    out
        Folder for ``compare.csv`` and ``compare.html``.
    columns
        Quantities, with or without their unit.
    unit
        Of lengths; µm when None and every group has it.
    frame_correction
        ``miles-lantuejoul`` takes each crystal as often as its frame weight says, ``none`` once.
    include_border
        Take crystals at the border too, at the size of their outline; only without correction.
    seed
        Of everything drawn at random.

    Raises
    ------
    ArgumentError, CalibrationError, ReadError
        When groups cannot be read or compared; the text says why.
    WriteError
        When the system refuses.
    """
    groups = read_groups(paths, frame_correction=frame_correction, include_border=include_border)
    names = columns_of(groups, columns, common_unit(groups, unit))
    comparisons = {
        name: compare_groups({group.name: group.sample(name) for group in groups}, seed=seed)
        for name in names
    }
    result = GroupsCompared(groups, comparisons, Path(out))
    texts = [harmless("group_a"), harmless("group_b")]
    with replacing(result.out / "compare.csv") as file:
        result.table().with_columns(texts).write_csv(file, float_precision=6)
    facts = {
        "CrystalGauge": __version__,
        "Date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **{f"Group {group.name}": str(group.path.resolve()) for group in groups},
        "Frame correction": frame_correction,
        "Seed": str(seed),
    }
    with replacing(result.out / "compare.html", "w") as file:
        file.write(comparison_page(groups, comparisons, facts))
    return result


def _rows(name: str, found: Comparison) -> list[dict[str, object]]:
    rows = []
    for pair in found.pairs:
        row: dict[str, object] = {"column": name, "group_a": pair.first, "group_b": pair.second}
        for letter, group in (("a", pair.first), ("b", pair.second)):
            side = found.groups[group]
            row |= {
                f"pictures_{letter}": side.n_pictures,
                f"crystals_{letter}": side.n_crystals,
                f"median_{letter}": side.median,
                f"median_{letter}_low": side.low,
                f"median_{letter}_high": side.high,
            }
        row |= {
            "ks_statistic": pair.statistic,
            "ks_statistic_plain": pair.statistic_plain,
            "p_plain": pair.p_plain,
            "p_plain_holm": pair.p_plain_holm,
            "p_clustered": pair.p_clustered,
            "p_clustered_holm": pair.p_clustered_holm,
            "p_clustered_least": pair.least_p,
            "deals": pair.n_deals,
        }
        rows.append(row)
    return rows
