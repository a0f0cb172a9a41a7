"""Outlines and focus joined to a graph: which crystals touch, which only seem to."""

from crystalgauge.agglomeration.contact import NeighbourPairs, neighbour_pairs
from crystalgauge.agglomeration.contact_model import (
    ContactModel,
    contacts_sha256,
    load_contact_model,
    save_contact_models,
)
from crystalgauge.agglomeration.degree import (
    AgglomerationDegree,
    Heaps,
    agglomeration_degree,
    heaps,
)
from crystalgauge.agglomeration.graph import (
    Agglomerates,
    ContactGraph,
    agglomerates,
    contact_graph,
)
from crystalgauge.agglomeration.pair_model import PairModel
from crystalgauge.agglomeration.reliability import Reliability, reliability

__all__ = [
    "Agglomerates",
    "AgglomerationDegree",
    "ContactGraph",
    "ContactModel",
    "Heaps",
    "NeighbourPairs",
    "PairModel",
    "Reliability",
    "agglomerates",
    "agglomeration_degree",
    "contact_graph",
    "contacts_sha256",
    "heaps",
    "load_contact_model",
    "neighbour_pairs",
    "reliability",
    "save_contact_models",
]
