"""The focus classifier and the learned aperture, made again on simulated stacks."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crystalgauge._version import __version__
from crystalgauge.core import ArgumentError, MissingExtraError
from crystalgauge.io.atomic import replacing
from crystalgauge.render.focus_stack import MARGIN_PX
from crystalgauge.reproduce.aperture_budget import (
    LAYER_FACTOR,
    PLANS,
    SMALL_RATE,
    AperturePlan,
)
from crystalgauge.reproduce.aperture_data import PlaneStore, RealPicture, real_pictures
from crystalgauge.reproduce.aperture_rows import BINARY, FOUR, PAPER_ROWS_PX, ROWS, find_rows
from crystalgauge.scenes.zstack import FLUORESCENCE
from crystalgauge.train.focus_networks import (
    FocusLayer,
    Optics,
    build_network,
    learnt_layer,
    load_weights,
    save_weights,
    use_device,
    use_threads,
)
from crystalgauge.train.focus_planes import (
    LabelledPlanes,
    fit_planes,
    judge_planes,
    scores_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from crystalgauge.reproduce.aperture_rows import Row

REAL_TABLES, REAL_PLANES = ("levels", "aperture"), (BINARY, FOUR)
"""Rows whose networks are tried on real pictures."""


@dataclass(frozen=True)
class ApertureResult:
    """What is known of a row; a JSON file of the same entries keeps it.

    Parameters
    ----------
    row
        Its name.
    made_from
        Hash of all that the figures depend on.
    network
        Entries of its configuration.
    parameters
        Of the network, without the layer before it.
    scenes
        Learnt from.
    accuracy
        Share of the test pictures whose class was found.
    test_pictures
        Their number.
    confusion
        ``[true][found]`` test pictures.
    history
        Entries of `FocusHistory`.
    layer
        What was learnt of the layer: ``radius``, ``start`` and ``phase``.
    """

    row: str
    made_from: str
    network: dict[str, Any]
    parameters: int
    scenes: int
    accuracy: float
    test_pictures: int
    confusion: list[list[int]]
    history: dict[str, Any]
    layer: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> ApertureResult | None:
        """Return what a file says, None when there is none or it is of another version."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def reproduce_aperture(
    out: str | Path,
    budget: Literal["smoke", "cpu", "gpu"] = "smoke",
    *,
    table: str | Path | None = None,
    figure: str | Path | None = None,
    rows: tuple[str, ...] | None = None,
    focus_pictures: str | Path | None = None,
    threads: int | None = None,
    progress: Callable[[float, str], None] = lambda share, words: None,
) -> Path:
    """Train the rows, judge them, and write the page; rows that are done are kept.

    The page is written anew after every row, so that a run that is stopped leaves what it has.

    Parameters
    ----------
    out
        Folder of one JSON file and one NPZ file of weights a row.
    budget
        "smoke", "cpu" or "gpu".
    table
        Markdown file; ``aperture.md`` in `out` by default.
    figure
        PNG file; ``aperture.png`` beside the page by default.
    rows
        Names of rows or tables; all that the budget can train by default.
    focus_pictures
        Folder with real pictures in ``in_focus`` and ``out_of_focus``; none are judged without it.
    threads
        Of the training.
    progress
        Called with a share, 0 to 1, and what it is a share of.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    ArgumentError
        When a budget or row is unknown.
    MissingExtraError
        When torch is not installed.
    ReadError
        When the folder of real pictures holds none.
    """
    from crystalgauge.reproduce.aperture_page import write_page

    if budget not in PLANS:
        raise ArgumentError(f"unknown budget {budget!r}; known are {', '.join(PLANS)}")
    if importlib.util.find_spec("torch") is None:
        raise MissingExtraError("torch", "train", "reproducing a training")
    if threads is not None:
        use_threads(threads)
    plan = PLANS[budget]
    chosen = ROWS if rows is None else find_rows(rows)
    out = Path(out)
    real = None if focus_pictures is None else real_pictures(Path(focus_pictures), plan.size)
    page = Path(table) if table is not None else out / "aperture.md"
    picture = Path(figure) if figure is not None else page.with_suffix(".png")
    store = PlaneStore(plan.size)
    said = None if real is None else real_scores(out, plan, real, ROWS)
    trainable = [row for row in chosen if plan.allowed(row)]
    for number, row in enumerate(trainable):
        progress(number / len(trainable), row.name)
        if _kept(out, plan, row) is None:
            _train(out, plan, row, store)
            if said is not None and real is not None:
                said |= real_scores(out, plan, real, (row,))
            write_page(page, picture, plan, results_of(out, plan), said)
    write_page(page, picture, plan, results_of(out, plan), said)
    return page


