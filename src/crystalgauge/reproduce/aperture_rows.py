"""The trainings of the learned-aperture paper: which planes, which network, what was printed.

Chelales, Deutsch and Wang, "Automated image focus detecting algorithm for low-cost handheld
microscope" (a project's final report). Figures that it gives in plots alone are not repeated here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crystalgauge.core import ArgumentError
from crystalgauge.models.focus_cnn.config import KERNELS, ActivationName

if TYPE_CHECKING:
    from crystalgauge.train.focus_networks import LayerName

NAMED_OFFSETS = "planes lie 2 µm apart: what the paper calls 10, 20 and 30 µm is 12, 22 and 32"

BINARY = ((16,), (10,))
THREE = ((16, 17), (10,), (5,))
THREE_LEVELS = ((16,), (10,), (5,))
FOUR = ((16, 17), (10,), (5,), (0,))
BELOW_ABOVE = ((16,), (5,), (25,))

ACTIVATIONS: tuple[ActivationName, ...] = ("relu", "tanh")

PAPER_ROWS_PX = 520
"""Height of the paper's pictures: its radii in px of their spectrum are r / 520 cycles per px."""

PARAMETERS = {
    "relu": (5_000, 20_000, 50_000, 100_000, 200_000, 400_000, 800_000, 1_200_000, 1_600_000),
    "tanh": (50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000, 3_000_000),
}
"""The paper's ranges, and as many steps of ReLU as it took."""

SUBSETS = (500, 400, 300, 200, 100)
"""Pictures of each plane in the paper's supplement."""


@dataclass(frozen=True)
class Row:
    """One training.

    Parameters
    ----------
    name
        How the command line knows it: its table's name and its own.
    title
        How the page shows it.
    planes
        Planes of each class, the one in focus first.
    parameters
        Of the network wanted; None for the budget's. Reduced networks have the width of the whole
        one of so many.
    activation, kernel, batch
        Of network and training.
    pictures
        Of each plane, of the thousand that the paper had.
    reduced
        Whether the first three convolutions and two poolings are left out.
    layer
        What stands before the network: nothing, a filter in the Fourier plane of the picture, or
        the microscope's pupil.
    radius
        Of the layer to start from: the filter's in px of the paper's spectra, the pupil's as a
        share of the full one.
    learn_radius, learn_phase
        What of the layer is trained.
    paper
        Accuracy that the paper printed.
    """

    name: str
    title: str
    planes: tuple[tuple[int, ...], ...] = BINARY
    parameters: int | None = None
    activation: ActivationName = "relu"
    kernel: int = 5
    batch: int = 10
    pictures: int = 1000
    reduced: bool = False
    layer: LayerName = "none"
    radius: float = 0.0
    learn_radius: bool = False
    learn_phase: bool = False
    paper: float | None = None

    @property
    def table(self) -> str:
        """Name of the table it stands in."""
        return self.name.partition("-")[0]


def _levels() -> tuple[Row, ...]:
    rows = []
    for words, planes, printed in (
        ("binary", BINARY, {}),
        ("three", THREE_LEVELS, {("relu", 1000): 0.975, ("tanh", 1000): 0.953,
                                 ("relu", 500): 0.975, ("tanh", 500): 0.865}),
        ("four", FOUR, {}),
        ("sides", BELOW_ABOVE, {}),
    ):  # fmt: skip
        for pictures in (1000,) if words in ("binary", "sides") else (1000, 500):
            for activation in ACTIVATIONS:
                short = "" if pictures == 1000 else f"-{pictures}"
                rows.append(Row(
                    f"levels-{words}-{activation}{short}",
                    f"{_planes_words(planes)}, {activation}, {pictures} a plane",
                    planes, activation=activation, pictures=pictures,
                    paper=printed.get((activation, pictures)),
                ))  # fmt: skip
    return tuple(rows)


def _planes_words(planes: tuple[tuple[int, ...], ...]) -> str:
    return " against ".join(" and ".join(f"{p:02d}" for p in each) for each in planes)


def _aperture() -> tuple[Row, ...]:
    return (
        Row("aperture-bare", "reduced network alone", reduced=True),
        Row("aperture-filter10", "filter, radius 10 px", reduced=True, layer="filter", radius=10,
            paper=0.65),
        Row("aperture-filter100", "filter, radius 100 px", reduced=True, layer="filter", radius=100,
            paper=0.96),
        Row("aperture-filter-radius", "filter, radius learnt from 30 px", reduced=True,
            layer="filter", radius=30, learn_radius=True),
        Row("aperture-filter-phase", "filter, radius 100 px, phase learnt", reduced=True,
            layer="filter", radius=100, learn_phase=True, paper=0.99),
        Row("aperture-filter-both", "filter, radius learnt from 30 px, phase learnt", reduced=True,
            layer="filter", radius=30, learn_radius=True, learn_phase=True),
        Row("aperture-pupil", "pupil, open", reduced=True, layer="pupil", batch=34, radius=0.9),
        Row("aperture-pupil-radius", "pupil, radius learnt", reduced=True, layer="pupil",
            batch=34, radius=0.9, learn_radius=True),
        Row("aperture-pupil-phase", "pupil, radius and phase learnt", reduced=True, layer="pupil",
            batch=34, radius=0.9, learn_radius=True, learn_phase=True),
    )  # fmt: skip


def _sweeps() -> tuple[Row, ...]:
    rows = [Row(f"kernels-{k}", f"{k} x {k} px", kernel=k) for k in KERNELS]
    for activation in ACTIVATIONS:
        rows += [
            Row(f"parameters-{activation}-{n // 1000}k", f"{n:,}", parameters=n,
                activation=activation)
            for n in PARAMETERS[activation]
        ]  # fmt: skip
    for activation in ACTIVATIONS:
        rows += [
            Row(f"batch-{activation}-{batch}", f"{activation}, batch of {batch}", THREE,
                batch=batch, activation=activation)
            for batch in (10, 34)
        ]  # fmt: skip
    for activation in ACTIVATIONS:
        rows += [
            Row(f"subsets-{activation}-{n}", f"{activation}, {n} a plane", THREE, pictures=n,
                activation=activation)
            for n in SUBSETS
        ]  # fmt: skip
    return tuple(rows)


_LEVELS = _levels()

ROWS = (*_LEVELS[:2], *_aperture(), *_LEVELS[2:], *_sweeps())
"""All, in the order of training: what the paper is about comes first."""

FULL = "levels-binary-relu"
"""The full network that the reduced ones are held against."""


def find_rows(names: tuple[str, ...]) -> tuple[Row, ...]:
    """Return the rows of these names or tables, in the order of training.

    Parameters
    ----------
    names
        Of rows, or of tables: levels, aperture, kernels, parameters, batch, subsets.

    Raises
    ------
    ArgumentError
        When a name is unknown.
    """
    known = {row.name for row in ROWS} | {row.table for row in ROWS}
    unknown = [name for name in names if name not in known]
    if unknown:
        tables = ", ".join(dict.fromkeys(row.table for row in ROWS))
        raise ArgumentError(
            f"unknown rows {', '.join(unknown)}; known are the tables {tables} and rows such as "
            f"{ROWS[0].name}"
        )
    return tuple(row for row in ROWS if row.name in names or row.table in names)
