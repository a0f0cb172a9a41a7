"""The degree of agglomeration of a batch, as a table of its page."""

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
