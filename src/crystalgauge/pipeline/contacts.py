"""Contacts of a picture's crystals: blur along the edge, the graph, columns and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from crystalgauge.agglomeration import AgglomerationDegree
    from crystalgauge.core import Crystals, Micrograph
    from crystalgauge.predict import Predictor


COLUMNS = (
    "agglomerate_id",
    "agglomerated",
    "contact_probability",
    "contact_length_px",
    "agglomerate_diameter_px",
)
"""What the crystals gain."""


@dataclass(frozen=True, eq=False)
class Contacts:
    """What is known of the contacts in one picture.

    Parameters
    ----------
    crystals
        With `COLUMNS`, unless the blur of one is not known.
    figures
        By the names of the glossary.
    """

    crystals: Crystals
    figures: Mapping[str, float | int | None]


def with_edge_blur(micrograph: Micrograph, crystals: Crystals) -> Crystals:
    """Return the crystals with the blur along their edges, as contacts are judged by.

    Parameters
    ----------
    micrograph
        The picture.
    crystals
        Outlines in px of the picture, with ``defocus_px``.
    """
    from crystalgauge.focus import outline_blur

    blur = outline_blur(micrograph, crystals)
    return crystals.with_columns(
        edge_blur_lower_px=blur.lower_px,
        edge_blur_px=blur.median_px,
        edge_blur_upper_px=blur.upper_px,
    )


def found_with_blur(predictor: Predictor, micrograph: Micrograph) -> tuple[Crystals, Crystals]:
    """Return the sure and the doubtful finds of a model, as contacts are judged by.

    Parameters
    ----------
    predictor
        A model that states the blur.
    micrograph
        The picture.
    """
    prediction = predictor(micrograph)
    doubtful = prediction.doubtful
    if doubtful is None:
        doubtful = prediction.crystals.take(slice(0))
    return with_edge_blur(micrograph, prediction.crystals), with_edge_blur(micrograph, doubtful)


def judge_contacts(
    micrograph: Micrograph, crystals: Crystals, doubtful: Crystals | None = None
) -> Contacts:
    """Join the crystals that touch.

    Without the blur of every crystal nobody can tell contacts from overlaps: there are then no
    columns and no figures.

    Parameters
    ----------
    micrograph
        The picture.
    crystals
        Outlines in px of the picture.
    doubtful
        Finds that are not sure enough to be reported: a crystal may touch one of them.
    """
    from crystalgauge.agglomeration import (
        agglomerates,
        agglomeration_degree,
        contact_graph,
        heaps,
    )

    if not len(crystals):
        nobody = dict.fromkeys(COLUMNS, np.zeros(0))
        nobody |= {"agglomerate_id": np.zeros(0, np.int64), "agglomerated": np.zeros(0, bool)}
        return Contacts(crystals.with_columns(**nobody), _figures(0, 0, agglomeration_degree([])))
    if not _blur_known(crystals).all():
        return Contacts(crystals, {})
    graph = contact_graph(
        with_edge_blur(micrograph, crystals),
        doubtful=None if doubtful is None else _with_known_blur(micrograph, doubtful),
    )
    diameter = np.sqrt(4 * crystals.area_px2 / np.pi)
    whole = np.concatenate([[0.0], agglomerates(crystals, graph).equivalent_diameter_px])
    joined = crystals.with_columns(
        agglomerate_id=graph.agglomerate_id,
        agglomerated=graph.agglomerated,
        contact_probability=graph.contact_probability,
        contact_length_px=graph.contact_px,
        agglomerate_diameter_px=np.where(graph.agglomerated, whole[graph.agglomerate_id], diameter),
    )
    degree = agglomeration_degree(
        [heaps(graph.agglomerate_id, graph.contact_probability, diameter)]
    )
    found, members = graph.agglomerate_id.max(), graph.agglomerated.sum()
    return Contacts(joined, _figures(int(found), int(members), degree))


def _blur_known(crystals: Crystals) -> NDArray[np.bool_]:
    """Return ``(N,)`` whether the blur of each crystal is stated."""
    blur = crystals.columns.get("defocus_px", np.full(len(crystals), np.nan))
    return np.asarray(np.isfinite(blur) & (blur > 0))


def _with_known_blur(micrograph: Micrograph, crystals: Crystals) -> Crystals:
    """Return those with a blur, and that along their edges."""
    return with_edge_blur(micrograph, crystals.take(_blur_known(crystals)))


def _figures(
    found: int, members: int, degree: AgglomerationDegree
) -> dict[str, float | int | None]:
    figures: dict[str, float | int | None] = {"n_agglomerates": found, "n_agglomerated": members}
    for name, each in (("number", degree.number), ("volume", degree.volume)):
        key = f"agglomeration_degree_{name}"
        figures |= {key: each.value, f"{key}_low": each.low, f"{key}_high": each.high}
    return figures
