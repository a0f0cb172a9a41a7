"""What all rows of the agglomeration contest share: trainings, test pictures, finds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge._version import __version__
from crystalgauge.agglomeration import contact_graph, contacts_sha256
from crystalgauge.agglomeration.contact import BLURS, blurs
from crystalgauge.agglomeration.contrast_focus import (
    agglomerated_by_contrast,
    carried_over,
    contrast_1,
    contrast_2,
    neighbours,
)
from crystalgauge.io.atomic import replacing
from crystalgauge.models import find_model
from crystalgauge.models.yolo12_seg.config import MASK_STRIDE
from crystalgauge.pipeline.contacts import with_edge_blur
from crystalgauge.predict import Predictor
from crystalgauge.reproduce.agglomeration_focus import Bar, classical_bars, found_bars
from crystalgauge.reproduce.agglomeration_rows import OTHER, OWN, RECIPES, contest_recipe
from crystalgauge.reproduce.agglomeration_scoring import (
    TEST_SEED,
    KnownPicture,
    known_pictures,
    score_classes,
)
from crystalgauge.reproduce.contest import hash_of
from crystalgauge.scenes.agglomerates import PICTURES
from crystalgauge.train import fit
from crystalgauge.train.fit import LAST
from crystalgauge.train.labelled import labelled_samples
from crystalgauge.train.mask_rcnn import find_with_mask_rcnn, has_torchvision, train_mask_rcnn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals, Micrograph
    from crystalgauge.predict import EngineName
    from crystalgauge.reproduce.agglomeration_rows import Budget, Row

CRYSTALS_RATIO = 2.45
"""Crystals of ammonium perchlorate are so much larger than those of sugar, in px of a picture."""

MASK_RCNN_MINUTES = 60.0
"""Of Mask R-CNN where the budget has no limit."""


@dataclass(frozen=True, eq=False)
class AgglomerationContest:
    """What all rows of a run share.

    Parameters
    ----------
    out
        Folder of trainings and results.
    budget
        What may be spent.
    pictures
        Most test pictures of a habit, None for the budget's.
    minutes
        Limit of a training, None for the budget's.
    engine, threads
        What predicts.
    progress
        Called with a share, 0 to 1, and what it is a share of.
    """

    out: Path
    budget: Budget
    pictures: int | None
    minutes: float | None
    engine: EngineName
    threads: int
    progress: Callable[[float, str], None]

    @property
    def command(self) -> str:
        """What the command line would say."""
        minutes = "" if self.minutes is None else f" --minutes-per-row {self.minutes:g}"
        number = "" if self.pictures is None else f" --n {self.pictures}"
        return (
            f"crystalgauge reproduce agglomeration --budget {self.budget.name}{minutes}{number} "
            "--out DIR"
        )

    def result(self, row: Row) -> dict[str, Any]:
        """Return what is stored of a row, or make it.

        Parameters
        ----------
        row
            Which.
        """
        if row.masks == "mask-rcnn" and not has_torchvision():
            return {"skipped": "torchvision is not installed, and no extra installs it"}
        path = self.out / "rows" / f"{self.budget.name}-{row.name}.json"
        made_from = hash_of([__version__, self.counts, TEST_SEED, self.engine, self.sources(row)])
        stored = _read(path, made_from)
        if stored is not None:
            return stored
        result: dict[str, Any] = {"made_from": made_from, **self.trained(row)}
        for substance in (OWN, OTHER):
            pictures = self.sets[substance]
            found = [self.judged(row, substance, index) for index in range(len(pictures))]
            crystals, classes = [one[0] for one in found], [one[1] for one in found]
            result[substance] = score_classes(pictures, crystals, classes).as_dict()
        with replacing(path, "w") as file:
            json.dump(result, file, indent=2)
        return result

    @property
    def counts(self) -> dict[str, int]:
        """Test pictures of each habit."""
        most = self.pictures or max(self.budget.own, self.budget.other)
        return {OWN: min(self.budget.own, most), OTHER: min(self.budget.other, most)}

    @cached_property
    def sets(self) -> dict[str, list[KnownPicture]]:
        """The test pictures of each habit."""

        def report(share: float) -> None:
            self.progress(share, "test pictures")

        return {name: known_pictures(name, count, report) for name, count in self.counts.items()}

    def sources(self, row: Row) -> list[str]:
        """Return hashes of all that a row's finds depend on.

        Parameters
        ----------
        row
            Which.
        """
        if row.masks == "crystals":
            return [find_model("crystals").sha256, contacts_sha256()]
        labels = {"agglomerated" if row.masks == "mask-rcnn" else row.masks}
        labels |= {"focus"} if row.contrast else set()
        return [row.name, *(self._training(name) for name in sorted(labels))]

    def _training(self, labels: str) -> str:
        recipe = contest_recipe(labels, self.budget, minutes=self.minutes)
        return hash_of(recipe.model_dump(mode="json"))

    def trained(self, row: Row) -> dict[str, Any]:
        """Return how long the networks of a row were trained.

        Parameters
        ----------
        row
            Which.
        """
        names = [
            name for name in RECIPES if name == row.masks or (name == "focus" and row.contrast)
        ]
        spent = {name: find_model(self.model(name)).card["budget"] for name in names}
        return {"spent": spent}

    def model(self, labels: str) -> Path:
        """Train a network, or go on with it, and return its folder.

        Parameters
        ----------
        labels
            A key of `RECIPES`.
        """
        folder = self.out / "trainings" / self._training(labels)[:12]
        if (folder / "scores.json").exists():
            return folder / "model"
        recipe = contest_recipe(labels, self.budget, minutes=self.minutes)
        self.progress(0.0, f"{labels}: pictures")
        train, validation = labelled_samples(recipe)
        return fit(
            recipe, train, validation, folder, resume=(folder / LAST).exists(),
            device=self.budget.device,
            progress=lambda share, words: self.progress(share, f"{labels}: training, {words}"),
        ).model  # fmt: skip

    @cached_property
    def _found(self) -> dict[tuple[str, str, int], Crystals]:
        return {}

    @cached_property
    def _finders(self) -> dict[tuple[str, str], Callable[[Micrograph], Crystals]]:
        return {}

    def find(self, masks: str, substance: str, index: int) -> Crystals:
        """Return what a network finds in a test picture.

        Parameters
        ----------
        masks
            As in `Row`.
        substance, index
            Which picture.
        """
        key = (masks, substance, index)
        if key not in self._found:
            finder = self._finders.get((masks, substance)) or self._finder(masks, substance)
            self._finders[masks, substance] = finder
            self._found[key] = finder(self.sets[substance][index].micrograph)
            self.progress((index + 1) / self.counts[substance], f"{masks}: finds, {substance}")
        return self._found[key]

    def _finder(self, masks: str, substance: str) -> Callable[[Micrograph], Crystals]:
        if masks == "crystals":
            shipped = Predictor(masks, engine=self.engine, threads=self.threads)
            return lambda picture: with_edge_blur(picture, shipped(picture).crystals)
        if masks == "mask-rcnn":
            network = self._mask_rcnn
            return lambda picture: find_with_mask_rcnn(network, picture, self.scale(substance))
        predictor = Predictor(
            self.model(masks), engine=self.engine, threads=self.threads,
            scales=(self.scale(substance),),
        )  # fmt: skip
        return lambda picture: predictor(picture).crystals

    @cached_property
    def _mask_rcnn(self) -> Any:
        recipe = contest_recipe("agglomerated", self.budget, minutes=self.minutes)
        return train_mask_rcnn(
            labelled_samples(recipe)[0], window=self.budget.window, batch=self.budget.batch,
            minutes=self.minutes or self.budget.minutes or MASK_RCNN_MINUTES,
            device="cuda" if self.budget.device == "auto" else "cpu",
            progress=lambda share, words: self.progress(share, f"mask-rcnn: training, {words}"),
        )  # fmt: skip

    def scale(self, substance: str) -> float:
        """Return at which scale networks look, so that crystals have the size of the training.

        Parameters
        ----------
        substance
            Of the picture.
        """
        own = self.budget.longer_edge / max(PICTURES[OWN][0])
        return own if substance == OWN else min(1.0, CRYSTALS_RATIO * own)

    def judged(self, row: Row, substance: str, index: int) -> tuple[Crystals, NDArray[np.bool_]]:
        """Return the outlines of a row in a test picture, and which are agglomerated.

        Parameters
        ----------
        row, substance, index
            Which.
        """
        crystals = self.find(row.masks, substance, index)
        if row.masks == "crystals":
            return crystals, contact_graph(crystals).agglomerated
        if not row.contrast:
            return crystals, crystals["label"] == 1
        seen = self.find("focus", substance, index)
        near = neighbours(seen, reach_px=self._reach(substance))
        measure = contrast_1 if row.contrast == 1 else contrast_2
        by_focus = agglomerated_by_contrast(measure(focus_level(seen), near))
        if row.masks == "focus":
            return seen, by_focus
        # a mask whose focus nobody states keeps the class of its own network
        same, said = carried_over(crystals, seen), crystals["label"] == 1
        known = same >= 0
        said[known] = by_focus[same[known]]
        return crystals, said

    def _reach(self, substance: str) -> float:
        """Return a cell of the masks in px of the picture."""
        return MASK_STRIDE / self.scale(substance)

    def bars(self) -> list[Bar]:
        """Return Fig. 2, stored or made."""
        path = self.out / "rows" / f"{self.budget.name}-fig2.json"
        made_from = hash_of(
            [__version__, self.counts, TEST_SEED, self._training("focus"),
             find_model("crystals").sha256]
        )  # fmt: skip
        stored = _read(path, made_from)
        if stored is None:
            pictures = self.sets[OWN]
            bars = [*classical_bars(pictures), *self._network_bars(pictures)]
            stored = {"made_from": made_from, "bars": [asdict(bar) for bar in bars]}
            with replacing(path, "w") as file:
                json.dump(stored, file, indent=2)
        return [Bar(**bar) for bar in stored["bars"]]

    def _network_bars(self, pictures: Sequence[KnownPicture]) -> list[Bar]:
        seen = [self.find("focus", OWN, index) for index in range(len(pictures))]
        levels = [focus_level(crystals) for crystals in seen]
        bars = found_bars("Yolo-focus", pictures, seen, levels, self._reach(OWN))
        mine = [self.find("crystals", OWN, index) for index in range(len(pictures))]
        widths = [np.log(blurs(crystals)[:, BLURS.index("edge_blur_px")]) for crystals in mine]
        ours = found_bars("blur along our outlines", pictures, mine, widths, self._reach(OWN))
        return [*bars, ours[0]]  # Contrast 2 asks for two levels, a blur has none


def focus_level(crystals: Crystals) -> NDArray[np.float64]:
    """Return ``(N,)`` how far in focus Yolo-focus says each crystal is, 0 to 1.

    Parameters
    ----------
    crystals
        With ``label`` (1 out of focus) and ``label_share``.
    """
    share = crystals["label_share"].astype(np.float64)
    return np.where(crystals["label"] == 0, share, 1 - share)


def _read(path: Path, made_from: str) -> dict[str, Any] | None:
    """Return what a file says, None when there is none or it was made from something else."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return entries if isinstance(entries, dict) and entries.get("made_from") == made_from else None
