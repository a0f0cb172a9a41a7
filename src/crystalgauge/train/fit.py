"""Train a recipe from rendering to an exported model."""

from __future__ import annotations

import ctypes
import functools
import json
import logging
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crystalgauge.core import ArgumentError
from crystalgauge.datasets.shards import write_shards
from crystalgauge.datasets.streaming import Joined, open_shards
from crystalgauge.models import find_model
from crystalgauge.train.extra import check_extra
from crystalgauge.train.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from crystalgauge.datasets.shards import Samples
    from crystalgauge.train.module import ModelTraining

logger = logging.getLogger(__name__)

LAST = "last.ckpt"
LOADERS_ON_CPU = 1 if sys.platform == "linux" else 0
"""One process prepares batches while the others compute; where processes cannot fork, a copy of
all samples would cost more than it gains."""


@dataclass(frozen=True)
class Fitted:
    """What a training leaves.

    Parameters
    ----------
    checkpoint
        To resume from.
    model
        Folder with the exported model and its card.
    scores
        On the validation scenes.
    """

    checkpoint: Path
    model: Path
    scores: dict[str, float]


def fit_recipe(
    recipe: str | Path | Recipe | None,
    out: str | Path,
    *,
    resume: bool = False,
    data: str | Path | None = None,
    init: str | Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    processes: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> Fitted:
    """Render what is missing, train, validate, export.

    Parameters
    ----------
    recipe
        A recipe, its file, or the name of a shipped one. None takes ``finetune.toml`` for
        annotated pictures and ``outline.toml`` otherwise.
    out
        Folder for shards, checkpoints, logs, sample pictures and the model.
    resume
        Go on from the last checkpoint in `out`.
    data
        Annotated pictures to learn from, in turn with simulated scenes.
    init
        Start from the weights of a model instead of at random; its network replaces the recipe's.
    device
        "cpu", "cuda" or "auto".
    workers
        Processes that render; on a GPU as many load.
    processes
        Processes that train side by side on a CPU, each on its share of the cores and with
        batches of its own. On two cores two are a quarter faster than one.
    progress
        Called with the share done, 0 to 1, and a word on the loss.

    Raises
    ------
    ArgumentError
        When `out` holds a training and `resume` was not asked for, or the recipe is not valid.
    MissingExtraError
        When the packages of the extra ``train`` are not installed.
    """
    check_extra("training")
    if recipe is None:
        recipe = "finetune.toml" if data is not None else "outline.toml"
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    if init is not None:
        recipe = _with_network_of(recipe, init)
    out = Path(out)
    if (out / LAST).exists() and not resume:
        raise ArgumentError(
            f"{out} holds a training already; add --resume or choose another folder"
        )
    train, validation = render_scenes(recipe, out / "shards", workers=workers, progress=progress)
    if data is not None:
        from crystalgauge.train.annotated import Interleaved, read_samples, split_samples

        mine, held_out = split_samples(read_samples(data, least_edge=recipe.schedule.window))
        train, validation = Interleaved(mine, train), held_out
    return fit(
        recipe, train, validation, out, resume=resume, init=init, device=device, workers=workers,
        processes=processes, progress=progress,
    )  # fmt: skip


def _with_network_of(recipe: Recipe, init: str | Path) -> Recipe:
    """Return a recipe with the network of a model in place of its own."""
    files = find_model(init)
    if files.kind != recipe.model:
        raise ArgumentError(
            f'the recipe has model = "{recipe.model}", but {init} is of the kind "{files.kind}"; '
            "choose a recipe of that kind"
        )
    section, settings = type(recipe.network), files.card["network"]
    known = {k: v for k, v in settings.items() if k in section.model_fields}
    return recipe.model_copy(update={"network": section.model_validate(known)})


def render_scenes(
    recipe: Recipe,
    folder: Path,
    *,
    workers: int | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> tuple[Samples, Samples]:
    """Render a recipe's scenes where they are not there yet; return training and validation.

    Parameters
    ----------
    recipe
        Its data section says what.
    folder
        Where the shards go.
    workers
        Processes; all cores by default.
    progress
        Called with 0 and a word on what is done.
    """

    def rendered(done: int, total: int) -> None:
        if progress:
            progress(0.0, f"rendered {done} of {total} shards")

    if recipe.model == "yolo12-seg":  # a few pictures with classes, which shards do not keep
        from crystalgauge.train.labelled import labelled_samples

        return labelled_samples(recipe)
    settings = recipe.data
    parts = []
    for name, regime in settings.regimes.items():
        part = folder / "train" / name
        write_shards(
            part, regime.pictures, size=regime.size, seed=settings.seed, regime=name,
            degraded=regime.degraded, workers=workers, progress=rendered,
        )  # fmt: skip
        parts.append(open_shards(part))
    write_shards(
        folder / "validation", settings.validation_pictures, size=settings.validation_size,
        seed=settings.validation_seed, regime=settings.validation_regime, workers=workers,
        progress=rendered,
    )  # fmt: skip
    return Joined(parts), open_shards(folder / "validation")


def fit(
    recipe: Recipe,
    train: Samples,
    validation: Samples,
    out: Path,
    *,
    resume: bool = False,
    init: str | Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    processes: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> Fitted:
    """Train on samples at hand; see `fit_recipe`."""
    import torch

    from crystalgauge.train.export import export_fitted
    from crystalgauge.train.module import ModelTraining
    from crystalgauge.train.validation import validate

    tune_allocator()
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.schedule.seed)
    on_gpu = torch.cuda.is_available() if device == "auto" else device.startswith("cuda")
    module = ModelTraining(recipe)
    if init is not None:
        _start_from(module, init)
    module.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    last = out / LAST
    loaders = (workers or 0) if on_gpu else LOADERS_ON_CPU
    loader = _loader(module, train, loaders, on_gpu, last if resume else None)
    if not on_gpu and processes > 1:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))
    trainer = _trainer(recipe, validation, out, on_gpu, processes, progress)
    trainer.fit(
        module,
        loader,
        ckpt_path=str(last) if resume and last.exists() else None,
        weights_only=False,
    )
    trainer.save_checkpoint(last)
    if not trainer.is_global_zero:
        raise SystemExit(0)  # the first process goes on alone
    report = validate(module.average.cpu(), validation, module.task)
    model = export_fitted(module, report, out / "model", data=len(train))
    (out / "scores.json").write_text(json.dumps(report.scores, indent=2), encoding="utf-8")
    return Fitted(last, model, report.scores)


