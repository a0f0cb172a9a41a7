"""What all rows of a run share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crystalgauge._version import __version__
from crystalgauge.datasets.path_traced import SHIPPED
from crystalgauge.models import find_model
from crystalgauge.reproduce.budget import contest_recipe
from crystalgauge.reproduce.scoring import LEAST_SCORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from crystalgauge.predict import EngineName
    from crystalgauge.reproduce.budget import Budget
    from crystalgauge.reproduce.rows import Row
    from crystalgauge.train import Recipe


@dataclass(frozen=True, eq=False)
class Contest:
    """What all rows of a run share.

    Parameters
    ----------
    out
        Folder of trainings, sets and results.
    budget
        What may be spent.
    pictures
        Of each variant of ``pcs-val``.
    minutes
        Limit of a training, None for the recipe's own length.
    imagenet_weights
        For the rows that start from ImageNet.
    engine, threads
        What predicts.
    workers
        Processes that render.
    progress
        Called with a share, 0 to 1, and what it is a share of.
    """

    out: Path
    budget: Budget
    pictures: int
    minutes: float | None
    imagenet_weights: Path | None
    engine: EngineName
    threads: int
    workers: int
    progress: Callable[[float, str], None]

    @property
    def timed_engine(self) -> EngineName:
        """What is timed; torch would run on a GPU where there is one."""
        return "auto" if self.engine == "torch" else self.engine

    def recipe(self, row: Row) -> Recipe:
        """Return what trains a row."""
        return contest_recipe(
            row, self.budget, minutes=self.minutes, imagenet_weights=self.imagenet_weights
        )

    def made_from(self, row: Row, sets: Iterable[str]) -> str:
        """Return the hash of all that a row's figures depend on."""
        source = find_model(row.model).sha256 if row.model else self.training(row)
        shipped = hashlib.sha256(SHIPPED.read_bytes()).hexdigest() if SHIPPED.exists() else ""
        return hash_of(
            [__version__, self.pictures, LEAST_SCORE, sorted(sets), shipped, self.engine,
             self.threads, source, row.scales]
        )  # fmt: skip

    def training(self, row: Row) -> str:
        """Return the hash of what trains a row."""
        return hash_of(self.recipe(row).model_dump(mode="json"))


def hash_of(entries: Any) -> str:
    """Return the SHA-256 of anything that JSON can say."""
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()
