"""Pictures with known contacts, for fitting and for judging."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.agglomeration.labels import Classes, answers_for, paper_classes
from crystalgauge.core import Crystals, Micrograph
from crystalgauge.metrics import match_one_to_one, picture_overlap
from crystalgauge.render.renderer import render
from crystalgauge.scenes.agglomerates import PICTURES, sample_scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

FITTING_SEED, CHECKING_SEED, REPORT_SEED = 61, 62, 63
OWN_LIBRARY, OTHER_LIBRARY = 0, 9
"""Seeds of the shapes: those of the fit, and those kept for the report."""


@dataclass(frozen=True, eq=False)
class Example:
    """One picture's outlines beside its truth.

    Parameters
    ----------
    crystals
        Outlines, with ``defocus_px`` and ``score``.
    doubtful
        The like of finds that are not sure enough to be reported.
    doubtful_for
        ``(D,)`` row of the true crystal each of these stands for, or -1.
    stands_for
        ``(M,)`` row of the true crystal each sure outline stands for, or -1.
    truth_of
        ``(M,)`` the same, of outlines that match one (intersection over union above 0.5), or -1.
    truth
        The crystals there are.
    classes
        Their labels.
    """

    crystals: Crystals
    stands_for: NDArray[np.int64]
    truth_of: NDArray[np.int64]
    truth: Crystals
    classes: Classes
    doubtful: Crystals
    doubtful_for: NDArray[np.int64]


def draw_examples(
    substance: str,
    seed: int,
    count: int,
    find: Callable[[Micrograph], tuple[Crystals, Crystals]],
    *,
    library_seed: int = OWN_LIBRARY,
) -> Iterator[tuple[Example, Example]]:
    """Yield pictures as a model outlines them, and as they are.

    Parameters
    ----------
    substance
        A key of `crystalgauge.scenes.agglomerates.PICTURES`.
    seed
        Of the scenes; picture number i does not depend on `count`.
    count
        Number of pictures.
    find
        Outlines the crystals of a picture, the sure and the doubtful, and measures their blur.
    library_seed
        Of the shapes.
    """
    shape, config = PICTURES[substance]
    config = replace(config, library_seed=library_seed)
    for index in range(count):
        scene = sample_scene(np.random.default_rng((seed, index)), shape, config)
        micrograph, truth = render(scene)
        classes = paper_classes(truth)
        found = found_example(*find(micrograph), truth.crystals, classes)
        yield found, exact_example(truth.crystals, classes)


def found_example(
    found: Crystals, doubtful: Crystals, truth: Crystals, classes: Classes
) -> Example:
    """Relate outlines found to the truth.

    Parameters
    ----------
    found, doubtful
        What a model outlined and reports, and what it does not report.
    truth, classes
        What is there.
    """
    match = match_one_to_one(picture_overlap(truth, found))
    return Example(
        found, answers_for(truth, found), match.truth_of, truth, classes,
        doubtful, answers_for(truth, doubtful),
    )  # fmt: skip


def exact_example(truth: Crystals, classes: Classes) -> Example:
    """Return the true outlines and blurs of all crystals that a model is asked to find.

    Parameters
    ----------
    truth, classes
        What is there.
    """
    rows = np.flatnonzero(~truth["ignore"].astype(bool))
    crystals = truth.take(rows)
    seen = Crystals(crystals.outlines, {"defocus_px": crystals["defocus_px"]})
    return Example(seen, rows, rows, truth, classes, seen.take(slice(0)), rows[:0])
