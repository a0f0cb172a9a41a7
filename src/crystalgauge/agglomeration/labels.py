"""The two classes of the agglomeration paper, from the truth of a scene.

Section III of *Instance Camera Focus Prediction for Crystal Agglomeration Classification* labels by
four criteria, which read here: (1) crystals on different depth layers are not agglomerated even
where they touch: a contact of two whose blurs differ by more than `SAME_LAYER` does not count;
(2) crystals at one focus in edge contact are agglomerated: bodies in contact count; (3) small
polygonal shapes on larger ones are broken pieces: contacts with them do not count; (4) dust and
bubbles are no crystals and have no label. An expert labels what can be seen: a contact with a
crystal that nothing shows does not count either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.metrics import match_one_to_one, overlaps, picture_overlap
from crystalgauge.render.truth import stands_out
from crystalgauge.scenes.agglomerates import PIECE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.agglomeration.contact import NeighbourPairs
    from crystalgauge.core import Crystals
    from crystalgauge.render.truth import Truth

SAME_LAYER = 1.5
"""Ratio of two blurs from which they lie on different layers."""

LEAST_VISIBLE = 0.25
"""A crystal of which less is visible, of what lies in the picture, cannot be labelled."""

MOSTLY = 0.5
"""An outline answers for a crystal when more than this share of it lies inside."""


@dataclass(frozen=True, eq=False)
class Classes:
    """Labels of the N crystals of a truth.

    Parameters
    ----------
    agglomerated
        ``(N,)`` the paper's class 2; all others are class 1.
    judged
        ``(N,)`` whether the crystal has a class: it is whole, not a broken piece and fair to ask.
    contacts
        ``(M, 2)`` rows of the pairs whose contact counts.
    """

    agglomerated: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    contacts: NDArray[np.int64]


def paper_classes(truth: Truth, *, most_in_focus_px: float | None = None) -> Classes:
    """Label the crystals of a scene.

    Parameters
    ----------
    truth
        Of a rendered scene.
    most_in_focus_px
        When given, only crystals whose blur is at most this count as agglomerated, as the second
        criterion has it word for word; by default those that touch out of focus count too.
    """
    crystals = truth.crystals
    row = np.full(int(crystals["id"].max(initial=-1)) + 1, -1)
    row[crystals["id"]] = np.arange(len(crystals))
    pairs = row[truth.contacts]
    piece = crystals["habit"] == PIECE
    seen = _can_be_seen(crystals) & ~piece
    if most_in_focus_px is not None:
        seen &= crystals["defocus_px"] <= most_in_focus_px
    blur = crystals["defocus_px"][pairs]
    alike = np.abs(np.diff(np.log(blur), axis=1))[:, 0] <= np.log(SAME_LAYER)
    counted = pairs[alike & seen[pairs].all(axis=1)]
    agglomerated = np.zeros(len(crystals), bool)
    agglomerated[counted] = True
    return Classes(agglomerated, ~crystals["ignore"].astype(bool) & ~piece, counted)


def _can_be_seen(crystals: Crystals) -> NDArray[np.bool_]:
    """Tell which crystals show in the picture, also where its border cuts them."""
    inside = np.maximum(crystals["in_frame_fraction"], 1e-9)
    return stands_out(crystals) & (crystals["visible_fraction"] > LEAST_VISIBLE * inside)


def answers_for(truth: Crystals, found: Crystals) -> NDArray[np.int64]:
    """Return ``(M,)`` the row of the crystal that each outline found stands for, or -1.

    One that matches no crystal, say a face taken for a crystal, stands for the one that holds most
    of it.

    Parameters
    ----------
    truth, found
        Tables of one picture.
    """
    stands_for = match_one_to_one(picture_overlap(truth, found)).truth_of.copy()
    both = overlaps(found, truth)
    free = (stands_for[both.row_a] < 0) & (both.coverage > MOSTLY)
    order = np.flatnonzero(free)[np.argsort(both.iou[free], kind="stable")]
    stands_for[both.row_a[order]] = both.row_b[order]  # the largest overlap comes last and stays
    return stands_for


def label_pairs(
    pairs: NeighbourPairs, stands_for: NDArray[np.int64], contacts: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell of pairs of outlines whether the crystals they stand for touch.

    Parameters
    ----------
    pairs
        Neighbours among outlines.
    stands_for
        ``(M,)`` from `answers_for`; its own row for each crystal of a truth.
    contacts
        ``(K, 2)`` rows of crystals whose contact counts.
    """
    a, b = stands_for[pairs.row_a], stands_for[pairs.row_b]
    width = int(max(contacts.max(initial=0), stands_for.max(initial=0))) + 1
    code = np.minimum(a, b) * width + np.maximum(a, b)
    known = contacts.min(axis=1) * width + contacts.max(axis=1)
    return np.isin(code, known) & (a >= 0) & (b >= 0) & (a != b)
