"""Tables I and II and Fig. 2 of the agglomeration paper, made again beside our graph."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crystalgauge.core import ArgumentError
from crystalgauge.reproduce.agglomeration_contest import AgglomerationContest
from crystalgauge.reproduce.agglomeration_page import write_page
from crystalgauge.reproduce.agglomeration_rows import BUDGETS, BudgetName, find_rows
from crystalgauge.train.extra import check_extra

if TYPE_CHECKING:
    from collections.abc import Callable

    from crystalgauge.predict import EngineName


def reproduce_agglomeration(
    out: str | Path,
    budget: BudgetName = "smoke",
    *,
    table: str | Path | None = None,
    rows: tuple[str, ...] | None = None,
    pictures: int | None = None,
    minutes_per_row: float | None = None,
    engine: EngineName = "auto",
    threads: int | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Path:
    """Train and judge the rows, and write the page; rows that are done are kept.

    Parameters
    ----------
    out
        Folder for trainings and one JSON file a row.
    budget
        "smoke", "cpu" or "gpu".
    table
        Markdown file; ``agglomeration-contest.md`` in `out` by default. Fig. 2 comes beside it.
    rows
        Names of `crystalgauge.reproduce.agglomeration_rows.ROWS`; all by default.
    pictures
        Most test pictures of each habit; the budget's by default.
    minutes_per_row
        Limit of each training; the budget's by default.
    engine, threads
        What predicts; all cores by default.
    progress
        Called with a share, 0 to 1, and what it is a share of.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ArgumentError
        When a budget or row is unknown, or a number is out of range.
    MissingExtraError
        When the packages of the extra ``train`` are not installed.
    """
    if budget not in BUDGETS:
        raise ArgumentError(f"unknown budget {budget!r}; known are {', '.join(BUDGETS)}")
    if minutes_per_row is not None and not minutes_per_row > 0:
        raise ArgumentError(f"minutes per row must be positive, got {minutes_per_row:g}")
    check_extra("reproducing a training")
    chosen = find_rows(rows or ())
    contest = AgglomerationContest(
        Path(out), BUDGETS[budget], pictures, minutes_per_row, engine,
        threads or os.cpu_count() or 1, progress or (lambda share, words: None),
    )  # fmt: skip
    results = {row.name: contest.result(row) for row in chosen}
    bars = contest.bars() if not rows or len(chosen) > 1 else []
    path = Path(table) if table is not None else contest.out / "agglomeration-contest.md"
    write_page(path, chosen, results, bars, contest.budget, contest.command)
    return path
