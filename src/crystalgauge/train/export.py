"""A training's result as files that predict: networks and card."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from crystalgauge._version import __version__
from crystalgauge.io.atomic import replacing
from crystalgauge.models.registry import CARD_SUFFIX, FORMAT

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.train.module import ModelTraining
    from crystalgauge.train.validation import ValidationReport


UNTRAINED_SCORE = 0.3
"""Least score of a model that found nothing true on the validation scenes."""


def _least_score(best: float) -> float:
    return round(best, 3) if math.isfinite(best) else UNTRAINED_SCORE


def export_fitted(
    module: ModelTraining, report: ValidationReport, folder: Path, *, data: int
) -> Path:
    """Export the averaged weights with their card.

    Parameters
    ----------
    module
        After training.
    report
        Its validation; the best threshold becomes the card's least score.
    folder
        Where the files go.
    data
        Number of pictures trained on.
    """
    recipe = module.recipe
    folder.mkdir(parents=True, exist_ok=True)
    module.task.export(module.average.cpu().eval(), folder / recipe.name)
    card: dict[str, Any] = {
        "format": FORMAT,
        "name": recipe.name,
        "kind": recipe.model,
        "version": __version__,
        "licence": "BSD-3-Clause",
        "network": recipe.network.config().as_dict(),
        "min_score": _least_score(report.scores["best_score"]),
        "diameter_error_factor": round(report.error_factor, 3),
        "recipe": recipe.model_dump(mode="json"),
        "budget": {
            "crops": module.crops_seen,
            "minutes": round(module.spent_seconds / 60, 1),
            "device": str(module.device.type),
            "pictures": data,
        },
        "scores": {
            name: round(value, 4) for name, value in report.scores.items() if math.isfinite(value)
        },
        "known_failures": [],
    }
    with replacing(folder / f"{recipe.name}{CARD_SUFFIX}", "w", encoding="utf-8") as file:
        file.write(json.dumps(card, indent=2) + "\n")
    return folder
