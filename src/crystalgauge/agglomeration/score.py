"""How well crystals are classed as agglomerated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.agglomeration.fit import judge
from crystalgauge.agglomeration.graph import contact_graph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.agglomeration.contact_model import ContactModel
    from crystalgauge.agglomeration.examples import Example


@dataclass(frozen=True, eq=False)
class ClassScore:
    """Classes found beside the true ones, for J outlines that match a crystal with a class.

    Parameters
    ----------
    agglomerated, found
        ``(J,)`` the true class and the one found.
    contact_probability
        ``(J,)`` what was said of each.
    touch, pair_probability
        ``(P,)`` of all pairs of neighbours: whether they touch, and what was said.
    asked
        Crystals with a class, found or not.
    """

    agglomerated: NDArray[np.bool_]
    found: NDArray[np.bool_]
    contact_probability: NDArray[np.float64]
    touch: NDArray[np.bool_]
    pair_probability: NDArray[np.float64]
    asked: int

    @property
    def accuracy(self) -> float:
        """Share of the outlines that are classed right (the paper's ACC)."""
        return float(np.mean(self.agglomerated == self.found))

    @property
    def precision(self) -> float:
        """Of those called agglomerated, the share that is."""
        return float((self.agglomerated & self.found).sum() / max(self.found.sum(), 1))

    @property
    def recall(self) -> float:
        """Of the agglomerated ones, the share that is called so."""
        return float((self.agglomerated & self.found).sum() / max(self.agglomerated.sum(), 1))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.agglomerated.sum() + self.found.sum()
        return float(2 * (self.agglomerated & self.found).sum() / max(both, 1))


def score_examples(model: ContactModel, examples: Sequence[Example]) -> ClassScore:
    """Class the crystals of pictures and compare with the truth.

    Parameters
    ----------
    model
        That joins them.
    examples
        Outlines beside their truth; one picture or more.
    """
    parts = []
    for example in examples:
        graph = contact_graph(example.crystals, model, doubtful=example.doubtful)
        known = judge(example)
        rows = known.rows
        parts.append((
            known.agglomerated, graph.agglomerated[rows], graph.contact_probability[rows],
            known.touch, graph.pair_probability,
        ))  # fmt: skip
    true, found, said, touch, pairs = (np.concatenate(c) for c in zip(*parts, strict=True))
    asked = sum(int(example.classes.judged.sum()) for example in examples)
    return ClassScore(true, found, said, touch, pairs, asked)
