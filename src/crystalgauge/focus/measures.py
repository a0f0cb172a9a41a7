"""Classical measures of focus, of a picture, a tile or a crystal.

All take grey values as floats and, where only a part is meant, a mask. The first three grow with
the contrast squared and with how much edge there is, so they compare pictures of one scene and
nothing else; `reblur` and `edges.edge_sharpness` do not depend on the contrast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAPLACE = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], np.float64)
"""The five-point Laplacian."""

REBLUR_PX = 9
"""Length of the strong blur of `reblur`, as published."""


def laplacian_variance(
    pixels: NDArray[np.floating[Any]], mask: NDArray[np.bool_] | None = None
) -> float:
    """Return the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000); NaN of nothing.

    Parameters
    ----------
    pixels
        ``(H, W)`` grey values.
    mask
        ``(H, W)`` where to look; everywhere when None.
    """
    values = _inside(laplacian(pixels), mask)
    return float(values.var()) if values.size else float("nan")


def brenner(pixels: NDArray[np.floating[Any]], mask: NDArray[np.bool_] | None = None) -> float:
    """Return the mean squared difference of pixels two apart, over both axes.

    Brenner et al., J. Histochem. Cytochem. 24 (1976) 100, who sum along one axis.

    Parameters
    ----------
    pixels, mask
        As for `laplacian_variance`.
    """
    grey = _checked(pixels)
    down, right = np.zeros_like(grey), np.zeros_like(grey)
    down[:-2], right[:, :-2] = grey[2:] - grey[:-2], grey[:, 2:] - grey[:, :-2]
    values = _inside(down**2 + right**2, mask)
    return float(values.mean()) if values.size else float("nan")


def tenengrad(pixels: NDArray[np.floating[Any]], mask: NDArray[np.bool_] | None = None) -> float:
    """Return the mean squared Sobel gradient, per pixel of distance (Tenenbaum 1970).

    Parameters
    ----------
    pixels, mask
        As for `laplacian_variance`.
    """
    grey = _checked(pixels)
    x, y = (
        cv2.Sobel(grey, cv2.CV_64F, *axes, ksize=3, borderType=cv2.BORDER_REPLICATE) / 8
        for axes in ((1, 0), (0, 1))
    )
    values = _inside(x**2 + y**2, mask)
    return float(values.mean()) if values.size else float("nan")


def reblur(pixels: NDArray[np.floating[Any]], mask: NDArray[np.bool_] | None = None) -> float:
    """Return how little a strong blur takes from the picture, 0 (sharp) to 1 (blurred).

    Crete et al., Proc. SPIE 6492 (2007) 64920I, eqs 1 to 7: a sharp picture loses most of the
    differences between neighbours, a blurred one hardly any. NaN where there are none.

    Parameters
    ----------
    pixels, mask
        As for `laplacian_variance`.
    """
    grey = _checked(pixels)
    shares = []
    for axis in (0, 1):
        size = (1, REBLUR_PX) if axis == 0 else (REBLUR_PX, 1)  # cv2 wants width, height
        blurred = cv2.blur(grey, size, borderType=cv2.BORDER_REPLICATE)
        sharp_steps = np.abs(np.diff(grey, axis=axis))
        soft_steps = np.abs(np.diff(blurred, axis=axis))
        lost = np.maximum(sharp_steps - soft_steps, 0.0)
        inside = None
        if mask is not None:
            inside = mask[1:] & mask[:-1] if axis == 0 else mask[:, 1:] & mask[:, :-1]
        total, gone = _inside(sharp_steps, inside).sum(), _inside(lost, inside).sum()
        if total > 0:
            shares.append(float((total - gone) / total))
    return max(shares) if shares else float("nan")


def laplacian(pixels: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the five-point Laplacian, 0 on the outermost pixels.

    Parameters
    ----------
    pixels
        ``(H, W)`` grey values.
    """
    values = cv2.filter2D(_checked(pixels), cv2.CV_64F, LAPLACE, borderType=cv2.BORDER_REPLICATE)
    return _bordered(values)


def squared_gradient(pixels: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the squared gradient by central differences, 0 on the outermost pixels.

    Parameters
    ----------
    pixels
        ``(H, W)`` grey values.
    """
    grey = _checked(pixels)
    values = np.zeros_like(grey)
    values[1:-1, 1:-1] = (
        (grey[1:-1, 2:] - grey[1:-1, :-2]) ** 2 + (grey[2:, 1:-1] - grey[:-2, 1:-1]) ** 2
    ) / 4
    return values


def _bordered(values: NDArray[Any]) -> NDArray[np.float64]:
    framed = np.zeros(values.shape, np.float64)
    framed[1:-1, 1:-1] = values[1:-1, 1:-1]
    return framed


def _inside(values: NDArray[np.float64], mask: NDArray[np.bool_] | None) -> NDArray[np.float64]:
    if mask is None:
        return values.ravel()
    if mask.shape != values.shape:
        raise ArgumentError(
            f"a mask of shape {mask.shape} came with pixels of shape {values.shape}; "
            "give them the same shape"
        )
    return values[mask]


def _checked(pixels: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    grey = np.asarray(pixels, np.float64)
    if grey.ndim != 2 or min(grey.shape) < 3:
        raise ArgumentError(
            f"focus is measured in grey pictures of 3 x 3 px or more, got the shape {grey.shape}"
        )
    return grey
