"""Process monitoring of the synthetic protein crystals paper, made again on simulated batches.

Bischoff et al. 2022 (doi 10.1007/s00216-022-04101-8), Figs 5, 6 and 8 and Table 2. The paper had
no truth; here it stands beside every figure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.predict import Predictor
from crystalgauge.reproduce.monitored import Plan, observe
from crystalgauge.scenes.growth import HOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from crystalgauge.measure.weighted_sizes import WeightedSizes
    from crystalgauge.predict import EngineName
    from crystalgauge.reproduce.monitored import Observation

PLANS = {
    "smoke": Plan(hours=(3.0, 6.0), replicates=1, pictures=1, shape=(384, 384)),
    "cpu": Plan(),
    "gpu": Plan(pictures=10),
}
"""By budget."""

QUARTILES = (0.25, 0.5, 0.75)
FEWEST = 3
"""Crystals without which nothing is compared."""


def reproduce_monitoring(
    out: str | Path,
    budget: Literal["smoke", "cpu", "gpu"] = "smoke",
    *,
    table: str | Path | None = None,
    pictures: int | None = None,
    model: str | Path = "crystals",
    engine: EngineName = "auto",
    threads: int | None = None,
    progress: Callable[[float, str], None] = lambda share, words: None,
) -> Path:
    """Simulate, photograph and measure the experiments; write tables and figures.

    Parameters
    ----------
    out
        Folder of what was measured and of ``pcs-monitoring.html``; measured pictures are kept.
    budget
        "smoke": one small picture of two samples; "cpu": the paper's samples, three pictures of
        each; "gpu": ten.
    table
        Markdown file; ``pcs-monitoring.md`` in `out` by default.
    pictures
        Of each sample; the budget's by default.
    model
        What measures.
    engine, threads
        What runs it.
    progress
        Called with a share, 0 to 1, and what it is a share of.

    Returns
    -------
    Path
        The tables.

    Raises
    ------
    ArgumentError
        When a budget is unknown or a number out of range.
    """
    from crystalgauge.reproduce.monitoring_figures import write_figures
    from crystalgauge.reproduce.monitoring_page import write_monitoring

    if budget not in PLANS:
        raise ArgumentError(f"unknown budget {budget!r}; known are {', '.join(PLANS)}")
    plan = PLANS[budget]
    if pictures is not None:
        if pictures < 1:
            raise ArgumentError(f"a sample has at least one picture, got {pictures}")
        plan = replace(plan, pictures=pictures)
    out = Path(out)
    predictor = Predictor(model, engine=engine, threads=threads)
    observations = observe(plan, predictor, out / "pictures", progress)
    page = Path(table) if table is not None else out / "pcs-monitoring.md"
    write_monitoring(page, observations, plan, budget, predictor.files.name)
    write_figures(out / "pcs-monitoring.html", observations)
    return page


@dataclass(frozen=True)
class SameSizes:
    """Whether two samples may come from one distribution.

    Parameters
    ----------
    p_value
        Of the two-sided two-sample Kolmogorov-Smirnov test; NaN with too few crystals.
    n_first, n_second
        Crystals.
    """

    p_value: float
    n_first: int
    n_second: int


def same_sizes(first: WeightedSizes, second: WeightedSizes) -> SameSizes:
    """Compare sizes as in the paper's Table 2, every crystal counted once.

    Parameters
    ----------
    first, second
        Of two samples.
    """
    from scipy.stats import ks_2samp

    enough = min(len(first), len(second)) >= FEWEST
    p_value = float(ks_2samp(first.sizes, second.sizes).pvalue) if enough else float("nan")
    return SameSizes(p_value, len(first), len(second))


@dataclass(frozen=True)
class LineFit:
    """Least squares of y on x.

    Parameters
    ----------
    slope, intercept
        Of the line.
    r_squared
        Share of the variance that it explains.
    """

    slope: float
    intercept: float
    r_squared: float


def fit_line(x: NDArray[np.float64], y: NDArray[np.float64]) -> LineFit:
    """Fit a line as in the paper's Fig. 6; NaN with fewer than three different x.

    Parameters
    ----------
    x, y
        ``(n,)`` each.
    """
    if len(np.unique(x)) < FEWEST:
        return LineFit(float("nan"), float("nan"), float("nan"))
    slope, intercept = np.polyfit(x, y, 1)
    left = float(((y - slope * x - intercept) ** 2).sum())
    whole = float(((y - y.mean()) ** 2).sum())
    return LineFit(float(slope), float(intercept), 1 - left / whole if whole else 1.0)


def quartiles(sizes: WeightedSizes) -> NDArray[np.float64]:
    """Return the quartiles; NaN with too few crystals.

    Parameters
    ----------
    sizes
        Of a sample.
    """
    if len(sizes) < FEWEST:
        return np.full(3, np.nan)
    return np.asarray(sizes.quantile(QUARTILES, 0), np.float64)


def total_area(observation: Observation, *, shown: bool = False) -> float:
    """Return the area of the crystals of a picture in mm², those that the frame cuts made up for.

    Parameters
    ----------
    observation
        Of a sample.
    shown
        Of the crystals in the pictures instead of those found.
    """
    table = observation.shown if shown else observation.found
    total = float((table["area_um2"].fill_null(0.0) * table["weight"]).sum())
    return 1e-6 * total / observation.pictures


def of_wild_type(
    observations: Sequence[Observation], replicate: int, drop: str
) -> list[Observation]:
    """Return the samples of a wild type's replicate in time, without the last day's.

    Parameters
    ----------
    observations
        All.
    replicate
        Its number.
    drop
        "diluted" or "undiluted".
    """
    return [
        o
        for o in observations
        if o.sample.variant == "wild type" and o.sample.replicate == replicate
        and o.sample.drop == drop and o.sample.hour < HOURS[-1]
    ]  # fmt: skip


def of_variants(observations: Sequence[Observation]) -> list[Observation]:
    """Return the samples after the whole time, one of each variant.

    Parameters
    ----------
    observations
        All.
    """
    return [o for o in observations if o.sample.hour == HOURS[-1]]
