"""Tracks on a real series of a crystal that grows, looked at and never tuned to.

    python benchmarks/film_growth.py [--data ../shared/data] [--out DIR]

The 13 pictures are not part of this repository; see `--data`. Their times are burned in and were
read by eye; their pixel size is not known. With `--out`, every picture is written with the tracks
on it, and all of them in one sheet.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

import crystalgauge
from crystalgauge.measure import shift_of_pictures, touches_border, track, track_growth
from crystalgauge.measure.facet_growth import QUANTITIES

ALONE_UNTIL = 42
"""Seconds; from then on the crystal touches its neighbours."""

SECONDS = np.array([0, 6, 10, 16, 22, 28, 32, 38, 42, 48, 52, 58, 64])
PER_HOUR = 3600.0
COLUMNS = 5
COLOURS = (
    (60, 220, 60), (60, 60, 255), (255, 170, 40), (60, 220, 255), (230, 80, 230), (220, 220, 90),
)  # fmt: skip


def half_level_diameter(grey: np.ndarray) -> float:
    """Return the diameter of what is darker than halfway from the crystal to what surrounds it.

    It needs no model, but a place inside the crystal and one outside, and a crystal by itself.
    """
    smooth = cv2.GaussianBlur(grey.astype(np.float64), (0, 0), 2.0)
    level = 0.5 * (smooth[145:165, 135:155].mean() + np.median(smooth[60:80, 10:60]))
    _, labels, statistics, _ = cv2.connectedComponentsWithStats((smooth < level).astype(np.uint8))
    return float(2 * np.sqrt(statistics[labels[155, 145], cv2.CC_STAT_AREA] / np.pi))


def draw(grey: np.ndarray, outlines: list[tuple[int, object, bool]], second: int) -> np.ndarray:
    """Return the picture with outlines in the colours of their tracks, thin when cut."""
    canvas = cv2.cvtColor(grey.astype(np.uint8), cv2.COLOR_GRAY2BGR)
    for number, outline, whole in outlines:
        colour = COLOURS[number % len(COLOURS)]
        points = np.round((np.asarray(outline.exterior.coords) - 0.5) * 16).astype(np.int32)  # type: ignore[attr-defined]
        cv2.polylines(canvas, [points], True, colour, 2 if whole else 1, cv2.LINE_AA, 4)
        x, y = outline.centroid.coords[0]  # type: ignore[attr-defined]
        place = (int(np.clip(x, 2, 270)), int(np.clip(y, 12, 298)))
        cv2.putText(canvas, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, 1)
    cv2.putText(canvas, f"{second} s", (200, 290), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1)
    return canvas


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[1] / "../shared/data")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    paths = sorted((arguments.data / "film_growth").glob("frame_*.png"))
    measured = [crystalgauge.measure(path) for path in paths]
    shape = measured[0].micrograph.shape
    tracks = track([each.crystals for each in measured], SECONDS / PER_HOUR)
    growth = track_growth(tracks, shape=shape)
    figures = {
        "found per picture": [len(each.crystals) for each in measured],
        "shift of the last picture px": np.round(
            shift_of_pictures([each.micrograph.grey() for each in measured])[-1], 2
        ).tolist(),
        "tracks": [
            {
                "track": number,
                "seconds": SECONDS[tracks.frame[tracks.track == number]].tolist(),
                "whole": int(growth.n_observations[number]),
                "median diameter px": round(float(growth.diameter_px[number]), 1),
                "px per second": {
                    name: [
                        round(float(ends[number, q]) / PER_HOUR, 3)
                        for ends in (
                            growth.rate_px_per_h, growth.low_px_per_h, growth.high_px_per_h,
                        )
                    ]
                    for q, name in enumerate(QUANTITIES)
                },
            }
            for number in range(len(tracks))
            if growth.n_observations[number] >= 3
        ],
        "tracks of one or two pictures": int((growth.n_observations < 3).sum()),
    }  # fmt: skip
    largest = int(np.nanargmax(growth.diameter_px))
    rows = np.flatnonzero((tracks.track == largest) & (SECONDS[tracks.frame] <= ALONE_UNTIL))
    figures["diameter px, model and half level, while alone"] = [
        [
            int(SECONDS[tracks.frame[r]]),
            round(2 * float(np.sqrt(tracks.outlines[r].area / np.pi)), 1),
            round(half_level_diameter(measured[tracks.frame[r]].micrograph.grey()), 1),
        ]
        for r in rows
    ]
    print(json.dumps(figures, indent=2))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        whole = ~touches_border(tracks.outlines, shape)
        sheet = []
        for k, each in enumerate(measured):
            rows = np.flatnonzero(tracks.frame == k)
            shown = [(int(tracks.track[r]), tracks.outlines[r], bool(whole[r])) for r in rows]
            sheet.append(draw(each.micrograph.grey(), shown, int(SECONDS[k])))
            cv2.imwrite(str(arguments.out / f"{paths[k].stem}.png"), sheet[-1])
        sheet += [np.zeros_like(sheet[0])] * (-len(sheet) % COLUMNS)
        lines = [np.hstack(sheet[i : i + COLUMNS]) for i in range(0, len(sheet), COLUMNS)]
        cv2.imwrite(str(arguments.out / "sheet.png"), np.vstack(lines))


if __name__ == "__main__":
    main()
