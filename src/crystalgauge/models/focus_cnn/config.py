"""Shape of the focus network."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from crystalgauge.core import ArgumentError

ActivationName = Literal["relu", "tanh"]

KERNELS = (3, 5, 7, 9, 11)
"""Those of the paper's sweep, in px."""

POOL = 2
"""Edge and stride of the poolings, in px."""

WIDEST = 512.0
"""Channels of the first convolution beyond which nothing is looked for."""


@dataclass(frozen=True)
class FocusCnnConfig:
    """Kernel, activation and width of a network after the smallest VGG.

    Convolutions and poolings of VGG's configuration A up to its third pooling (Simonyan and
    Zisserman 2015, table 1): conv(w) pool conv(2w) pool conv(4w) conv(4w) pool; then the mean over
    the picture, a dense layer and the classes. The reduced network lacks the first three
    convolutions and the first two poolings: conv(4w) pool, mean, dense, classes.

    Parameters
    ----------
    kernel
        Edge of the convolutions' kernels in px, odd, 3 to 11.
    activation
        After every layer but the last.
    width
        Channels w of the first convolution; need not be whole, each layer's number is rounded.
    classes
        Levels of focus, at least 2.
    reduced
        Whether the first three convolutions and the first two poolings are left out.
    """

    kernel: int = 5
    activation: ActivationName = "relu"
    width: float = 8.8
    classes: int = 2
    reduced: bool = False

    def __post_init__(self) -> None:
        if self.kernel not in KERNELS:
            raise ArgumentError(f"kernel must be one of {KERNELS}, got {self.kernel}")
        if self.activation not in ("relu", "tanh"):
            raise ArgumentError(f"activation must be relu or tanh, got {self.activation!r}")
        if not 0.5 <= self.width <= WIDEST or self.classes < 2:
            raise ArgumentError(
                f"width must be 0.5 to {WIDEST:g} and there must be at least 2 classes, got "
                f"{self.width:g} and {self.classes}"
            )

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the convolutions, first to last."""
        whole = tuple(max(1, round(factor * self.width)) for factor in (1, 2, 4, 4))
        return whole[3:] if self.reduced else whole

    @property
    def pooled(self) -> tuple[bool, ...]:
        """Whether a pooling follows each convolution."""
        return (True,) if self.reduced else (True, True, False, True)

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        total, entering = 0, 1
        for leaving in self.channels:
            total += leaving * (entering * self.kernel**2 + 1)
            entering = leaving
        return total + entering * (entering + 1) + self.classes * (entering + 1)

    def multiplications(self, edge_px: int) -> int:
        """Return the multiplications of one look at a square picture.

        Parameters
        ----------
        edge_px
            Its edge.
        """
        total, entering, edge = 0, 1, edge_px
        for leaving, pooled in zip(self.channels, self.pooled, strict=True):
            total += leaving * entering * self.kernel**2 * edge**2
            entering = leaving
            edge = edge // POOL if pooled else edge
        return total + entering * (entering + self.classes)

    def with_parameters(self, wanted: int) -> FocusCnnConfig:
        """Return the network whose number of parameters comes nearest to a number.

        Parameters
        ----------
        wanted
            Number of parameters.

        Raises
        ------
        ArgumentError
            When no width comes within 15 % of it.
        """
        low, high = 0.5, WIDEST
        for _ in range(40):
            middle = (low + high) / 2
            if replace(self, width=middle).parameters < wanted:
                low = middle
            else:
                high = middle
        near = min(
            (replace(self, width=round(width, 4)) for width in (low - 1e-3, high + 1e-3)
             if 0.5 <= width <= WIDEST),
            key=lambda config: abs(config.parameters - wanted),
        )  # fmt: skip
        if abs(near.parameters - wanted) > 0.15 * wanted:
            raise ArgumentError(
                f"no width gives {wanted} parameters with kernels of {self.kernel} px; "
                f"the nearest number is {near.parameters}"
            )
        return near

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> FocusCnnConfig:
        """Read what `as_dict` wrote."""
        return cls(**settings)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as a card stores them."""
        return asdict(self)
