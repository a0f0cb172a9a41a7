"""Fit the contact model on pictures whose contacts are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.agglomeration.contact import BLURS, NeighbourPairs, blurs
from crystalgauge.agglomeration.contact_model import ContactModel, crystal_evidence
from crystalgauge.agglomeration.graph import pairs_to_judge
from crystalgauge.agglomeration.joint_blur import JointBlur, fit_joint_blur
from crystalgauge.agglomeration.labels import label_pairs
from crystalgauge.agglomeration.pair_model import describe, fit_pair_model, newton
from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.agglomeration.examples import Example


@dataclass(frozen=True, eq=False)
class Judged:
    """Labelled pairs of a picture, and its labelled crystals.

    Parameters
    ----------
    pairs
        Neighbours, as in `ContactGraph`.
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
    pairs = pairs_to_judge(example.crystals, example.doubtful)
    everyone = np.concatenate([example.stands_for, example.doubtful_for])
    touch = label_pairs(pairs, everyone, example.classes.contacts)
    rows = np.flatnonzero(example.truth_of >= 0)
    rows = rows[example.classes.judged[example.truth_of[rows]]]
    return Judged(pairs, touch, rows, example.classes.agglomerated[example.truth_of[rows]])


def fit_contact_model(examples: Sequence[Example]) -> ContactModel:
    """Fit pairs, then crystals.

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
    if not judged:
        raise ArgumentError("fitting needs pictures, got none")
    joint = joint_blur(examples)
    features = [describe(each.pairs, joint) for each in judged]
    touch = np.concatenate([each.touch for each in judged])
    pairs = fit_pair_model(np.concatenate(features), touch, joint=joint)
    evidence, outcome = [], []
    for example, each in zip(examples, judged, strict=True):
        everyone = len(example.stands_for) + len(example.doubtful_for)
        said, near = crystal_evidence(everyone, each.pairs, pairs.probability(each.pairs))
        keep = near[each.rows]
        evidence.append(said[each.rows[keep]])
        outcome.append(each.agglomerated[keep])
    true = np.concatenate(outcome).astype(np.float64)
    weights = newton(np.concatenate(evidence), true, 1.0)
    return ContactModel(pairs, (float(weights[0]), float(weights[1]), float(weights[2])))


def joint_blur(examples: Sequence[Example]) -> JointBlur:
    """Fit what a crystal's blur is taken to be.

    Parameters
    ----------
    examples
        Outlines that match crystals of known blur.

    Raises
    ------
    ArgumentError
        When none matches.
    """
    measured, true = [np.empty((0, len(BLURS)))], [np.empty(0)]
    for example in examples:
        rows = np.flatnonzero(example.truth_of >= 0)
        measured.append(np.log(blurs(example.crystals)[rows]))
        true.append(np.log(example.truth["defocus_px"][example.truth_of[rows]]))
    return fit_joint_blur(np.concatenate(measured), np.concatenate(true))
