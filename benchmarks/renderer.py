"""How many pictures a second one core renders, and how that compares with a path tracer.

Run ``python benchmarks/renderer.py``; with Mitsuba installed it renders the same scenes, too.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.render import render
from crystalgauge.render.composite import trace_scene
from crystalgauge.scenes import Scene, SuspensionConfig, sample_scene
from crystalgauge.scenes.statistics import Crowd

if TYPE_CHECKING:
    from collections.abc import Callable

FIFTY = Crowd("fifty", 1.0, (50, 50), (8, 26), (35, 120))
SHAPE = (384, 384)


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


def scene(index: int, directions: int = 8) -> Scene:
    """Draw one of the benchmark's scenes: 50 crystals and every backdrop of the regime."""
    config = SuspensionConfig(crowds=(FIFTY,), directions=directions)
    return sample_scene(np.random.default_rng((2024, index)), SHAPE, config)


def against_mitsuba(samples: int = 64) -> None:
    """Print the processor time of Mitsuba on a scene of this benchmark, and the ratio."""
    from crystalgauge.core import MissingExtraError
    from crystalgauge.render.mitsuba import mitsuba_transmittance

    plain = scene(0)
    start = time.process_time()
    try:
        mitsuba_transmittance(plain, samples=samples, directions=8)
    except MissingExtraError as error:
        print(error)
        return
    theirs = time.process_time() - start
    ours = seconds_per_call(lambda _: trace_scene(plain), 1)
    print(f"Mitsuba, {samples} samples    {1e3 * theirs:8.0f} ms for one of these scenes")
    print(f"our tracer             {1e3 * ours:8.2f} ms, {theirs / ours:.0f} times less")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100, help="pictures (default 100)")
    count = parser.parse_args().n
    cv2.setNumThreads(1)
    scenes = [scene(index) for index in range(count)]
    crystals = np.mean([len(s.crystals) for s in scenes])
    print(
        f"{count} scenes of {SHAPE[1]} x {SHAPE[0]} px, {crystals:.1f} crystals on average, K = 8"
    )
    draw = seconds_per_call(scene, count)
    trace = seconds_per_call(lambda i: trace_scene(scenes[i]), count)
    picture = seconds_per_call(lambda i: render(scenes[i]), count)
    print(f"draw a scene           {1e3 * draw:8.2f} ms")
    print(f"trace its crystals     {1e3 * trace:8.2f} ms")
    print(f"render with truth      {1e3 * picture:8.2f} ms")
    print(f"images/s and core      {1 / (draw + picture):8.1f}")
    against_mitsuba()


if __name__ == "__main__":
    main()
