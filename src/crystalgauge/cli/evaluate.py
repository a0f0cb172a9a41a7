"""``crystalgauge evaluate``: predictions against truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crystalgauge.io.annotations import AnnotatedPicture
    from crystalgauge.metrics import Evaluation, EvaluationPair
    from crystalgauge.metrics.agreement import Estimate


def evaluate(
    truth: Annotated[Path, typer.Option(help="Annotations that are true.", metavar="T.coco.json")],
    pred: Annotated[Path, typer.Option(help="Annotations with scores.", metavar="P.coco.json")],
    min_score: Annotated[
        float, typer.Option(help="Score that counts in PQ, precision and recall.", min=0, max=1)
    ] = 0.5,
    boxes: Annotated[
        bool, typer.Option("--boxes", help="Compare oriented boxes, not outlines.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare predictions with truth.

    Prints AP over overlaps 0.50 to 0.95, AP50, AP75, panoptic quality, precision, recall and the
    bias of sizes. Crystals marked ignore, is_cluster or iscrowd and everything outside a
    picture's region count neither way.
    """
    from crystalgauge.core import ArgumentError
    from crystalgauge.io.annotations import read_annotations
    from crystalgauge.metrics import as_oriented_boxes
    from crystalgauge.metrics import evaluate as compare

    pairs, lacking = pair_pictures(read_annotations(truth), read_annotations(pred))
    for name in lacking:
        typer.echo(f"not evaluated, for the predictions do not list it: {name}", err=True)
    if not pairs:
        raise ArgumentError(
            f"no picture of {str(truth)!r} is listed in {str(pred)!r}; "
            "compare their file_name entries"
        )
    if boxes:
        pairs = [
            replace(
                pair,
                truth=as_oriented_boxes(pair.truth),
                prediction=as_oriented_boxes(pair.prediction),
            )
            for pair in pairs
        ]
    result = compare(pairs, min_score=min_score)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2))
    else:
        _print(result)


def pair_pictures(
    truth: Sequence[AnnotatedPicture], found: Sequence[AnnotatedPicture]
) -> tuple[list[EvaluationPair], list[str]]:
    """Bring truth and predictions of the same picture together.

    Parameters
    ----------
    truth
        Pictures are the same when their names are, with folders or, where that is unique,
        without.
    found
        Predictions.

    Returns
    -------
    pairs
        In the order of the truth.
    lacking
        Names of true pictures that the predictions do not list.

    Raises
    ------
    ArgumentError
        When two sizes are stated for one picture.
    """
    from crystalgauge.core import ArgumentError
    from crystalgauge.metrics import EvaluationPair

    by_name = {picture.file_name: picture for picture in found}
    short = [_short(picture) for picture in found]
    by_short = {
        name: picture for name, picture in zip(short, found, strict=True) if short.count(name) == 1
    }
    unique = [_short(picture) for picture in truth]
    pairs, lacking = [], []
    for picture in truth:
        match = by_name.get(picture.file_name)
        if match is None and unique.count(_short(picture)) == 1:
            match = by_short.get(_short(picture))
        if match is None:
            lacking.append(picture.file_name)
            continue
        if match.shape != picture.shape:
            raise ArgumentError(
                f"{picture.file_name!r} is {picture.shape[1]} x {picture.shape[0]} px in the truth "
                f"but {match.shape[1]} x {match.shape[0]} px in the predictions"
            )
        pairs.append(EvaluationPair(picture.crystals, match.crystals, picture.region))
    return pairs, lacking


def _short(picture: AnnotatedPicture) -> str:
    return PurePath(picture.file_name.replace("\\", "/")).name


def _print(result: Evaluation) -> None:
    from crystalgauge.cli.tables import print_table

    size, chosen = result.size, result.chosen
    bias = [f"{100 * (value - 1):+.1f} %" for value in _triple(size.median)]
    rows = [
        ("AP (0.50 to 0.95)", f"{result.ap:.3f}"),
        ("AP50", f"{result.ap50:.3f}"),
        ("AP75", f"{result.ap75:.3f}"),
        ("PQ", f"{result.panoptic.pq:.3f}"),
        (f"precision at score >= {chosen.score:g}", f"{chosen.precision:.3f}"),
        (f"recall at score >= {chosen.score:g}", f"{chosen.recall:.3f}"),
        ("diameter bias (median)", f"{bias[0]} ({bias[1]} to {bias[2]}, n = {size.n})"),
    ]
    rows += [(f"AP50, {name}", f"{v:.3f}") for name, v in result.ap50_by_stratum.items() if v == v]
    counts = f"{result.n_pictures} pictures, {result.n_truth} true crystals"
    print_table(("figure", "value"), rows, f"{counts}, {result.n_prediction} predictions")


def _triple(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high
