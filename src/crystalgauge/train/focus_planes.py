"""Train a network that tells planes of a stack apart."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn

LAYERS = ("aperture.", "pupil.")
"""Where the parameters of physical layers begin."""

JUDGED_AT_ONCE = 100
"""Pictures per batch where nothing is learnt."""


@dataclass(frozen=True)
class FocusSchedule:
    """Length and rate of a training.

    Parameters
    ----------
    batch
        Pictures per step.
    rate
        Learning rate of Adam.
    examples
        Pictures shown, repeats included.
    decay
        "none" keeps the rate; "cosine" lets it fall to nothing.
    records
        How often the validation set is looked at.
    seed
        Of the order.
    layer_factor
        By how much faster a physical layer (parameters of ``aperture`` or ``pupil``) learns: a
        radius and a phase have farther to go than weights.
    """

    batch: int = 10  # the paper's; it compares 34
    rate: float = 1e-4  # the paper's
    examples: int = 100_000
    decay: Literal["none", "cosine"] = "none"
    records: int = 10
    seed: int = 0
    layer_factor: float = 1.0

    def __post_init__(self) -> None:
        if min(self.batch, self.records) < 1 or self.examples < self.batch or not self.rate > 0:
            raise ArgumentError(
                "a schedule needs a batch, a record and a rate above 0 and examples for one "
                f"batch, got {self}"
            )


@dataclass(frozen=True, eq=False)
class LabelledPlanes:
    """What a network is given, and the classes to be found.

    Parameters
    ----------
    inputs
        Arrays of ``N`` rows each, float32: the arguments of the network's ``forward``.
    labels
        ``(N,)`` classes from 0.
    """

    inputs: tuple[NDArray[np.float32], ...]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if {len(values) for values in self.inputs} != {len(self.labels)}:
            raise ArgumentError("inputs and labels must have as many rows")

    def __len__(self) -> int:
        return len(self.labels)


@dataclass
class FocusHistory:
    """What was seen on the way, one entry a record.

    Parameters
    ----------
    epochs
        Looks at the whole training set.
    train_loss, train_accuracy
        Means since the last record.
    validation_loss, validation_accuracy
        At that time.
    examples
        Pictures shown in all.
    seconds
        Processor time in all.
    """

    epochs: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    examples: int = 0
    seconds: float = 0.0


def fit_planes(
    network: nn.Module,
    train: LabelledPlanes,
    validation: LabelledPlanes,
    schedule: FocusSchedule,
    progress: Callable[[float, str], None] = lambda share, words: None,
) -> FocusHistory:
    """Train a network in place, by cross-entropy and Adam.

    Parameters
    ----------
    network
        Takes the inputs, gives scores before the softmax; what needs no gradient stays.
    train, validation
        What is learnt, and what is only looked at.
    schedule
        Length and rate.
    progress
        Called with the share done, 0 to 1, and the loss.
    """
    import torch
    from torch.nn import functional

    started = time.process_time()
    learnt = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for name, p in learnt if name.startswith(LAYERS) == physical],
         "factor": schedule.layer_factor if physical else 1.0}
        for physical in (False, True)
    ]  # fmt: skip
    optimiser = torch.optim.Adam([group for group in groups if group["params"]], lr=schedule.rate)
    rng = np.random.default_rng(schedule.seed)
    steps = schedule.examples // schedule.batch
    records = {math.ceil(steps * (k + 1) / schedule.records) for k in range(schedule.records)}
    history = FocusHistory()
    order = np.empty(0, np.int64)
    losses: list[float] = []
    right: list[float] = []
    network.train()
    for step in range(1, steps + 1):
        while len(order) < schedule.batch:
            order = np.concatenate([order, rng.permutation(len(train))])
        rows, order = order[: schedule.batch], order[schedule.batch :]
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * group["factor"] * _share_of_rate(schedule, step / steps)
        scores = network(*_tensors(train, rows, network))
        labels = torch.from_numpy(train.labels[rows]).to(scores.device)
        loss = functional.cross_entropy(scores, labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
        right.append(float((scores.argmax(1) == labels).float().mean()))
        if step in records:
            found, validation_loss = judge_planes(network, validation)
            history.epochs.append(step * schedule.batch / len(train))
            history.train_loss.append(float(np.mean(losses)))
            history.train_accuracy.append(float(np.mean(right)))
            history.validation_loss.append(validation_loss)
            history.validation_accuracy.append(float((found == validation.labels).mean()))
            progress(step / steps, f"loss {history.train_loss[-1]:.3f}")
            losses, right = [], []
    history.examples = steps * schedule.batch
    history.seconds = time.process_time() - started
    return history


def judge_planes(network: nn.Module, planes: LabelledPlanes) -> tuple[NDArray[np.int64], float]:
    """Return the ``(N,)`` classes found and the mean cross-entropy.

    Parameters
    ----------
    network
        As for `fit_planes`.
    planes
        What to judge.
    """
    import torch
    from torch.nn import functional

    scores = scores_of(network, planes)
    loss = functional.cross_entropy(torch.from_numpy(scores), torch.from_numpy(planes.labels))
    return scores.argmax(1), float(loss)


def scores_of(network: nn.Module, planes: LabelledPlanes) -> NDArray[np.float32]:
    """Return the ``(N, classes)`` scores before the softmax.

    Parameters
    ----------
    network, planes
        As for `judge_planes`.
    """
    import torch

    training = network.training
    network.eval()
    parts = []
    with torch.no_grad():
        for first in range(0, len(planes), JUDGED_AT_ONCE):
            rows = np.arange(first, min(first + JUDGED_AT_ONCE, len(planes)))
            parts.append(network(*_tensors(planes, rows, network)).cpu().numpy())
    network.train(training)
    return np.concatenate(parts)


def _tensors(
    planes: LabelledPlanes, rows: NDArray[np.int64], network: nn.Module
) -> tuple[Tensor, ...]:
    import torch

    device = next(network.parameters()).device
    return tuple(torch.from_numpy(values[rows]).to(device) for values in planes.inputs)


def _share_of_rate(schedule: FocusSchedule, done: float) -> float:
    """Return the share of the rate at a share of the training."""
    return 1.0 if schedule.decay == "none" else (1 + math.cos(math.pi * done)) / 2
