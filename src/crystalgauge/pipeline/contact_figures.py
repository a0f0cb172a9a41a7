"""The agglomerates of a batch: one row each, and a table of its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.pipeline.summary_figures import counted, estimate_cell
from crystalgauge.report import FigureRow, FigureTable

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("picture", "agglomerate_id", "contact_probability", "equivalent_diameter_px")
"""Of the crystal table."""


def agglomeration_tables(crystals: pl.LazyFrame) -> list[FigureTable]:
    """Return the figures of agglomeration; none where contacts were not judged.

    Parameters
    ----------
    crystals
        All crystals of a batch; those of pictures without a judgement are left out.
    """
    import polars as pl

    from crystalgauge.agglomeration import agglomeration_degree, heaps
    from crystalgauge.measure import define

    if not set(COLUMNS) <= set(crystals.collect_schema().names()):
        return []
    judged = crystals.select(COLUMNS).filter(pl.col("agglomerate_id").is_not_null()).collect()
    if not len(judged):
        return []
    pictures = judged.partition_by("picture", maintain_order=True)
    degree = agglomeration_degree([
        heaps(*(each[name].to_numpy() for name in COLUMNS[1:])) for each in pictures
    ])  # fmt: skip
    members = judged.filter(pl.col("agglomerate_id") > 0)
    found = members.select("picture", "agglomerate_id").n_unique()
    rows = [
        ("n_agglomerates", str(found)),
        ("n_agglomerated", str(len(members))),
        ("agglomeration_degree_number", estimate_cell(degree.number)),
        ("agglomeration_degree_volume", estimate_cell(degree.volume)),
    ]
    caption = (
        f"n = {counted('crystal', len(judged))} in {counted('picture', len(pictures))}; in "
        "brackets the 95 % interval. Crystals that only overlap at different depths do not count."
    )
    return [
        FigureTable(
            ["agglomeration"],
            [FigureRow(define(name).title, [cell], define(name).definition) for name, cell in rows],
            caption,
        )
    ]


def agglomerate_table(crystals: pl.LazyFrame) -> pl.LazyFrame | None:
    """Return one row per agglomerate; None where contacts were not judged.

    Parameters
    ----------
    crystals
        All crystals of a batch, with ``contact_length_px`` and ``agglomerate_diameter_px``.
    """
    import polars as pl

    names = crystals.collect_schema().names()
    if "agglomerate_id" not in names:
        return None
    calibrated = "equivalent_diameter_um" in names
    size = pl.col("equivalent_diameter_um") / pl.col("equivalent_diameter_px")
    pixel_size = [size.first().alias("pixel_size_um")] if calibrated else []
    rows = (
        crystals.filter(pl.col("agglomerate_id") > 0)
        .group_by("picture", "agglomerate_id", maintain_order=True)
        .agg(
            pl.len().alias("members"),
            (pl.col("contact_length_px").sum() / 2).alias("contact_length_px"),
            pl.col("agglomerate_diameter_px").first(),
            pl.col("touches_border").any(),
            *pixel_size,
        )
    )
    if not calibrated:
        return rows
    lengths = ("contact_length", "agglomerate_diameter")
    return rows.with_columns(
        (pl.col(f"{name}_px") * pl.col("pixel_size_um")).alias(f"{name}_um") for name in lengths
    ).drop("pixel_size_um")
