"""The learned-aperture paper's tables beside what was found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from crystalgauge._version import __version__
from crystalgauge.io.atomic import replacing
from crystalgauge.models.focus_cnn.zernike import MODES
from crystalgauge.reproduce.aperture_budget import SMALL_EXAMPLES, SMALL_RATE
from crystalgauge.reproduce.aperture_features import FEATURES, feature_accuracies
from crystalgauge.reproduce.aperture_figure import draw_figure
from crystalgauge.reproduce.aperture_rows import FULL, NAMED_OFFSETS, PARAMETERS, ROWS, find_rows
from crystalgauge.reproduce.table import NOTHING, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crystalgauge.reproduce.aperture import ApertureResult
    from crystalgauge.reproduce.aperture_budget import AperturePlan
    from crystalgauge.reproduce.aperture_rows import Row

Results = dict[str, "ApertureResult"]
RealScores = dict[str, list[tuple[bool, bool]]]

WITHIN = 0.01
"""How near to the full network the reduced one with an aperture is to come."""


def write_page(
    path: Path, figure: Path, plan: AperturePlan, results: Results, real: RealScores | None
) -> None:
    """Write page and figure.

    Parameters
    ----------
    path, figure
        Markdown and PNG.
    plan
        Of the budget.
    results
        By row; rows without one are said not to be trained.
    real
        What was said of real pictures; None where none were given.
    """
    with replacing(figure) as file:
        file.write(draw_figure(results))
    link = Path(os.path.relpath(figure, path.parent)).as_posix()
    parts = [
        _head(plan, judged=real is not None), _summary(results, real),
        f"![Curves, sweeps and learnt apertures]({link})",
        _features(plan), _levels(plan, results), _aperture(plan, results), _real(results, real),
        _sweep("kernels", "Fig. 4: kernel size", "All of about the same number of parameters, so "
               "that only the kernel differs. In the paper 5 x 5 was best.", plan, results),
        _parameters(plan, results),
        _sweep("batch", "Fig. 7: batch size", "Planes 16 and 17 against 10 against 05. In the "
               "paper larger batches helped tanh and made no difference to ReLU.", plan, results),
        _sweep("subsets", "Supplement: fewer pictures", "Planes 16 and 17 against 10 against 05. "
               "In the paper ReLU is ahead of tanh where there are many pictures, and both work "
               "with few.", plan, results),
        _curves(results), _notes(plan, results),
    ]  # fmt: skip
    with replacing(path, "w") as file:
        file.write("\n\n".join(part for part in parts if part) + "\n")


def _head(plan: AperturePlan, *, judged: bool) -> str:
    pictures = " --focus-pictures PICTURES" if judged else ""
    warning = (
        "**A test of the machinery; too little to say anything.**\n\n"
        if plan.name == "smoke" else ""
    )  # fmt: skip
    return (
        "# Focus classifier and learned aperture, made again\n\n"
        f"{warning}    crystalgauge reproduce aperture --budget {plan.name} --out DIR{pictures}\n\n"
        "Chelales, Deutsch and Wang, *Automated image focus detecting algorithm for low-cost "
        f"handheld microscope*, with CrystalGauge {__version__}. Simulated nuclei through focus "
        "(`scenes/zstack`: 20x, NA 0.45, 461 nm, 0.656 µm a pixel, 31 planes 2 µm apart, number 16 "
        "in focus, wave-optical blur, noise drawn for every plane) in pictures of "
        f"{plan.size} x {plan.size} px; {plan.scenes} scenes for training where the paper had a "
        f"thousand, {plan.judged} for validation and {plan.judged} for the test, which no training "
        f"sees. Adam at {plan.rate:g}"
        + (", falling to nothing as a cosine" if plan.decay == "cosine" else "")
        + f" (paper: 1e-4), batches of 10; {plan.allowed(find_rows((FULL,))[0]):,} pictures shown "
        f"to the full network of about {plan.parameters:,} parameters, at most "
        f"{plan.examples:,} to smaller ones, repeats included; reduced networks alone or behind a "
        f"filter whose radius is learnt see up to {SMALL_EXAMPLES} times as many at {SMALL_RATE:g} "
        "times the rate. "
        f"Accuracies are those of the test, in percent; {NAMED_OFFSETS}. One training a row: "
        "with 300 test pictures a figure near 97 % has a standard error of one point."
    )


def _summary(results: Results, real: RealScores | None) -> str:
    full = results.get(FULL)
    lines = []
    if full is not None:
        lines.append(["full network, plane 16 against 10", _percent(full.accuracy), "above 90"])
    for row in _of("aperture"):
        result = results.get(row.name)
        if full is None or result is None or not (row.learn_radius or row.learn_phase):
            continue
        met = "met" if result.accuracy >= full.accuracy - WITHIN else "missed"
        lines.append([
            f"reduced network behind {row.title}",
            f"{_percent(result.accuracy)} ({100 * (result.accuracy - full.accuracy):+.1f})",
            f"within 1 point of the full one: {met}",
        ])  # fmt: skip
    if real and FULL in real:
        lines.append(["full network on real pictures", _percent(_share_right(real[FULL])),
                      "no figure: the paper trained on this data set"])  # fmt: skip
    if not lines:
        return ""
    missed = any("missed" in line[-1] for line in lines)
    words = (
        "\n\nA reduced network needs more steps than the full one and bears a higher rate: "
        "those alone and behind a filter whose radius is learnt were trained longer after a first "
        "run, with as many pictures as the full one, had missed the target; that length and rate "
        "help was seen on validation scenes, with one of these rows. The others were not trained "
        "anew. "
        "The row with radius and phase learnt was added after the others' "
        "test figures were seen."
        if missed else ""
    )  # fmt: skip
    return "## In short\n\n" + markdown(["what", "found", "target or paper"], lines) + words


def _features(plan: AperturePlan) -> str:
    found = feature_accuracies(plan)
    lines = [[name, *(_percent(value) for value in found[name])] for name in FEATURES]
    return (
        "## Figs 2, 3 and 8: intensities alone\n\nLinear discriminants of a picture's mean, "
        "largest and smallest grey and the ratio of these, learnt and judged as the networks are; "
        "chance is 50 and 33. The paper shows clouds of points that overlap.\n\n"
        + markdown(["features", "16 against 10", "16 against 10 against 05"], lines)
    )


def _levels(plan: AperturePlan, results: Results) -> str:
    lines = [
        [row.title.rsplit(", ", 2)[0], row.activation, str(plan.training_scenes(row)),
         *_found(row, plan, results), _percent(row.paper), _confusion(results.get(row.name))]
        for row in _of("levels")
    ]  # fmt: skip
    return (
        "## Figs 4 and 9: degrees of focus\n\nPlanes above and below the focus differ by more than "
        "their distance only through the objective's spherical aberration (0.15 waves). The paper "
        "prints the figures of three levels alone.\n\n"
        + markdown(["planes", "activation", "scenes", "accuracy", "paper", "confusion"], lines)
        + "\n\nConfusion: test pictures by true class, then by class found."
    )


def _aperture(plan: AperturePlan, results: Results) -> str:
    full = results.get(FULL)
    lines = []
    if full is not None:
        lines.append(["full network", f"{full.parameters:,}", _percent(full.accuracy), NOTHING,
                      NOTHING, NOTHING, _shown(full)])  # fmt: skip
    for row in _of("aperture"):
        result = results.get(row.name)
        behind = (
            NOTHING if result is None or full is None
            else f"{100 * (result.accuracy - full.accuracy):+.1f}"
        )  # fmt: skip
        lines.append([row.title, f"{plan.config(row).parameters:,}", *_found(row, plan, results),
                      behind, _percent(row.paper), _radius(row, result),
                      _shown(result)])  # fmt: skip
    return (
        "## Figs 10 and 11: a physical layer before a reduced network\n\nPlane 16 against plane "
        "10; the network lacks its first three convolutions and two poolings. The paper has no "
        "equations. Its text describes a high-pass filter in the Fourier plane of the picture, "
        "with a radius and a phase: *filter*, `picture' = |F^-1{A F{picture}}|`, "
        "`A = sigmoid((|f| - r) / s) exp(i phi)`, phi a map of 16 x 16 cells. A radius of r px in "
        "the spectra of its pictures is taken as r / 520 cycles per px. The text gives 96 % to "
        "100 px and 65 % to 10 px, the caption of Fig. 10 the reverse; 99 % came with a learnt "
        "phase. *Pupil* is what could be built: it acts on the scene before the picture is taken, "
        "`PSF = |F{P}|² / sum`, "
        "`P = sigmoid((R - rho) / s) exp(2 pi i (z sqrt(1/wavelength² - f²) + W))`, W of eight "
        "Zernike modes, R a share of the full pupil; closing it costs light as R², and noise is "
        "added after it. Its scenes have all nuclei in one plane, its batches 34 pictures.\n\n"
        + markdown(
            [
                "layer",
                "parameters",
                "accuracy",
                "against full",
                "paper",
                "radius",
                "pictures shown",
            ],
            lines,
        )
        + _phase_words(results)
    )


def _shown(result: ApertureResult | None) -> str:
    return NOTHING if result is None else f"{result.history['examples']:,}"


def _radius(row: Row, result: ApertureResult | None) -> str:
    if result is None or row.layer == "none":
        return NOTHING
    unit = " px" if row.layer == "filter" else ""
    digits = 1 if row.layer == "filter" else 3
    said = f"{result.layer['radius']:.{digits}f}{unit}"
    return f"{said} (from {row.radius:g}{unit})" if row.learn_radius else said


def _phase_words(results: Results) -> str:
    said = []
    if (result := results.get("aperture-filter-phase")) is not None:
        values = [value for line in result.layer["phase"] for value in line]
        rms = (sum(value**2 for value in values) / len(values)) ** 0.5
        said.append(f"The filter's learnt phase has a root mean square of {rms:.2f} rad.")
    if (result := results.get("aperture-pupil-phase")) is not None:
        modes = ", ".join(
            f"{name} {value:+.3f}" for name, value in zip(MODES, result.layer["phase"], strict=True)
        )
        said.append(f"The pupil's learnt phase in waves: {modes}; it began as spherical +0.067.")
    return "\n\n" + " ".join(said) if said else ""


def _real(results: Results, real: RealScores | None) -> str:
    title = "## Real pictures\n\n"
    if real is None:
        return title + (
            "Not judged: no pictures were given (`--focus-pictures`, a folder with `in_focus` and "
            "`out_of_focus`)."
        )
    lines = []
    for row in ROWS:
        said = real.get(row.name)
        if said is not None:
            sharp = [found for true, found in said if true]
            soft = [not found for true, found in said if not true]
            lines.append([
                row.title, f"{sum(sharp)} of {len(sharp)}", f"{sum(soft)} of {len(soft)}",
                _percent(_share_right(said)), _percent(results[row.name].accuracy),
            ])  # fmt: skip
    return (
        title + "Pictures of BBBC006 in focus and at plane 00, which is 32 µm off and farther than "
        "the binary networks' plane 10; no training saw them. The CPU budget was lengthened once, "
        "after a first run whose networks were undertrained on simulated pictures. A picture is "
        "cut into tiles, those of at least median contrast are classified, and their "
        "probabilities averaged. *Right* counts in focus against anything else.\n\n"
        + markdown(["network", "in focus, right", "out of focus, right", "accuracy",
                    "on simulated planes"], lines)
    )  # fmt: skip


def _sweep(table: str, title: str, words: str, plan: AperturePlan, results: Results) -> str:
    lines = []
    for row in _of(table):
        shown = results[row.name].history["examples"] if row.name in results else 0
        lines.append([row.title, f"{plan.config(row).parameters:,}", *_found(row, plan, results),
                      f"{shown:,}" if shown else NOTHING])  # fmt: skip
    return (
        f"## {title}\n\n{words}\n\n"
        + markdown(["row", "parameters", "accuracy", "pictures shown"], lines)
    )  # fmt: skip


def _parameters(plan: AperturePlan, results: Results) -> str:
    lines = []
    for wanted in sorted({n for each in PARAMETERS.values() for n in each}):
        cells = [f"{wanted:,}"]
        for activation in PARAMETERS:
            name = f"parameters-{activation}-{wanted // 1000}k"
            row = next((row for row in ROWS if row.name == name), None)
            if row is None:
                cells += [NOTHING, NOTHING]
                continue
            shown = results[name].history["examples"] if name in results else 0
            cells += [*_found(row, plan, results), f"{shown:,}" if shown else NOTHING]
        lines.append(cells)
    return (
        "## Fig. 6: number of parameters\n\nIn the paper accuracy rises with the number and falls "
        "sharply beyond 1,500,000 (ReLU) and 3,000,000 (tanh).\n\n"
        + markdown(["parameters", "ReLU", "pictures shown", "tanh", "pictures shown"], lines)
    )


def _curves(results: Results) -> str:
    lines = []
    for row in _of("levels"):
        if row.name in results and row.pictures == 1000:
            history = results[row.name].history
            steps = "; ".join(
                f"{epoch:.1f}: {100 * train:.0f}, {loss:.2f}"
                for epoch, train, loss in zip(
                    history["epochs"], history["train_accuracy"], history["validation_loss"],
                    strict=True,
                )
            )  # fmt: skip
            lines.append([row.title, steps])
    if not lines:
        return ""
    return (
        "## Figs 2, 7 and 9: learning curves\n\nEpoch: training accuracy in percent, loss on the "
        "validation set.\n\n" + markdown(["row", "curve"], lines)
    )


def _notes(plan: AperturePlan, results: Results) -> str:
    untrained = [row for row in ROWS if row.name not in results and not plan.allowed(row)]
    pending = [row for row in ROWS if row.name not in results and plan.allowed(row)]
    short = [
        row for row in ROWS
        if row.name in results and results[row.name].history["examples"] < 0.5 * plan.examples
    ]  # fmt: skip
    seconds = sum({r.made_from: r.history["seconds"] for r in results.values()}.values())
    notes = [
        "* The paper's network is drawn in a figure that its text does not have. Ours is the "
        "beginning of VGG's configuration A (four convolutions, three poolings), whose first three "
        "convolutions and two poolings can be left out as the paper says; the mean over the "
        "picture stands in for flattening, so that a picture may have any size.",
        f"* All trainings together took {seconds / 60:.1f} minutes of one processor.",
    ]
    if plan.name != "gpu":
        notes.append(
            f"* Nothing is trained as long as in the paper: {plan.examples:,} pictures are shown, "
            "on pictures smaller than its 696 x 520 px."
        )
    if short:
        notes.append(f"* Shown fewer pictures, their networks being wide: {_names(short)}.")
    if untrained:
        notes.append(f"* Too wide for this budget, not trained: {_names(untrained)}.")
    if pending:
        notes.append(f"* Not trained yet; the same command goes on with them: {_names(pending)}.")
    return "## What to know\n\n" + "\n".join(notes)


def _names(rows: Sequence[Row]) -> str:
    return ", ".join(row.name for row in rows)


def _found(row: Row, plan: AperturePlan, results: Results) -> list[str]:
    if row.name in results:
        return [_percent(results[row.name].accuracy)]
    return ["not trained" if plan.allowed(row) else "too wide"]


def _confusion(result: ApertureResult | None) -> str:
    if result is None:
        return NOTHING
    return "; ".join(" ".join(str(n) for n in line) for line in result.confusion)


def _share_right(said: list[tuple[bool, bool]]) -> float:
    return sum(true == found for true, found in said) / len(said)


def _of(table: str) -> list[Row]:
    return [row for row in ROWS if row.table == table]


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{100 * value:.1f}"