def _start_from(module: ModelTraining, init: str | Path) -> None:
    """Take over all weights of a model; layers that it lacks start as they are."""
    from crystalgauge.models.torch_models import load_model

    state = load_model(find_model(init)).state_dict()
    own = module.model.state_dict()
    if any(name not in own or own[name].shape != value.shape for name, value in state.items()):
        raise ArgumentError(
            f"the recipe's network differs from that of {init}; use the widths on its card"
        )
    for model in (module.model, module.average):
        model.load_state_dict(own | state)


def _loader(
    module: ModelTraining, train: Any, workers: int, on_gpu: bool, resumed: Path | None
) -> Any:
    import torch
    from torch.utils.data import DataLoader

    from crystalgauge.train.batches import WindowStream, collate

    seen = 0
    if resumed is not None and resumed.exists():
        seen = int(torch.load(resumed, map_location="cpu", weights_only=False)["crops_seen"])
    schedule = module.recipe.schedule
    stream = WindowStream(train, schedule.window, module.task, schedule.seed, seen)
    return DataLoader(
        stream, batch_size=schedule.batch, num_workers=workers,
        collate_fn=functools.partial(collate, task=module.task),
        pin_memory=on_gpu, prefetch_factor=8 if workers else None,
    )  # fmt: skip


def _trainer(
    recipe: Recipe,
    validation: Any,
    out: Path,
    on_gpu: bool,
    processes: int,
    progress: Callable[[float, str], None] | None,
) -> Any:
    import datetime

    import pytorch_lightning as pl
    from pytorch_lightning.callbacks import ModelCheckpoint
    from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger

    from crystalgauge.train.callbacks import ReportProgress, ValidateByClock

    schedule = recipe.schedule
    every = datetime.timedelta(minutes=schedule.checkpoint_minutes)
    callbacks: list[pl.Callback] = [
        ModelCheckpoint(
            out, filename="step-{step}", save_last=True, save_top_k=1, train_time_interval=every
        ),
        ValidateByClock(validation, schedule.validate_minutes, out / "samples"),
    ]
    if progress:
        callbacks.append(ReportProgress(progress))
    several = _several_gpus() if on_gpu else processes > 1
    return pl.Trainer(
        accelerator="cuda" if on_gpu else "cpu", devices="auto" if on_gpu else processes,
        strategy="ddp_find_unused_parameters_true" if several else "auto",
        precision="bf16-mixed" if on_gpu else "32-true", max_epochs=-1, max_steps=-1,
        gradient_clip_val=schedule.clip_norm, callbacks=callbacks, log_every_n_steps=20,
        logger=[CSVLogger(out, "log"), TensorBoardLogger(out, "tensorboard")],
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=out,
        num_sanity_val_steps=0, benchmark=on_gpu,
    )  # fmt: skip


def _several_gpus() -> bool:
    import torch

    return torch.cuda.device_count() > 1


def tune_allocator() -> None:
    """Tell glibc to keep large blocks: handing them back costs a third of a step on a CPU."""
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL("libc.so.6")
    most_mmaps, trim_threshold, top_pad = -4, -1, -2  # from malloc.h
    libc.mallopt(most_mmaps, 0)
    libc.mallopt(trim_threshold, 2**31 - 1)
    libc.mallopt(top_pad, 256 << 20)