def results_of(out: Path, plan: AperturePlan) -> dict[str, ApertureResult]:
    """Return the results that are there, by row.

    Parameters
    ----------
    out, plan
        Of the run.
    """
    found = {row.name: _kept(out, plan, row) for row in ROWS}
    return {name: result for name, result in found.items() if result is not None}


def real_scores(
    out: Path, plan: AperturePlan, real: list[RealPicture], rows: Sequence[Row]
) -> dict[str, list[tuple[bool, bool]]]:
    """Return what networks said of real pictures, by row: in focus in truth, and as found.

    A picture is in focus when the mean of its tiles' probabilities is largest for that class.

    Parameters
    ----------
    out, plan
        Of the run.
    real
        The pictures.
    rows
        To look at; those without a trained network, or whose planes ask for something else, are
        left out.
    """
    found: dict[str, list[tuple[bool, bool]]] = {}
    for row in rows:
        asked = row.table in REAL_TABLES and row.planes in REAL_PLANES and row.layer != "pupil"
        if not asked or _kept(out, plan, row) is None:
            continue
        network = _loaded(out, plan, row)
        said = []
        for picture in real:
            tiles = LabelledPlanes((picture.tiles,), np.zeros(len(picture.tiles), np.int64))
            scores = scores_of(network, tiles).astype(np.float64)
            weights = np.exp(scores - scores.max(1, keepdims=True))
            mean = (weights / weights.sum(1, keepdims=True)).mean(0)
            said.append((picture.in_focus, bool(mean.argmax() == 0)))
        found[row.name] = said
    return found


def build_row(plan: AperturePlan, row: Row) -> nn.Module:
    """Return a row's untrained network behind its layer.

    Parameters
    ----------
    plan, row
        What to build.
    """
    radius = row.radius / PAPER_ROWS_PX if row.layer == "filter" else row.radius
    layer = FocusLayer(row.layer, radius, row.learn_radius, row.learn_phase)
    optics = Optics(FLUORESCENCE, plan.size + 2 * MARGIN_PX, MARGIN_PX)
    return build_network(plan.config(row), layer, optics)


def _train(out: Path, plan: AperturePlan, row: Row, store: PlaneStore) -> None:
    count = plan.training_scenes(row)
    network = build_row(plan, row)
    use_device(network, plan.device)
    history = fit_planes(
        network, store.pictures(row, "train", count),
        store.pictures(row, "validation", plan.judged), plan.schedule(row),
    )  # fmt: skip
    test = store.pictures(row, "test", plan.judged)
    found, _ = judge_planes(network, test)
    classes = len(row.planes)
    confusion = np.zeros((classes, classes), int)
    np.add.at(confusion, (test.labels, found), 1)
    result = ApertureResult(
        row.name, _made_from(plan, row), plan.config(row).as_dict(), plan.config(row).parameters,
        count, float((found == test.labels).mean()), len(test), confusion.tolist(),
        asdict(history), _layer_of(network, row),
    )  # fmt: skip
    with replacing(_file(out, plan, row).with_suffix(".npz")) as file:
        save_weights(network, file)
    with replacing(_file(out, plan, row), "w") as file:
        json.dump(asdict(result), file)


def _layer_of(network: nn.Module, row: Row) -> dict[str, Any]:
    """Return what a layer has learnt, as plain numbers, the filter's radius in the paper's px."""
    learnt = learnt_layer(network)
    if learnt is None:
        return {}
    radius, phase = learnt
    unit = PAPER_ROWS_PX if row.layer == "filter" else 1
    return {"start": row.radius, "radius": radius * unit, "phase": phase}


def _loaded(out: Path, plan: AperturePlan, row: Row) -> nn.Module:
    network = build_row(plan, row)
    load_weights(network, _file(out, plan, row).with_suffix(".npz"))
    return network


def _file(out: Path, plan: AperturePlan, row: Row) -> Path:
    """Return the file of a row; rows that come to the same training share it."""
    return out / "rows" / f"{plan.name}-{_made_from(plan, row)[:16]}.json"


def _made_from(plan: AperturePlan, row: Row) -> str:
    """Return the hash of what decides a row's figures."""
    told = asdict(replace(row, name="", title="", paper=None, parameters=None))
    everything = [
        __version__, asdict(plan), told, plan.config(row).as_dict(), plan.allowed(row),
        LAYER_FACTOR, *([SMALL_RATE] if plan.longer(row) else []),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(everything).encode()).hexdigest()


def _kept(out: Path, plan: AperturePlan, row: Row) -> ApertureResult | None:
    path = _file(out, plan, row)
    if not path.with_suffix(".npz").is_file():
        return None
    result = ApertureResult.read(path)
    return None if result is None or result.made_from != _made_from(plan, row) else result
