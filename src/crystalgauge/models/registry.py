"""Which models there are: those shipped, and any folder with a card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from crystalgauge.core import ModelError

WEIGHTS = Path(__file__).parents[1] / "weights"
"""Where the shipped models lie."""

CARD_SUFFIX = ".card.json"

FORMAT = 1
"""Version of the files' layout; a card of another one is refused."""


@dataclass(frozen=True)
class ModelFiles:
    """The files of one model.

    Parameters
    ----------
    card_path
        ``NAME.card.json``; beside it lie ``NAME.onnx`` and, of an outline model,
        ``NAME.refine.onnx``.
    """

    card_path: Path

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.card_path.name.removesuffix(CARD_SUFFIX)

    @property
    def network(self) -> Path:
        """The network."""
        return self.card_path.with_name(f"{self.name}.onnx")

    @property
    def refine(self) -> Path:
        """The refinement head of an outline model."""
        return self.card_path.with_name(f"{self.name}.refine.onnx")

    @property
    def kind(self) -> str:
        """Which of the models under `crystalgauge.models` it is."""
        return str(self.card.get("kind", "outline"))

    @property
    def networks(self) -> tuple[Path, ...]:
        """Every file with weights."""
        return (self.network, self.refine) if self.kind == "outline" else (self.network,)

    @cached_property
    def card(self) -> dict[str, Any]:
        """What is known of the model: recipe, data, scores, failures."""
        return load_card(self.card_path)

    @cached_property
    def sha256(self) -> str:
        """Hash over all networks, for provenance."""
        digest = hashlib.sha256()
        for path in self.networks:
            digest.update(path.read_bytes())
        return digest.hexdigest()


def load_card(path: str | Path) -> dict[str, Any]:
    """Read a model's card.

    Parameters
    ----------
    path
        A card's path, or the name of a shipped model.

    Raises
    ------
    ModelError
        When there is no such card or it is damaged.
    """
    file = Path(path)
    if not file.name.endswith(CARD_SUFFIX):
        file = find_model(path).card_path
    try:
        card = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"cannot read the model card {file}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"the model card {file} is damaged: {error}") from error
    found = card.get("format") if isinstance(card, dict) else None
    if found != FORMAT:
        raise ModelError(
            f"the model card {file} has format {found}, this version reads format {FORMAT}; "
            "export the model again"
        )
    return card


def list_models() -> list[str]:
    """Return the names of the shipped models."""
    return sorted(path.name.removesuffix(CARD_SUFFIX) for path in WEIGHTS.glob(f"*{CARD_SUFFIX}"))


def find_model(model: str | Path) -> ModelFiles:
    """Find a model by name, by its card or by the folder that holds it.

    Parameters
    ----------
    model
        Name of a shipped model, or a path.

    Raises
    ------
    ModelError
        When there is no such model or files are missing.
    """
    shipped = WEIGHTS / f"{model}{CARD_SUFFIX}"
    path = Path(model)
    if shipped.exists():
        files = ModelFiles(shipped)
    elif path.is_dir() and len(cards := sorted(path.glob(f"*{CARD_SUFFIX}"))) == 1:
        files = ModelFiles(cards[0])
    elif path.name.endswith(CARD_SUFFIX) and path.is_file():
        files = ModelFiles(path)
    else:
        known = ", ".join(list_models()) or "none"
        raise ModelError(
            f"no model {str(model)!r}: give one of the shipped models ({known}), "
            f"or a folder with one NAME{CARD_SUFFIX} in it"
        )
    for file in files.networks:
        if not file.is_file():
            raise ModelError(
                f"the model {files.name!r} lacks its file {file}; install or export it again"
            )
    return files
