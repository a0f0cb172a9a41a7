"""What is loaded ahead is what decoding needs, and loading it disturbs nobody."""

from __future__ import annotations

import numpy as np
from numba.core.dispatcher import Dispatcher

from crystalgauge.metrics import convex, suppression
from crystalgauge.models.outline import decode as outline_decode
from crystalgauge.models.outline import frame, sampling
from crystalgauge.models.outline.config import SHAPE_CHANNELS, STRIDES
from crystalgauge.predict import warm_up

KERNELS = [
    kernel
    for module in (convex, suppression, outline_decode, frame, sampling)
    for kernel in vars(module).values()
    if isinstance(kernel, Dispatcher)
]


def test_decoding_needs_no_kernel_that_was_not_loaded() -> None:
    warm_up.load_kernels()
    loaded = [len(kernel.signatures) for kernel in KERNELS]
    assert sum(loaded) >= 5
    rng = np.random.default_rng(19)
    maps = [rng.normal(0, 0.2, (96 // s, 160 // s, SHAPE_CHANNELS + 32)) for s in STRIDES]
    fine, coarse = (rng.normal(0, 1, (96 // s, 160 // s, 12)) for s in (2, 4))
    fine, coarse, *maps = (np.asarray(values, np.float32) for values in (fine, coarse, *maps))
    found = outline_decode.decode(maps, fine, coarse, warm_up._agree, threshold=0.5)
    assert len(outline_decode.demote_parts(found)) > 10
    assert [len(kernel.signatures) for kernel in KERNELS] == loaded


def test_it_happens_once_and_its_failure_is_left_to_who_needs_the_kernels(
    monkeypatch, caplog
) -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        raise OSError("no folder for compiled kernels")

    monkeypatch.setattr(warm_up, "load_kernels", fail)
    warm_up.load_kernels_aside.cache_clear()
    threads = {warm_up.load_kernels_aside() for _ in range(3)}
    for thread in threads:
        thread.join()
    warm_up.load_kernels_aside.cache_clear()
    assert (len(threads), len(calls)) == (1, 1)
    assert not caplog.records, "nothing above the level of debugging"
