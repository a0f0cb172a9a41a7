"""What all rows of the agglomeration contest share: trainings, test pictures, finds."""

from __future__ import annotations

import hashlib
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
from crystalgauge.core import Crystals
from crystalgauge.datasets.agglomerates_path import REDUCED, SHIPPED_AGGLOMERATES
from crystalgauge.io.atomic import replacing
from crystalgauge.models import find_model
from crystalgauge.models.yolo12_seg.config import MASK_STRIDE
from crystalgauge.pipeline.contacts import found_with_blur
from crystalgauge.predict import Predictor
from crystalgauge.reproduce.agglomeration_focus import Bar, classical_bars, found_bars
from crystalgauge.reproduce.agglomeration_rows import (
    OTHER,
    OWN,
    PATH_TRACED,
    RECIPES,
    RENDERED,
    contest_recipe,
)
from crystalgauge.reproduce.agglomeration_scoring import (
    TEST_SEED,
    KnownPicture,
    known_pictures,
    path_traced_pictures,
    rendered_again,
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

    from crystalgauge.core import Micrograph
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
        drawn = self._stored(row, "", self.counts)
        shipped = [_sha256(path) for path in SHIPPED_AGGLOMERATES.values()]
        return drawn | self._stored(row, "-path", [self._most_path, *shipped])

    def _stored(self, row: Row, part: str, pictures: Any) -> dict[str, Any]:
        """Return the figures of a row on some test sets, stored or made.

        Parameters
        ----------
        row
            Which.
        part
            Nothing for the sets drawn from a seed, "-path" for those that are path traced.
        pictures
            What says which pictures these are.
        """
        path = self.out / "rows" / f"{self.budget.name}-{row.name}{part}.json"
        made_from = hash_of([__version__, pictures, TEST_SEED, self.engine, self.sources(row)])
        stored = _read(path, made_from)
        if stored is not None:
            return stored
        result: dict[str, Any] = {"made_from": made_from, **self.trained(row)}
        names = (*PATH_TRACED.values(), *RENDERED.values()) if part else (OWN, OTHER)
        for name in names:
            known = self.pictures_of(name)
            found = [self.judged(row, name, index) for index in range(len(known))]
            crystals, classes = [one[0] for one in found], [one[1] for one in found]
            result[name] = score_classes(known, crystals, classes).as_dict()
        with replacing(path, "w") as file:
            json.dump(result, file, indent=2)
        return result

    @property
    def counts(self) -> dict[str, int]:
        """Pictures of each habit that are drawn from the test's seed."""
        most = self.pictures or max(self.budget.own, self.budget.other)
        return {OWN: min(self.budget.own, most), OTHER: min(self.budget.other, most)}

    @property
    def _most_path(self) -> int:
        """Path-traced pictures of each habit, at most."""
        return min(self.budget.path, self.pictures or self.budget.path)

    @cached_property
    def _sets(self) -> dict[str, list[KnownPicture]]:
        return {}

    def pictures_of(self, name: str) -> list[KnownPicture]:
        """Return a test set.

        Parameters
        ----------
        name
            A substance, or a value of `PATH_TRACED` or `RENDERED`.
        """
        if name not in self._sets:
            self._sets[name] = self._made(name)
        return self._sets[name]

    def _made(self, name: str) -> list[KnownPicture]:
        self.progress(0.0, f"test pictures, {name}")
        substance = substance_of(name)
        if name == PATH_TRACED[substance]:
            return path_traced_pictures(substance, self._most_path)
        if name == RENDERED[substance]:
            return rendered_again(substance, self.pictures_of(PATH_TRACED[substance]))
        return known_pictures(name, self.counts[name])

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
    def _found(self) -> dict[tuple[str, str, int], tuple[Crystals, Crystals]]:
        return {}

    @cached_property
    def _finders(
        self,
    ) -> dict[tuple[str, str], Callable[[Micrograph], tuple[Crystals, Crystals]]]:
        return {}

    def find(self, masks: str, name: str, index: int) -> Crystals:
        """Return what a network finds in a test picture.

        Parameters
        ----------
        masks
            As in `Row`.
        name, index
            Which test set, which picture.
        """
        return self._finds(masks, name, index)[0]

    def _finds(self, masks: str, name: str, index: int) -> tuple[Crystals, Crystals]:
        """Return what is found, and what is too doubtful."""
        key = (masks, name, index)
        if key not in self._found:
            finder = self._finders.get((masks, name)) or self._finder(masks, name)
            self._finders[masks, name] = finder
            known = self.pictures_of(name)
            self._found[key] = finder(known[index].micrograph)
            self.progress((index + 1) / len(known), f"{masks}: finds, {name}")
        return self._found[key]

    def _finder(self, masks: str, name: str) -> Callable[[Micrograph], tuple[Crystals, Crystals]]:
        if masks == "crystals":
            shipped = Predictor(masks, engine=self.engine, threads=self.threads)
            return lambda picture: found_with_blur(shipped, picture)
        nobody = Crystals.empty()
        if masks == "mask-rcnn":
            network = self._mask_rcnn
            return lambda picture: (find_with_mask_rcnn(network, picture, self.scale(name)), nobody)
        predictor = Predictor(
            self.model(masks), engine=self.engine, threads=self.threads,
            scales=(self.scale(name),),
        )  # fmt: skip
        return lambda picture: (predictor(picture).crystals, nobody)

    @cached_property
    def _mask_rcnn(self) -> Any:
        recipe = contest_recipe("agglomerated", self.budget, minutes=self.minutes)
        return train_mask_rcnn(
            labelled_samples(recipe)[0], window=self.budget.window, batch=self.budget.batch,
            minutes=self.minutes or self.budget.minutes or MASK_RCNN_MINUTES,
            device="cuda" if self.budget.device == "auto" else "cpu",
            progress=lambda share, words: self.progress(share, f"mask-rcnn: training, {words}"),
        )  # fmt: skip

    def scale(self, name: str) -> float:
        """Return at which scale networks look, so that crystals have the size of the training.

        Parameters
        ----------
        name
            Of the test set.
        """
        own, substance = self.budget.longer_edge / max(PICTURES[OWN][0]), substance_of(name)
        reduced = 1 if name == substance else REDUCED[substance]
        ratio = 1.0 if substance == OWN else CRYSTALS_RATIO
        return min(1.0, ratio * reduced * own)

    def judged(self, row: Row, name: str, index: int) -> tuple[Crystals, NDArray[np.bool_]]:
        """Return the outlines of a row in a test picture, and which are agglomerated.

        Parameters
        ----------
        row, name, index
            Which, of which test set.
        """
        if row.masks == "crystals":
            sure, doubtful = self._finds(row.masks, name, index)
            return sure, contact_graph(sure, doubtful=doubtful).agglomerated
        crystals = self.find(row.masks, name, index)
        if not row.contrast:
            return crystals, crystals["label"] == 1
        seen = self.find("focus", name, index)
        near = neighbours(seen, reach_px=self._reach(name))
        measure = contrast_1 if row.contrast == 1 else contrast_2
        by_focus = agglomerated_by_contrast(measure(focus_level(seen), near))
        if row.masks == "focus":
            return seen, by_focus
        # a mask whose focus nobody states keeps the class of its own network
        same, said = carried_over(crystals, seen), crystals["label"] == 1
        known = same >= 0
        said[known] = by_focus[same[known]]
        return crystals, said

    def _reach(self, name: str) -> float:
        """Return a cell of the masks in px of the picture."""
        return MASK_STRIDE / self.scale(name)

    def bars(self) -> list[Bar]:
        """Return Fig. 2, stored or made."""
        path = self.out / "rows" / f"{self.budget.name}-fig2.json"
        made_from = hash_of(
            [__version__, self.counts, TEST_SEED, self._training("focus"),
             find_model("crystals").sha256]
        )  # fmt: skip
        stored = _read(path, made_from)
        if stored is None:
            pictures = self.pictures_of(OWN)
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


def substance_of(name: str) -> str:
    """Return the substance of a test set.

    Parameters
    ----------
    name
        A substance, or a value of `PATH_TRACED` or `RENDERED`.
    """
    return next(s for s in (OWN, OTHER) if name in (s, PATH_TRACED[s], RENDERED[s]))


def focus_level(crystals: Crystals) -> NDArray[np.float64]:
    """Return ``(N,)`` how far in focus Yolo-focus says each crystal is, 0 to 1.

    Parameters
    ----------
    crystals
        With ``label`` (1 out of focus) and ``label_share``.
    """
    share = crystals["label_share"].astype(np.float64)
    return np.where(crystals["label"] == 0, share, 1 - share)


def _sha256(path: Path) -> str:
    """Return the hash of a file, nothing when there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _read(path: Path, made_from: str) -> dict[str, Any] | None:
    """Return what a file says, None when there is none or it was made from something else."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return entries if isinstance(entries, dict) and entries.get("made_from") == made_from else None
