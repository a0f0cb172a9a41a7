"""What is known of a row, and the file that keeps it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from crystalgauge.io.atomic import replacing
from crystalgauge.reproduce.cost import Cost

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.reproduce.scoring import Figures


@dataclass(frozen=True)
class RowResult:
    """What is known of a row; a JSON file of the same entries keeps it.

    Parameters
    ----------
    row
        Its name.
    made_from
        Hash of all that the figures depend on; another one is made anew.
    network
        Entries of the recipe's network section, or of the shipped model's card.
    pictures_seen
        Windows shown in training, repeats included.
    minutes
        Time of the training.
    cost
        Of the network judged.
    published_cost
        Of the network in the size that the paper trained, where that is another one.
    scores
        By set, then by what is compared (`crystalgauge.reproduce.scoring.score`).
    """

    row: str
    made_from: str
    network: dict[str, Any]
    pictures_seen: int
    minutes: float
    cost: Cost
    published_cost: Cost | None
    scores: dict[str, dict[str, Figures]]

    @classmethod
    def read(cls, path: Path) -> RowResult | None:
        """Return what a file says, None when there is none or it is of another version."""
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
            entries["cost"] = Cost(**entries["cost"])
            if entries["published_cost"] is not None:
                entries["published_cost"] = Cost(**entries["published_cost"])
            return cls(**entries)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        with replacing(path, "w") as file:
            json.dump(asdict(self), file, indent=2)
