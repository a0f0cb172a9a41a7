"""Crystals that touch, joined to agglomerates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from crystalgauge.agglomeration.contact import NeighbourPairs, neighbour_pairs, valid_outlines
from crystalgauge.agglomeration.contact_model import ContactModel, load_contact_model
from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals


@dataclass(frozen=True, eq=False)
class ContactGraph:
    """N crystals and P pairs of neighbours.

    Parameters
    ----------
    pairs
        The neighbours.
    pair_probability
        ``(P,)`` that the crystals of a pair touch.
    linked
        ``(P,)`` whether it is taken that they do.
    contact_probability
        ``(N,)`` that a crystal touches any other.
    agglomerate_id
        ``(N,)`` number of its agglomerate, from 1 in the order of the first members; 0 for single
        crystals.
    """

    pairs: NeighbourPairs
    pair_probability: NDArray[np.float64]
    linked: NDArray[np.bool_]
    contact_probability: NDArray[np.float64]
    agglomerate_id: NDArray[np.int64]

    @property
    def contact_px(self) -> NDArray[np.float64]:
        """``(N,)`` length of the linked contacts of each crystal."""
        count, length = len(self.agglomerate_id), self.pairs.contact_px[self.linked]
        ends = (self.pairs.row_a[self.linked], self.pairs.row_b[self.linked])
        both = [np.bincount(rows, length, minlength=count) for rows in ends]
        return np.asarray(both[0] + both[1], np.float64)

    @property
    def agglomerated(self) -> NDArray[np.bool_]:
        """``(N,)`` whether a crystal belongs to an agglomerate."""
        return self.agglomerate_id > 0


@dataclass(frozen=True, eq=False)
class Agglomerates:
    """The A agglomerates of a picture, by their number.

    Parameters
    ----------
    agglomerate_id
        ``(A,)`` 1, 2, ...
    members
        ``(A,)`` crystals in each, 2 or more.
    contacts
        ``(A,)`` linked pairs.
    contact_px
        ``(A,)`` length of all its contacts.
    area_px2
        ``(A,)`` area of the union of its outlines.
    outlines
        ``(A,)`` that union, a polygon, or a multipolygon where outlines that touch leave a gap.
    """

    agglomerate_id: NDArray[np.int64]
    members: NDArray[np.int64]
    contacts: NDArray[np.int64]
    contact_px: NDArray[np.float64]
    area_px2: NDArray[np.float64]
    outlines: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.agglomerate_id)

    @property
    def equivalent_diameter_px(self) -> NDArray[np.float64]:
        """``(A,)`` diameter of the circle with the union's area."""
        return np.sqrt(4 * self.area_px2 / np.pi)


def contact_graph(
    crystals: Crystals, model: ContactModel | None = None, *, threshold: float | None = None
) -> ContactGraph:
    """Join the crystals that touch.

    Parameters
    ----------
    crystals
        Outlines in px with ``defocus_px``; see `neighbour_pairs`.
    model
        The shipped one for outlines of the shipped network by default.
    threshold
        Least probability of a link, 0 to 1; the model's own by default.

    Raises
    ------
    ArgumentError
        For a threshold out of range, or crystals without blur.
    """
    model = model or load_contact_model()
    least = model.threshold if threshold is None else threshold
    if not 0 < least < 1:
        raise ArgumentError(f"the threshold of a contact lies between 0 and 1, got {threshold}")
    pairs = neighbour_pairs(crystals)
    probability = model.pairs.probability(pairs)
    linked = probability >= least
    return ContactGraph(
        pairs,
        probability,
        linked,
        model.crystal_probability(len(crystals), pairs, probability),
        number_groups(len(crystals), pairs.row_a[linked], pairs.row_b[linked]),
    )


def number_groups(
    count: int, row_a: NDArray[np.int64], row_b: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return ``(N,)`` the number of each row's group, from 1; 0 for rows that nothing joins.

    Parameters
    ----------
    count
        Number of rows.
    row_a, row_b
        ``(P,)`` the pairs that join.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(row_a)), (row_a, row_b)), shape=(count, count))
    label = connected_components(links, directed=False)[1].astype(np.int64)
    joined = np.zeros(count, bool)
    joined[row_a] = joined[row_b] = True
    number = np.zeros(count, np.int64)
    first, inverse = np.unique(label[joined], return_index=True, return_inverse=True)[1:]
    number[joined] = (np.argsort(np.argsort(first)) + 1)[inverse]
    return number


def agglomerates(crystals: Crystals, graph: ContactGraph) -> Agglomerates:
    """Measure the agglomerates of a picture.

    Parameters
    ----------
    crystals, graph
        Outlines, and what `contact_graph` made of them.
    """
    number = graph.agglomerate_id
    count = int(number.max(initial=0))
    shapes = valid_outlines(crystals.outlines)
    unions = np.empty(count, dtype=object)
    order = np.argsort(number, kind="stable")
    edges = np.searchsorted(number[order], np.arange(1, count + 2))
    for k in range(count):
        unions[k] = shapely.union_all(shapes[order[edges[k] : edges[k + 1]]])
    at = number[graph.pairs.row_a[graph.linked]]
    lengths = graph.pairs.contact_px[graph.linked]
    return Agglomerates(
        np.arange(1, count + 1),
        np.diff(edges),
        np.bincount(at, minlength=count + 1)[1:],
        np.asarray(np.bincount(at, lengths, minlength=count + 1)[1:], np.float64),
        np.asarray(shapely.area(unions), np.float64),
        unions,
    )
