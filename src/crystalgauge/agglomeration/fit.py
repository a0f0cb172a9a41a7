"""Fit the contact model on pictures whose contacts are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.agglomeration.contact import BLURS, NeighbourPairs, blurs, neighbour_pairs
from crystalgauge.agglomeration.contact_model import ContactModel, crystal_evidence
from crystalgauge.agglomeration.labels import label_pairs
from crystalgauge.agglomeration.pair_model import describe, fit_pair_model, newton
from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.agglomeration.examples import Example

THRESHOLDS = np.linspace(0.15, 0.6, 46)

LEAST_FOCUS_ERROR = 0.05
"""Members of one agglomerate lie at slightly different depths: no smaller difference counts."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Labelled pairs of a picture, and its labelled crystals.

    Parameters
    ----------
    pairs
        Neighbours.
    touch
        ``(P,)`` whether they touch.
    rows
        ``(J,)`` rows of the outlines that match a crystal with a class.
    agglomerated
        ``(J,)`` its class.
    """

    pairs: NeighbourPairs
    touch: NDArray[np.bool_]
    rows: NDArray[np.int64]
    agglomerated: NDArray[np.bool_]


def judge(example: Example) -> Judged:
    """Find the neighbours of a picture and label them.

    Parameters
    ----------
    example
        Outlines beside their truth.
    """
    pairs = neighbour_pairs(example.crystals)
    touch = label_pairs(pairs, example.stands_for, example.classes.contacts)
    rows = np.flatnonzero(example.truth_of >= 0)
    rows = rows[example.classes.judged[example.truth_of[rows]]]
    return Judged(pairs, touch, rows, example.classes.agglomerated[example.truth_of[rows]])


def fit_contact_model(examples: Sequence[Example]) -> ContactModel:
    """Fit pairs, then crystals, then the threshold of a link.

    Parameters
    ----------
    examples
        Pictures with and without contacts.

    Raises
    ------
    ArgumentError
        When there is nothing to tell apart.
    """
    judged = [judge(example) for example in examples]
    errors = focus_errors(examples)
    features = [describe(each.pairs, errors) for each in judged]
    if not features:
        raise ArgumentError("fitting needs pictures, got none")
    touch = np.concatenate([each.touch for each in judged])
    pairs = fit_pair_model(np.concatenate(features), touch, focus_errors=errors)
    evidence, largest, outcome = [], [], []
    for example, each in zip(examples, judged, strict=True):
        probability = pairs.probability(each.pairs)
        said, near = crystal_evidence(len(example.crystals), each.pairs, probability)
        most = np.zeros(len(example.crystals))
        np.maximum.at(most, each.pairs.row_a, probability)
        np.maximum.at(most, each.pairs.row_b, probability)
        keep = near[each.rows]
        evidence.append(said[each.rows[keep]])
        largest.append(most[each.rows[keep]])
        outcome.append(each.agglomerated[keep])
    true = np.concatenate(outcome)
    weights = newton(np.concatenate(evidence), true.astype(np.float64), 1.0)
    threshold = best_threshold(np.concatenate(largest), true)
    return ContactModel(pairs, threshold, (float(weights[0]), float(weights[1]), float(weights[2])))


def focus_errors(examples: Sequence[Example]) -> tuple[float, ...]:
    """Return the relative standard uncertainty of each measure of blur.

    Constant factors do not matter: only crystals of one picture are compared. Robust, by the
    median absolute deviation.

    Parameters
    ----------
    examples
        Outlines that match crystals of known blur.
    """
    off = [np.empty((0, len(BLURS)))]
    for example in examples:
        rows = np.flatnonzero(example.truth_of >= 0)
        true = example.truth["defocus_px"][example.truth_of[rows]]
        off.append(np.log(blurs(example.crystals)[rows]) - np.log(true)[:, None])
    every = np.concatenate(off)
    if not len(every):
        raise ArgumentError("no outline matches a crystal: nothing can be fitted")
    spread = 1.4826 * np.median(np.abs(every - np.median(every, axis=0)), axis=0)
    return tuple(float(v) for v in np.maximum(spread, LEAST_FOCUS_ERROR))


def best_threshold(largest: NDArray[np.float64], agglomerated: NDArray[np.bool_]) -> float:
    """Return from which probability of the likeliest contact most crystals are classed right.

    Parameters
    ----------
    largest
        ``(J,)`` largest probability of each crystal's contacts.
    agglomerated
        ``(J,)`` its class.
    """
    right = np.mean((largest >= THRESHOLDS[:, None]) == agglomerated, axis=1)
    smooth = np.convolve(np.pad(right, 3, mode="edge"), np.full(7, 1 / 7), mode="valid")
    return float(np.round(THRESHOLDS[np.argmax(smooth)], 2))
