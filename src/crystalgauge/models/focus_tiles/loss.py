"""What the network of tiles learns from.

Blur: the negative logarithm of a Laplace density about the answer, whose width the network states
itself (Kendall and Gal, NeurIPS 2017, with Laplace in place of Gauss), weighted so that every blur
counts alike however often it occurs. Content: cross entropy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

SPREAD_LIMITS = (-5.0, 1.0)
"""Of the logarithm of the stated width: an answer is never surer than some 1 %."""


def focus_loss(
    tiles: Tensor, log_blur: Tensor, weight: Tensor, content: Tensor
) -> dict[str, Tensor]:
    """Return the terms to be summed.

    Parameters
    ----------
    tiles
        ``(B, 3, h, w)`` what the network says.
    log_blur
        ``(B, h, w)`` ``log(1 + sigma)``, any finite value where the weight is 0.
    weight
        ``(B, h, w)`` of the blur, 0 where it is not known.
    content
        ``(B, h, w)`` 1 with content, 0 without, -1 where it is not asked for.
    """
    spread = tiles[:, 1].clamp(*SPREAD_LIMITS)
    laplace = (tiles[:, 0] - log_blur).abs() * torch.exp(-spread) + spread
    asked = content >= 0
    entropy = functional.binary_cross_entropy_with_logits(
        tiles[:, 2], content.clamp(min=0).to(tiles.dtype), reduction="none"
    )
    return {
        "blur": (laplace * weight).sum() / weight.sum().clamp(min=1.0),
        "content": (entropy * asked).sum() / asked.sum().clamp(min=1),
    }
