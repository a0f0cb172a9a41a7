"""How well the shipped network of tiles judges focus, beside the classical measures.

    python benchmarks/focus.py [--model focus] [--pictures 500] [--data ../shared/data] [--maps DIR]

Simulated scenes have seeds of their own. The real pictures are not part of this repository; they
are judged with the limits as shipped. With `--maps`, heat maps of them are written.
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.core import Micrograph
from crystalgauge.datasets.focus_pictures import FocusKind, sample_focus_picture
from crystalgauge.focus import (
    LEAST_SHARE,
    MOST_BLUR_PX,
    FocusNetwork,
    FocusTiles,
    Verdict,
    brenner,
    edge_blur_px,
    edge_sharpness,
    heat_map,
    judge,
    judge_stack,
    laplacian_variance,
    noise_level,
    reblur,
    tenengrad,
    tile_bounds,
)
from crystalgauge.io import read_micrograph
from crystalgauge.models.focus_tiles.targets import TileTargets, tile_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SEED = 53
SIZE = 192
GRID_SHIFTS_PX = tuple(np.array(shift, np.float32) for shift in ((8, 0), (-8, 0), (0, 8), (0, -8)))
BINS_PX = (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0)
CLASSICAL = ("edge blur", "Laplacian variance", "Brenner", "Tenengrad", "reblur")


@dataclass(frozen=True, eq=False)
class Judged:
    """A test picture: its truth, what network and classical measures say, and its edges."""

    kind: str
    truth: TileTargets
    found: FocusTiles
    classical: NDArray[np.float64]
    points: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


def judged_pictures(network: FocusNetwork, count: int) -> Iterator[Judged]:
    """Render and judge the test pictures."""
    for index in range(count):
        picture = sample_focus_picture(SEED, index, size=SIZE)
        truth = tile_targets(picture.points, picture.blur_px, picture.strength, (SIZE, SIZE))
        micrograph = Micrograph(picture.pixels)
        yield Judged(picture.kind, truth, network(micrograph), classical_tiles(micrograph),
                     (picture.points, picture.blur_px, picture.strength))  # fmt: skip


def classical_tiles(micrograph: Micrograph) -> NDArray[np.float64]:
    """Return ``(h, w, 5)`` what each of `CLASSICAL` says of each tile."""
    grey = micrograph.grey().astype(np.float64)
    noise = noise_level(grey)
    bounds = tile_bounds(micrograph.shape)
    values = np.empty((*bounds.shape[:2], len(CLASSICAL)))
    for place in np.ndindex(bounds.shape[:2]):
        left, top, right, bottom = bounds[place]
        piece = grey[top:bottom, left:right]
        everywhere = np.ones(piece.shape, bool)
        blur = edge_blur_px(edge_sharpness(piece, everywhere, noise=noise))
        measures = (laplacian_variance, brenner, tenengrad, reblur)
        values[place] = (blur, *(measure(piece) for measure in measures))
    return values


def report_tiles(pictures: list[Judged]) -> None:
    """Print errors, coverage and content."""
    known = [np.isfinite(p.truth.blur_px) for p in pictures]
    truth = np.concatenate([p.truth.blur_px[k] for p, k in zip(pictures, known, strict=True)])
    found, low, high = (
        np.concatenate([getattr(p.found, name)[k] for p, k in zip(pictures, known, strict=True)])
        for name in ("blur_px", "low_px", "high_px")
    )
    kinds = np.concatenate([[p.kind] * int(k.sum()) for p, k in zip(pictures, known, strict=True)])
    classical = np.concatenate([p.classical[k] for p, k in zip(pictures, known, strict=True)])
    seen = np.concatenate([p.found.judged[k] for p, k in zip(pictures, known, strict=True)])
    print(f"{len(truth)} tiles with known blur, {100 * seen.mean():.1f} % of them judged")
    print(
        "true blur    tiles  median error  relative  within 15 % or 0.5 px  in interval | classic"
    )
    for start, end in [*itertools.pairwise(BINS_PX), (1.0, 8.0)]:
        row = seen & (truth >= start) & (truth < end)
        line = _errors(truth[row], found[row], low[row], high[row])
        blur = _errors(truth[row], classical[row, 0], low[row], high[row])[:40]
        print(f"{start:4g}-{end:<4g} px {row.sum():6d}  {line} | {blur}")
    for kind in dict.fromkeys(kinds):
        row = seen & (kinds == kind) & (truth >= 1) & (truth < 8)
        print(f"{kind:12s} {row.sum():6d}  {_errors(truth[row], found[row], low[row], high[row])}")
    print("rank correlation with the true blur, tiles judged:")
    for name, values in [("network", found), *zip(CLASSICAL, classical.T, strict=True)]:
        usable = seen & np.isfinite(values)
        print(f"  {name:20s} {_spearman(truth[usable], values[usable]):+.3f}")
    asked = np.concatenate([p.truth.content.ravel() for p in pictures])
    said = np.concatenate([p.found.judged.ravel() for p in pictures])
    print(f"content: {100 * said[asked == 1].mean():.1f} % of tiles with content judged, "
          f"{100 * said[asked == 0].mean():.1f} % of tiles without")  # fmt: skip


def _errors(
    truth: NDArray[np.floating],
    found: NDArray[np.floating],
    low: NDArray[np.floating],
    high: NDArray[np.floating],
) -> str:
    if not len(truth):
        return "none"
    error = np.abs(np.nan_to_num(found, nan=np.inf) - truth)
    good = (error <= np.maximum(0.5, 0.15 * truth)).mean()
    held = ((truth >= low) & (truth <= high)).mean()
    relative = np.median(error / truth)
    return f"{np.median(error):6.2f} px {100 * relative:8.1f} % {100 * good:10.1f} % {held:14.3f}"


def _spearman(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])


def report_verdicts(pictures: list[Judged]) -> None:
    """Compare verdicts with those of the same rule on the truth, and say what is at fault."""
    asked = [p for p in pictures if wanted_verdict(p.truth) is not None]
    right = np.array([judge(p.found).verdict == wanted_verdict(p.truth) for p in asked])
    clear = np.array([is_clear(p.truth) for p in asked])
    unsure = np.array([is_unsure(p) for p in asked])
    print(f"verdict right: {right.mean():.3f} of {len(right)} simulated pictures; "
          f"{len(pictures) - len(asked)} more show nothing certain")  # fmt: skip
    print(f"  {right[clear].mean():.3f} of the {clear.sum()} whose blur is one and not within 20 % "
          f"of the limit; {right[~clear].mean():.3f} of the {(~clear).sum()} others")  # fmt: skip
    print(f"  {100 * unsure.mean():.1f} % have another truth by points or strengths a sixth apart "
          f"or a grid moved by 8 px; without them {right[~unsure].mean():.3f}")  # fmt: skip
    blur = [
        _verdict(p.found.blur_px, p.truth.content == 1) == wanted_verdict(p.truth) for p in asked
    ]
    print(f"  {np.mean(blur):.3f} by the network's blur on the tiles that have content in truth")
    for kind in dict.fromkeys(p.kind for p in asked):
        row = np.array([p.kind == kind for p in asked])
        print(f"  {kind:12s} {right[row].mean():.3f} of {row.sum()}")


def wanted_verdict(truth: TileTargets) -> Verdict | None:
    """Return the verdict of the rule on the truth, None where nothing is certain."""
    asked = truth.content == 1
    if not asked.any() and (truth.content != 0).any():
        return None
    return _verdict(truth.blur_px, asked)


def _verdict(blur_px: NDArray[np.floating], asked: NDArray[np.bool_]) -> Verdict:
    if not asked.any():
        return "nothing to judge"
    sharp = (blur_px[asked] <= MOST_BLUR_PX).mean() >= LEAST_SHARE
    return "in focus" if sharp else "out of focus"


def is_clear(truth: TileTargets) -> bool:
    """Return whether the blur is one and not within 20 % of the limit, or there is nothing."""
    blur = truth.blur_px[truth.content == 1]
    if not len(blur):
        return True
    share = (blur <= MOST_BLUR_PX).mean()
    return share in (0.0, 1.0) and abs(np.median(blur) / MOST_BLUR_PX - 1) > 0.2


def is_unsure(picture: Judged) -> bool:
    """Return whether the truth itself hangs on what is arbitrary in it."""
    wanted = wanted_verdict(picture.truth)
    shape = (SIZE, SIZE)
    points, blur, strength = picture.points
    others = [tile_targets(points, blur, strength * factor, shape) for factor in (0.85, 1.2)]
    others += [tile_targets(points + shift, blur, strength, shape) for shift in GRID_SHIFTS_PX]
    return any(wanted_verdict(other) != wanted for other in others)


def report_empty(network: FocusNetwork, count: int = 40) -> None:
    """Say what is made of pictures without crystals, and of noise."""
    kinds: tuple[FocusKind, ...] = ("blank", "empty")
    for kind in kinds:
        pictures = [sample_focus_picture(SEED, k, size=384, kind=kind) for k in range(count)]
        found = [judge(network(Micrograph(p.pixels))).verdict for p in pictures]
        wanted = [
            wanted_verdict(tile_targets(p.points, p.blur_px, p.strength, (384, 384)))
            for p in pictures
        ]
        asked = [k for k, verdict in enumerate(wanted) if verdict is not None]
        none = [k for k in asked if wanted[k] == "nothing to judge"]
        right = np.mean([found[k] == wanted[k] for k in asked])
        print(f"{kind}: verdict right {right:.3f} of {len(asked)}; of {len(none)} without content "
              f"{sum(found[k] == wanted[k] for k in none)} have nothing to judge")  # fmt: skip


def report_nuclei(network: FocusNetwork, folder: Path, maps: Path | None) -> None:
    """Judge the pictures of nuclei whose folders say whether they are in focus."""
    right, old = [], []
    for name, wanted in (("in_focus", "in focus"), ("out_of_focus", "out of focus")):
        for path in sorted((folder / name).iterdir()):
            micrograph = read_micrograph(path)
            found = judge(tiles := network(micrograph))
            grey = micrograph.grey().astype(np.float64)
            everywhere = np.ones(grey.shape, bool)
            blur = edge_blur_px(edge_sharpness(grey, everywhere, noise=noise_level(grey)))
            right.append(found.verdict == wanted)
            old.append((blur <= MOST_BLUR_PX) == (wanted == "in focus"))
            print(f"  {name:13s} {path.name[:32]:32s} {found.verdict:17s} share {found.share:.2f} "
                  f"blur {found.blur_px:5.2f} ({found.low_px:.1f} to {found.high_px:.1f}) px, "
                  f"{found.judged} tiles; classic {blur:.2f} px")  # fmt: skip
            _map(micrograph, tiles, maps, f"{name}-{path.stem[:30]}")
    print(f"nuclei: verdict right {np.mean(right):.3f} of {len(right)}; classic {np.mean(old):.3f}")


def report_stack(network: FocusNetwork, folder: Path, maps: Path | None) -> None:
    """Judge the planes of a real stack."""
    paths = sorted(folder.glob("*.jpg"))
    planes = [read_micrograph(path) for path in paths]
    tiles = [network(plane) for plane in planes]
    found = judge_stack(tiles)
    for index, path in enumerate(paths):
        share = judge(tiles[index]).share
        print(f"  {path.name}: blur {found.blur_px[index]:.2f} px, in focus {100 * share:.0f} %, "
              f"sharpest in {(found.depth == index).sum()} tiles")  # fmt: skip
        _map(planes[index], tiles[index], maps, path.stem)
    rows, columns = np.indices(found.depth.shape)
    for index in range(len(paths)):
        here = found.depth == index
        if here.any():
            print(f"    plane {index}: mean row {rows[here].mean():.1f} of {len(rows)}, "
                  f"mean column {columns[here].mean():.1f} of {rows.shape[1]}")  # fmt: skip
    print(f"stack: best plane {found.best}")


def _map(micrograph: Micrograph, tiles: FocusTiles, maps: Path | None, name: str) -> None:
    if maps is not None:
        maps.mkdir(parents=True, exist_ok=True)
        drawn = heat_map(micrograph, tiles, most_blur_px=MOST_BLUR_PX)
        cv2.imwrite(str(maps / f"{name}.png"), drawn[..., ::-1])


def report_time(network: FocusNetwork, repeats: int = 7) -> None:
    """Time a picture of the usual size."""
    piece = sample_focus_picture(SEED, 1, size=SIZE, kind="leaves").pixels
    grey = Micrograph(piece).grey().astype(np.uint8)
    picture = Micrograph(np.tile(grey, (5, 7))[:920, :1224])
    wall, cpu = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        network(picture)
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    print(f"1224 x 920 px: {min(wall):.3f} s, {min(cpu):.3f} s of processor, best of {repeats}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="focus")
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--maps", type=Path)
    arguments = parser.parse_args()
    network = FocusNetwork(arguments.model, threads=1)
    pictures = list(judged_pictures(network, arguments.pictures))
    report_tiles(pictures)
    report_verdicts(pictures)
    report_empty(network)
    for name, report in (("bbbc006", report_nuclei), ("macro_stack", report_stack)):
        folder = arguments.data / "focus" / name
        if folder.is_dir():
            report(network, folder, arguments.maps)
        else:
            print(f"{name}: skipped, there is no folder {folder}")
    report_time(network)


if __name__ == "__main__":
    main()
