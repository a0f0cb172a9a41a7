"""Table 1 of the synthetic protein crystals paper, made again beside our outline model.

Bischoff et al. 2022, doi 10.1007/s00216-022-04101-8.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from crystalgauge.core import ArgumentError
from crystalgauge.datasets.benchmark_sets import VARIANTS, SetName, write_benchmark
from crystalgauge.datasets.path_traced import SHIPPED
from crystalgauge.models import find_model
from crystalgauge.predict import Predictor
from crystalgauge.reproduce.budget import (
    BUDGETS,
    BudgetName,
    has_imagenet_package,
)
from crystalgauge.reproduce.contest import Contest
from crystalgauge.reproduce.cost import Cost, cost_of, cost_of_untrained, timed_picture
from crystalgauge.reproduce.result import RowResult
from crystalgauge.reproduce.rows import LITE0, find_rows
from crystalgauge.reproduce.scoring import (
    LEAST_SCORE,
    BenchmarkPicture,
    find_all,
    read_set,
    score,
)
from crystalgauge.reproduce.table import write_table
from crystalgauge.train import fit, load_recipe
from crystalgauge.train.extra import check_extra
from crystalgauge.train.fit import LAST, render_scenes

if TYPE_CHECKING:
    from collections.abc import Callable

    from crystalgauge.core import Micrograph
    from crystalgauge.predict import EngineName
    from crystalgauge.reproduce.rows import Row

logger = logging.getLogger(__name__)

SETS: tuple[SetName, ...] = ("pcs-val", "pcs-path")
"""The benchmark sets of this paper."""


def reproduce_pcs(
    out: str | Path,
    budget: BudgetName = "smoke",
    *,
    table: str | Path | None = None,
    rows: tuple[str, ...] | None = None,
    pictures: int | None = None,
    minutes_per_row: float | None = None,
    imagenet_weights: Path | None = None,
    engine: EngineName = "auto",
    threads: int | None = None,
    workers: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> Path:
    """Train and judge the rows, and write the table; rows that are done are kept.

    Parameters
    ----------
    out
        Folder for sets, trainings and one JSON file a row.
    budget
        "smoke", "cpu" or "gpu".
    table
        Markdown file; ``pcs.md`` in `out` by default.
    rows
        Names of `crystalgauge.reproduce.rows.ROWS`; the budget's by default.
    pictures
        Of each variant of ``pcs-val`` and at most of ``pcs-path``; the budget's by default.
    minutes_per_row
        Limit of each training; the budget's by default.
    imagenet_weights
        Safetensors file of a ResNet-50, for the rows that start from ImageNet.
    engine, threads
        What predicts; all cores by default. Times are those of the CPU, whatever predicts.
    workers
        Processes that render, and on a GPU that prepare batches.
    progress
        Called with a share, 0 to 1, and what it is a share of.

    Returns
    -------
    Path
        The table.

    Raises
    ------
    ArgumentError
        When a budget or row is unknown, or a number is out of range.
    MissingExtraError
        When the packages of the extra ``train`` are not installed.
    """
    if budget not in BUDGETS:
        raise ArgumentError(f"unknown budget {budget!r}; known are {', '.join(BUDGETS)}")
    allowed = BUDGETS[budget]
    minutes = allowed.minutes_per_row if minutes_per_row is None else minutes_per_row
    if minutes is not None and not minutes > 0:
        raise ArgumentError(f"minutes per row must be positive, got {minutes:g}")
    check_extra("reproducing a training")
    chosen = find_rows(allowed.rows if rows is None else rows)
    if rows is None and not has_imagenet_package():
        chosen = tuple(row for row in chosen if row is not LITE0)
    contest = Contest(
        Path(out), allowed, pictures or allowed.benchmark_pictures, minutes, imagenet_weights,
        engine, threads or os.cpu_count() or 1, workers, progress or (lambda share, words: None),
    )  # fmt: skip
    sets = _benchmark(contest)
    results = [_result(contest, row, sets) for row in chosen]
    path = Path(table) if table is not None else contest.out / "pcs.md"
    write_table(path, chosen, results, contest)
    return path


def _benchmark(contest: Contest) -> dict[str, list[BenchmarkPicture]]:
    """Write what is missing of the sets and read them."""
    folder = contest.out / "benchmark"
    sets: dict[str, list[BenchmarkPicture]] = {}
    for name in SETS:
        if name == "pcs-path" and not SHIPPED.exists():
            logger.warning("the path-traced pictures are not part of this installation")
            continue

        def count(done: int, total: int, name: str = name) -> None:
            contest.progress(done / total, f"benchmark set {name}")

        number = contest.pictures if name == "pcs-val" else None
        truths = write_benchmark(name, folder, number, workers=contest.workers, progress=count)
        for variant, truth in zip(VARIANTS[name], truths, strict=True):
            sets[variant] = read_set(truth)[: contest.pictures]
    return sets


def _result(contest: Contest, row: Row, sets: dict[str, list[BenchmarkPicture]]) -> RowResult:
    """Return what is stored of a row, or of one that comes to the same training, or make it."""
    folder, made_from = contest.out / "rows", contest.made_from(row, sets)
    for path in sorted(folder.glob("*.json")):
        stored = RowResult.read(path)
        if stored is not None and stored.made_from == made_from:
            return replace(stored, row=row.name)
    model = row.model or _trained(contest, row)
    files = find_model(model)
    predictor = Predictor(
        model,
        engine=contest.engine,
        threads=contest.threads,
        scales=row.scales,
        min_score=LEAST_SCORE,
    )
    scores = {}
    for name, pictures in sets.items():
        found = find_all(
            predictor,
            pictures,
            lambda share, name=name: contest.progress(share, f"{row.name}: scores, {name}"),  # type: ignore[misc]
        )
        scores[name] = score(pictures, found, outlines=files.kind == "outline")
    contest.progress(0.0, f"{row.name}: time on a large picture")
    picture = timed_picture()
    spent = files.card.get("budget", {})
    result = RowResult(
        row.name, made_from, files.card["network"], int(spent.get("crops", 0)),
        float(spent.get("minutes", 0.0)),
        cost_of(
            model, picture, engine=contest.timed_engine, threads=contest.threads, scales=row.scales
        ),
        _published_cost(contest, row, picture), scores,
    )  # fmt: skip
    result.write(folder / f"{contest.budget.name}-{row.name}.json")
    return result


def _trained(contest: Contest, row: Row) -> Path:
    """Train a row's recipe, or go on with it; the folder is named by the recipe."""
    recipe = contest.recipe(row)
    folder = contest.out / "trainings" / contest.training(row)[:12]
    model = folder / "model"
    if (folder / "scores.json").exists():
        return model

    def report(share: float, words: str) -> None:
        contest.progress(share, f"{row.name}: training, {words}")

    train, validation = render_scenes(
        recipe, contest.out / "scenes" / contest.budget.name, workers=contest.workers,
        progress=report,
    )  # fmt: skip
    return fit(
        recipe, train, validation, folder, resume=(folder / LAST).exists(),
        device=contest.budget.device, workers=contest.workers, progress=report,
    ).model  # fmt: skip


def _published_cost(contest: Contest, row: Row, picture: Micrograph) -> Cost | None:
    """Measure the network that the paper trained where the budget trained a smaller one."""
    if contest.budget.name != "cpu" or not row.epochs:
        return None
    recipe = contest.recipe(row)
    full = load_recipe(str(row.recipe)).network
    published = recipe.model_copy(update={"network": full.model_copy(update={"pretrained": None})})
    return cost_of_untrained(
        published, picture, engine=contest.timed_engine, threads=contest.threads
    )
