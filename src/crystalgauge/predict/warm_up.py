"""Compiled kernels, loaded while the network is opened.

The first compiled kernel of a process takes numba most of a second to load, and opening a network
leaves Python and a core free for it.
"""

from __future__ import annotations

import functools
import logging
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.models.outline.config import SHAPE_CHANNELS, STRIDES, OutlineConfig
from crystalgauge.models.outline.decode import decode, demote_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

_logger = logging.getLogger(__name__)

_EDGE = 32
"""Of the picture that the made-up answer is of, in px."""


@functools.cache
def load_kernels_aside() -> threading.Thread:
    """Load the kernels of the decoder in a thread of its own, once a process."""
    thread = threading.Thread(target=_load_quietly, name="kernels", daemon=True)
    thread.start()
    return thread


def load_kernels() -> None:
    """Decode the answer of a network that sees the same crystal everywhere."""
    config = OutlineConfig()
    channels = SHAPE_CHANNELS + config.vertices
    maps = [np.zeros((_EDGE // s, _EDGE // s, channels), np.float32) for s in STRIDES]
    fine = np.zeros((_EDGE // 2, _EDGE // 2, config.fine), np.float32)
    coarse = np.zeros((_EDGE // 4, _EDGE // 4, config.coarse), np.float32)
    demote_parts(decode(maps, fine, coarse, _agree, threshold=0.4))


def _agree(samples: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Leave outlines as they are."""
    count, _, vertices = samples.shape
    return np.zeros((count, vertices), np.float32), np.zeros((count, 2), np.float32)


def _load_quietly() -> None:
    try:
        load_kernels()
    except Exception as error:  # whoever needs the kernels will meet it, and say so
        _logger.debug("the kernels could not be loaded ahead", exc_info=error)
