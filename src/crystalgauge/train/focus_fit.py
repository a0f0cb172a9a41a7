"""Train the network of tiles from rendering to an exported model."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from crystalgauge._version import __version__
from crystalgauge.core import ArgumentError
from crystalgauge.io.atomic import replacing
from crystalgauge.models.focus_tiles.decode import COVERAGE, decode
from crystalgauge.models.focus_tiles.loss import focus_loss
from crystalgauge.models.focus_tiles.model import FocusTiles
from crystalgauge.models.focus_tiles.weights import export_model
from crystalgauge.models.registry import CARD_SUFFIX, FORMAT
from crystalgauge.train.average import follow
from crystalgauge.train.fit import Fitted, tune_allocator
from crystalgauge.train.focus_batches import batches, network_input
from crystalgauge.train.focus_data import FocusSet, render_set

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.train.focus_recipe import FocusRecipe

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0
SAID_EVERY = 20  # steps


class FocusTraining:
    """Network, moving average of its weights, optimizer and what is spent.

    Parameters
    ----------
    recipe
        Decides everything.
    """

    def __init__(self, recipe: FocusRecipe) -> None:
        torch.manual_seed(recipe.schedule.seed)
        self.recipe = recipe
        self.model = FocusTiles(recipe.network.config())
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).requires_grad_(False).eval()
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        rest = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices, "weight_decay": recipe.schedule.weight_decay},
             {"params": rest, "weight_decay": 0.0}]
        )  # fmt: skip
        self.spent_seconds, self.steps = 0.0, 0

    @property
    def share_done(self) -> float:
        """Share of the budget that is spent, 0 to 1."""
        return min(1.0, self.spent_seconds / (60 * self.recipe.schedule.cpu_minutes))

    def step(self, batch: tuple[torch.Tensor, ...]) -> dict[str, float]:
        """Learn from one batch and return the terms of its loss."""
        schedule = self.recipe.schedule
        warm = min(1.0, (self.steps + 1) / schedule.warmup_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * self.share_done))
        share = schedule.final_share + (1 - schedule.final_share) * cosine
        for group in self.optimizer.param_groups:
            group["lr"] = schedule.peak_rate * warm * share
        self.model.train()
        image, *targets = batch
        terms = focus_loss(self.model(image), *targets)
        self.optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), schedule.clip_norm)
        self.optimizer.step()
        self.steps += 1
        follow(self.average, self.model, self.steps, schedule.average_decay)
        return {name: float(value.detach()) for name, value in terms.items()}

    def state(self) -> dict[str, Any]:
        """Return what a training resumes from."""
        return {
            "model": self.model.state_dict(), "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(), "spent_seconds": self.spent_seconds,
            "steps": self.steps,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.spent_seconds, self.steps = float(state["spent_seconds"]), int(state["steps"])


def fit_focus(
    recipe: FocusRecipe,
    out: Path,
    *,
    resume: bool = False,
    progress: Callable[[float, str], None] | None = None,
    **options: Any,
) -> Fitted:
    """Render what is missing, train on the processor, validate, export.

    Parameters
    ----------
    recipe
        The recipe.
    out
        Folder for pictures, checkpoint and the model.
    resume
        Go on from the checkpoint in `out`, where there is one.
    progress
        Called with the share done, 0 to 1, and a word on the loss.
    options
        Of `fit_recipe` that this small training has no use for; refused when they ask for
        anything.

    Raises
    ------
    ArgumentError
        When `out` holds a training and `resume` was not asked for, or for annotated pictures,
        weights to start from or a GPU.
    """
    _refuse(options)
    last = out / "last.ckpt"
    if last.exists() and not resume:
        raise ArgumentError(
            f"{out} holds a training already; add --resume or choose another folder"
        )
    tune_allocator()
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    data = recipe.data
    train = render_set(
        out / "train.npz", seed=data.seed, pictures=data.pictures, size=data.size,
        progress=progress,
    )  # fmt: skip
    validation = render_set(
        out / "validation.npz", seed=data.validation_seed, pictures=data.validation_pictures,
        size=data.size, progress=progress,
    )  # fmt: skip
    training = FocusTraining(recipe)
    if resume and last.exists():
        training.restore(torch.load(last, map_location="cpu", weights_only=True))
    _spend(training, train, last, progress)
    factor, scores = validate_focus(training.average, validation)
    model = _export(training, out / "model", factor, scores, len(train))
    return Fitted(last, model, scores)


def _refuse(options: dict[str, Any]) -> None:
    plain = {"data": None, "init": None, "device": ("auto", "cpu"), "workers": None, "processes": 1}
    for name, value in options.items():
        allowed = plain[name]
        if value not in (allowed if isinstance(allowed, tuple) else (allowed,)):
            raise ArgumentError(
                f"a network of tiles is trained on simulated pictures by one process on the CPU; "
                f"leave --{name} out"
            )


def _spend(
    training: FocusTraining,
    train: FocusSet,
    last: Path,
    progress: Callable[[float, str], None] | None,
) -> None:
    """Learn until the budget is spent, keeping a checkpoint."""
    schedule = training.recipe.schedule
    stream = batches(train, schedule.batch, np.random.default_rng((schedule.seed, training.steps)))
    tick, kept = time.process_time(), training.spent_seconds
    while training.share_done < 1.0:
        terms = training.step(next(stream))
        now = time.process_time()
        training.spent_seconds += now - tick
        tick = now
        if training.steps % SAID_EVERY == 0:
            words = ", ".join(f"{name} {value:.3f}" for name, value in terms.items())
            logger.info("step %d: %s", training.steps, words)
            if progress:
                progress(training.share_done, words)
        if training.spent_seconds - kept > CHECKPOINT_SECONDS or training.share_done >= 1.0:
            with replacing(last) as file:
                torch.save(training.state(), file)
            kept = training.spent_seconds


def predicted(model: FocusTiles, samples: FocusSet) -> NDArray[np.float32]:
    """Return ``(N, 3, h, w)`` what a network says of every picture of a set."""
    model.eval()
    with torch.inference_mode():
        inputs = (network_input(image.astype(np.float32), None) for image in samples.images)
        return np.concatenate([model(torch.from_numpy(x)[None]).numpy() for x in inputs])


def validate_focus(model: FocusTiles, samples: FocusSet) -> tuple[float, dict[str, float]]:
    """Score a network, and tell what its widths must be multiplied by to hold their share.

    Parameters
    ----------
    model
        On the CPU.
    samples
        With truth.
    """
    raw = predicted(model, samples)
    known = np.isfinite(samples.blur_px)
    truth = samples.blur_px[known]
    found = decode(raw.transpose(1, 0, 2, 3))
    reach = np.exp(raw[:, 1])[known] * np.log(1 / (1 - COVERAGE))
    missed = np.abs(np.log1p(truth) - raw[:, 0][known])
    factor = float(np.quantile(missed / reach, COVERAGE))
    error = np.abs(found.blur_px[known] - truth)
    tolerable = error <= np.maximum(0.5, 0.15 * truth)
    asked = samples.content >= 0
    right = (found.content >= 0.5) == (samples.content == 1)
    return factor, {
        "median_error_px": float(np.median(error)),
        "median_relative_error": float(np.median((error / truth)[truth >= 1])),
        "share_within_15_percent_or_half_px": float(tolerable.mean()),
        "content_accuracy": float(right[asked].mean()),
    }


def _export(
    training: FocusTraining,
    folder: Path,
    factor: float,
    scores: dict[str, float],
    pictures: int,
) -> Path:
    recipe = training.recipe
    folder.mkdir(parents=True, exist_ok=True)
    export_model(training.average.cpu().eval(), folder / f"{recipe.name}.onnx")
    card = {
        "format": FORMAT,
        "name": recipe.name,
        "kind": recipe.model,
        "version": __version__,
        "licence": "BSD-3-Clause",
        "network": recipe.network.config().as_dict(),
        "width_factor": round(factor, 3),
        "recipe": recipe.model_dump(mode="json"),
        "budget": {
            "pictures_seen": training.steps * recipe.schedule.batch,
            "cpu_minutes": round(training.spent_seconds / 60, 1),
            "device": "cpu",
            "pictures": pictures,
        },
        "scores": {name: round(value, 4) for name, value in scores.items()},
        "known_failures": [],
    }
    with replacing(folder / f"{recipe.name}{CARD_SUFFIX}", "w", encoding="utf-8") as file:
        file.write(json.dumps(card, indent=2) + "\n")
    return folder
