"""The moving average of a network's weights, which is what is exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn


def follow(average: nn.Module, model: nn.Module, steps: int, decay: float) -> None:
    """Move an average towards the weights of now, faster in the first steps.

    Parameters
    ----------
    average, model
        Networks of one shape.
    steps
        Taken so far.
    decay
        Share of the average that a step leaves, 0 to 1, in the long run.
    """
    decay = min(decay, (1 + steps) / (10 + steps))
    with torch.no_grad():
        for slow, fast in zip(
            average.state_dict().values(), model.state_dict().values(), strict=True
        ):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - decay)
            else:
                slow.copy_(fast)
