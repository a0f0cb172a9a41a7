"""Sizes from pictures, with all that the figures of their distribution and its intervals need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Sample:
    """Sizes with weights from pictures.

    Parameters
    ----------
    sizes
        ``(n,)`` positive and finite, any unit and order.
    weights
        ``(n,)`` above 0: for how many crystals of the population each one stands.
    picture
        ``(n,)`` number of the picture each is in, 0 to P - 1.
    areas
        ``(P,)`` areas of the pictures, above 0, in the unit that densities are wanted per; NaN
        when not known.
    coverages
        ``(P,)`` covered parts of the pictures; NaN when not known.
    calibrations
        ``(P,)`` number of the calibration of each picture, 0 to C - 1.
    scale_errors
        ``(C,)`` relative standard uncertainties of the pixel sizes, 0 or more.

    Raises
    ------
    ArgumentError
        When the parts do not fit each other or are out of range.
    """

    sizes: NDArray[np.float64]
    weights: NDArray[np.float64]
    picture: NDArray[np.int64]
    areas: NDArray[np.float64]
    coverages: NDArray[np.float64]
    calibrations: NDArray[np.int64]
    scale_errors: NDArray[np.float64]

    def __post_init__(self) -> None:
        n, n_pictures = len(self.sizes), len(self.areas)
        if not len(self.weights) == len(self.picture) == n:
            raise ArgumentError(f"{n} sizes need as many weights and pictures")
        if not len(self.coverages) == len(self.calibrations) == n_pictures:
            raise ArgumentError(f"{n_pictures} areas need as many coverages and calibrations")
        if not (np.isfinite(self.sizes).all() and (self.sizes > 0).all()):
            raise ArgumentError("sizes must be finite and above 0; leave out what has no size")
        if not (np.isfinite(self.weights).all() and (self.weights > 0).all()):
            raise ArgumentError("weights must be finite and above 0; leave out what counts nothing")
        for name, index, end in (
            ("picture", self.picture, n_pictures),
            ("calibration", self.calibrations, len(self.scale_errors)),
        ):
            if len(index) and not (0 <= index.min() and index.max() < end):
                raise ArgumentError(f"{name} numbers must lie between 0 and {end - 1}")
        if not ((self.scale_errors >= 0) & np.isfinite(self.scale_errors)).all():
            raise ArgumentError("uncertainties of the pixel size must be 0 or more")

    @classmethod
    def of_one_kind(
        cls,
        sizes: NDArray[Any],
        picture: NDArray[Any] | None = None,
        *,
        weights: NDArray[Any] | None = None,
        areas: NDArray[Any] | None = None,
        coverages: NDArray[Any] | None = None,
        scale_error: float = 0.0,
    ) -> Sample:
        """Return a sample whose pictures share one calibration.

        Parameters
        ----------
        sizes, picture, weights, areas, coverages
            As for the class; one picture, weights of 1, and unknown areas and coverages when left
            out.
        scale_error
            Relative standard uncertainty of the pixel size.
        """
        values = np.asarray(sizes, dtype=np.float64)
        of = np.zeros(len(values), np.int64) if picture is None else np.asarray(picture, np.int64)
        known = next((len(each) for each in (areas, coverages) if each is not None), None)
        n_pictures = known if known is not None else int(of.max(initial=0)) + 1
        nothing = np.full(n_pictures, np.nan)
        return cls(
            values,
            np.ones(len(values)) if weights is None else np.asarray(weights, np.float64),
            of,
            nothing if areas is None else np.asarray(areas, np.float64),
            nothing if coverages is None else np.asarray(coverages, np.float64),
            np.zeros(n_pictures, np.int64),
            np.array([scale_error], dtype=np.float64),
        )

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def n_pictures(self) -> int:
        """Pictures, with crystals or without."""
        return len(self.areas)
