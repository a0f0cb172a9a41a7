"""What a budget allows the learned-aperture paper's trainings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from crystalgauge.models.focus_cnn.config import FocusCnnConfig
from crystalgauge.train.focus_planes import FocusSchedule

if TYPE_CHECKING:
    from crystalgauge.reproduce.aperture_rows import Row

PAPER_PICTURES = 1000
"""Of each plane."""


LAYER_FACTOR = 20.0
"""Apertures and pupils learn so much faster than weights."""

SMALL_EXAMPLES, SMALL_RATE = 3, 2.5
"""So many times the pictures are shown, and so much faster weights learn, in a reduced network that
is alone or behind a filter whose radius is learnt; found on the validation scenes."""


@dataclass(frozen=True)
class AperturePlan:
    """Sizes of the work.

    Parameters
    ----------
    name
        Of the budget.
    size
        Height and width of the pictures in px.
    scenes
        For training where a row has the paper's thousand; the others have their share.
    judged
        Scenes for validation, and as many again for the test.
    examples
        Pictures shown to a network, repeats included.
    multiplications
        Bound of a training: wide networks see fewer pictures.
    least_examples
        A row that this bound leaves fewer is not trained.
    parameters
        Of the network where a row does not say.
    rate, decay
        Of the training.
    records
        Points of a curve.
    device
        Of the training.
    """

    name: str
    size: int
    scenes: int
    judged: int
    examples: int
    multiplications: float
    least_examples: int
    parameters: int
    rate: float
    decay: Literal["none", "cosine"]
    records: int
    device: str = "cpu"

    def config(self, row: Row) -> FocusCnnConfig:
        """Return a row's network: its own size, or that of the plan."""
        whole = FocusCnnConfig(row.kernel, row.activation, classes=len(row.planes))
        whole = whole.with_parameters(row.parameters or self.parameters)
        return replace(whole, reduced=row.reduced)

    def longer(self, row: Row) -> bool:
        """Return whether a row's training is lengthened: a small network takes more steps."""
        learnt = row.layer == "filter" and row.learn_radius
        return row.reduced and (learnt or row.layer == "none")

    def training_scenes(self, row: Row) -> int:
        """Return how many scenes a row learns from."""
        return max(2, round(self.scenes * row.pictures / PAPER_PICTURES))

    def allowed(self, row: Row) -> int:
        """Return how many pictures a row's network is shown; 0 where too few to train it."""
        cost = self.config(row).multiplications(self.size)
        wanted = self.examples * (SMALL_EXAMPLES if self.longer(row) else 1)
        examples = min(wanted, int(self.multiplications / cost))
        return 0 if examples < self.least_examples else examples - examples % row.batch

    def schedule(self, row: Row) -> FocusSchedule:
        """Return a row's training."""
        return FocusSchedule(
            batch=row.batch, rate=self.rate * (SMALL_RATE if self.longer(row) else 1.0),
            examples=self.allowed(row), decay=self.decay, records=self.records,
            layer_factor=LAYER_FACTOR,
        )  # fmt: skip


PLANS = {
    "smoke": AperturePlan("smoke", 32, 6, 4, 40, 5e8, 40, 5_000, 1e-3, "cosine", 2),
    "cpu": AperturePlan("cpu", 48, 500, 150, 5_000, 1.9e10, 500, 20_000, 2e-3, "cosine", 5),
    "gpu": AperturePlan("gpu", 128, 1000, 300, 100_000, 1e15, 1000, 50_000, 1e-4, "none", 20,
                        "auto"),
}  # fmt: skip
"""By budget. The paper's rate is 1e-4; the CPU's is twenty times that and falls to nothing."""
