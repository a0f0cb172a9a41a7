"""Crystals that touch, joined to agglomerates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from crystalgauge.agglomeration.contact import NeighbourPairs, neighbour_pairs, valid_outlines
from crystalgauge.agglomeration.contact_model import ContactModel, load_contact_model
from crystalgauge.core import ArgumentError, concatenate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals


HALF = 0.5
"""More probable than not."""


@dataclass(frozen=True, eq=False)
class ContactGraph:
    """N crystals and P pairs of neighbours.

    Parameters
    ----------
    pairs
        The neighbours. Rows from N on are finds too doubtful to report, one at most in a pair.
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
        return np.asarray(both[0][:count] + both[1][:count], np.float64)

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
        ``(A,)`` crystals in each; 1 where its partners are too doubtful to report.
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
    crystals: Crystals,
    model: ContactModel | None = None,
    *,
    threshold: float | None = None,
    doubtful: Crystals | None = None,
) -> ContactGraph:
    """Join the crystals that touch.

    Parameters
    ----------
    crystals
        Outlines in px with ``defocus_px``; see `neighbour_pairs`.
    model
        The shipped one for outlines of the shipped network by default.
    threshold
        Least probability of a link, 0 to 1. By default pairs are linked that touch more probably
        than not, and each crystal of which that is true to its likeliest partner.
    doubtful
        The like of crystals that are not sure enough to be reported: they may be what one touches.

    Raises
    ------
    ArgumentError
        For a threshold out of range, or crystals without blur.
    """
    model = model or load_contact_model()
    if threshold is not None and not 0 < threshold < 1:
        raise ArgumentError(f"the threshold of a contact lies between 0 and 1, got {threshold}")
    pairs, count = pairs_to_judge(crystals, doubtful), len(crystals)
    everyone = count + (len(doubtful) if doubtful is not None else 0)
    probability = model.pairs.probability(pairs)
    of_crystals = model.crystal_probability(everyone, pairs, probability)
    of_crystals[count:] = 0.0  # whether a doubtful find touches anything asks nobody
    linked = probability >= (HALF if threshold is None else threshold)
    if threshold is None:
        linked |= likeliest_contacts(pairs, probability, of_crystals)
    return ContactGraph(
        pairs,
        probability,
        linked,
        of_crystals[:count],
        number_groups(everyone, pairs.row_a[linked], pairs.row_b[linked])[:count],
    )


def likeliest_contacts(
    pairs: NeighbourPairs, probability: NDArray[np.float64], of_crystals: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which pairs are the likeliest contact of a crystal that more probably has one than not.

    A crystal of several doubtful contacts touches something, even where no single one is probable.

    Parameters
    ----------
    pairs, probability
        Neighbours, and ``(P,)`` how probably they touch.
    of_crystals
        ``(N,)`` how probably each crystal touches another one.
    """
    largest = np.zeros(len(of_crystals))
    np.maximum.at(largest, pairs.row_a, probability)
    np.maximum.at(largest, pairs.row_b, probability)
    chosen = np.zeros(len(pairs), bool)
    for row in (pairs.row_a, pairs.row_b):
        chosen |= (of_crystals[row] >= HALF) & (probability >= largest[row])
    return chosen


def pairs_to_judge(crystals: Crystals, doubtful: Crystals | None = None) -> NeighbourPairs:
    """Find the neighbours of every crystal.

    Parameters
    ----------
    crystals, doubtful
        As for `contact_graph`.

    Returns
    -------
    NeighbourPairs
        Rows from the number of crystals on are those of the doubtful; two of these are no pair.
    """
    if doubtful is None or not len(doubtful) or not len(crystals):
        return neighbour_pairs(crystals)
    pairs = neighbour_pairs(concatenate([crystals, doubtful]))
    return pairs.take(pairs.row_a < len(crystals))


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
