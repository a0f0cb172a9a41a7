"""How long the degradations of a picture take, each alone and all of them.

Run ``python benchmarks/degrade.py``; processor time on one thread, for 384 x 384 px.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from crystalgauge.datasets import packed_vertices, sample_picture
from crystalgauge.render.degrade import (
    ORDER,
    Chance,
    Degradations,
    Drawn,
    Outlines,
    degrade,
    sample_degradations,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SEED = 2024


def seconds_per_call(work: Callable[[int], object], count: int, repeats: int = 5) -> float:
    """Return the processor time of one call, in s: each one's best of some, averaged.

    The best of some, because neighbours on a shared machine slow single calls down.
    """
    work(0)
    best = []
    for index in range(count):
        times = []
        for _ in range(repeats):
            start = time.process_time()
            work(index)
            times.append(time.process_time() - start)
        best.append(min(times))
    return float(np.mean(best))


def only(name: str) -> Degradations:
    """Return the configuration with one degradation always on and the others off."""
    chances = {other: Chance(0.0) for other in ORDER}
    chances[name] = getattr(Degradations.all_on(), name)
    return Degradations(**chances)


def pictures(count: int) -> list[tuple[NDArray[Any], Outlines]]:
    """Render some suspensions of grey pictures with their outlines."""
    found = []
    for index in range(count):
        image, truth = sample_picture(SEED, index)
        grey = image if image.ndim == 2 else np.ascontiguousarray(image[..., 1])
        found.append((grey, Outlines(*packed_vertices(truth.crystals))))
    return found


def draw(index: int, config: Degradations) -> Drawn:
    """Draw the degradations of a picture."""
    return sample_degradations(np.random.default_rng((SEED, index)), (384, 384), config)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=40, help="pictures (default 40)")
    count = parser.parse_args().n
    cv2.setNumThreads(1)
    samples = pictures(count)
    crystals = np.mean([len(outlines) for _, outlines in samples])
    print(f"{count} pictures of 384 x 384 px, {crystals:.1f} crystals on average, ms per picture")
    for name, config in [
        ("nothing", Degradations.none()),
        *[(name, only(name)) for name in ORDER],
        ("all of them", Degradations.all_on()),
        ("as in training", Degradations()),
    ]:
        drawn = [draw(index, config) for index in range(count)]
        seconds = seconds_per_call(
            lambda i, drawn=drawn: degrade(samples[i][0], drawn[i], samples[i][1]), count
        )
        print(f"{name:<16}{1e3 * seconds:8.2f}")
    every = Degradations.all_on()
    print(f"{'drawing all':<16}{1e3 * seconds_per_call(lambda i: draw(i, every), count):8.2f}")


if __name__ == "__main__":
    main()
