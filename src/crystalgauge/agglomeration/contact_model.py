"""What was fitted once and ships: the contacts of pairs and of crystals."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.agglomeration.joint_blur import JointBlur
from crystalgauge.agglomeration.pair_model import FEATURES, PairModel, logistic
from crystalgauge.core import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from crystalgauge.agglomeration.contact import NeighbourPairs

CONTACTS = Path(__file__).parents[1] / "weights" / "contacts.json"
"""Coefficients of the shipped models."""

FORMAT = 2

MOST_ODDS = 6.0
"""Log-odds beyond this say no more."""


@dataclass(frozen=True)
class ContactModel:
    """All that turns pairs into agglomerates.

    Parameters
    ----------
    pairs
        Probability of a contact.
    crystal_weights
        Intercept, weight of the log-odds of the most probable contact, and of any contact at all:
        the log-odds of a crystal with neighbours.
    """

    pairs: PairModel
    crystal_weights: tuple[float, float, float]

    def crystal_probability(
        self, count: int, pairs: NeighbourPairs, probability: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return ``(N,)`` the probability of each crystal that it touches another one.

        Parameters
        ----------
        count
            Number of crystals.
        pairs, probability
            Neighbours, and ``(P,)`` how probably they touch. A crystal without any touches none.
        """
        evidence, near = crystal_evidence(count, pairs, probability)
        logit = evidence @ np.array(self.crystal_weights)
        return np.where(near, logistic(logit), 0.0)


def crystal_evidence(
    count: int, pairs: NeighbourPairs, probability: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return what contacts say of each crystal.

    Parameters
    ----------
    count, pairs, probability
        As for `ContactModel.crystal_probability`.

    Returns
    -------
    tuple
        ``(N, 3)`` of 1, the log-odds of the most probable contact, and those of at least one
        contact were they independent; and ``(N,)`` whether there is a neighbour.
    """
    rows = np.concatenate([pairs.row_a, pairs.row_b])
    twice = np.tile(np.clip(probability, 1e-6, 1 - 1e-6), 2)
    largest = np.full(count, 1e-6)
    np.maximum.at(largest, rows, twice)
    none = np.exp(np.bincount(rows, np.log1p(-twice), minlength=count))
    odds = [np.log(p / (1 - p)) for p in (largest, np.clip(1 - none, 1e-6, 1 - 1e-6))]
    evidence = np.column_stack([np.ones(count), *np.clip(odds, -MOST_ODDS, MOST_ODDS)])
    return evidence, np.bincount(rows, minlength=count) > 0


def save_contact_models(
    models: Mapping[str, ContactModel], card: Mapping[str, Any], path: Path = CONTACTS
) -> None:
    """Write models with their card.

    Parameters
    ----------
    models
        By name.
    card
        Seeds, the outline model's hash, figures.
    path
        A JSON file.
    """
    content = {
        "format": FORMAT,
        "features": FEATURES,
        "card": card,
        "models": {name: asdict(model) for name, model in models.items()},
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


@lru_cache(maxsize=4)
def load_contact_model(name: str = "crystals", path: Path = CONTACTS) -> ContactModel:
    """Read a fitted model.

    Parameters
    ----------
    name
        ``crystals`` for outlines of the shipped model, ``exact`` for outlines and blurs without
        error, as those of a simulated truth.
    path
        A file of `save_contact_models`.

    Raises
    ------
    ModelError
        When the file is missing, damaged, of another version or without that model.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or tuple(content["features"]) != FEATURES:
            raise ModelError(f"{path} was fitted by another version; fit the contacts again")
        return _contact_model(content["models"][name])
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}; install again") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged or has no model {name!r}: {error!r}") from error


def contacts_sha256(path: Path = CONTACTS) -> str:
    """Return the hash of the coefficients, for provenance."""
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def _contact_model(values: dict[str, Any]) -> ContactModel:
    pairs = _tuples(values["pairs"])
    pairs["blur"] = JointBlur(**_tuples(pairs["blur"]))
    intercept, largest, anyone = values["crystal_weights"]
    return ContactModel(PairModel(**pairs), (intercept, largest, anyone))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(each) if isinstance(each, list) else each for k, each in values.items()}
