"""All degradations in their order: drawn first, then applied without any randomness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from crystalgauge.core import ArgumentError
from crystalgauge.render.degrade.edge_shift import EdgeShift, shift_edges
from crystalgauge.render.degrade.grain import Grain, add_grain
from crystalgauge.render.degrade.object_marks import ObjectMarks, mark_objects
from crystalgauge.render.degrade.orientation import (
    Orientation,
    orient,
    orientation_matrix,
    oriented_shape,
)
from crystalgauge.render.degrade.outlines import Outlines, map_outlines
from crystalgauge.render.degrade.overlay import PAPER_CONTRAST, Overlay, lay_over
from crystalgauge.render.degrade.softening import Softening, soften
from crystalgauge.render.degrade.splines import Splines, draw_splines
from crystalgauge.render.degrade.tone import Tone, change_tone
from crystalgauge.render.degrade.vessel import Vessel, round_corners, seen_in_vessel

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ORDER = (
    "orientation", "marks", "edges", "aggregate", "film", "splines", "vessel", "tone", "softening",
    "grain",
)  # fmt: skip
"""Order of application, from the crystals to the camera: the picture is laid down, crystals are
marked and their edges frayed, what lies in front of them and on the glass is put over them (a
layer is weighed by what is seen through it), then come lens and sensor. The paper's own order is
in its table S1, which is not part of its text."""


@dataclass(frozen=True)
class Chance:
    """How often and how strongly a degradation occurs.

    Parameters
    ----------
    probability
        0 to 1.
    strength
        Least and most; drawn uniformly, in the unit of the degradation (see `Degradations`).

    Raises
    ------
    ArgumentError
        When either is out of its range.
    """

    probability: float
    strength: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ArgumentError(
                f"the probability of a degradation is {self.probability}; choose it within 0 and 1"
            )
        if not 0 <= self.strength[0] <= self.strength[1] < np.inf:
            raise ArgumentError(
                f"the strength of a degradation is {self.strength}; "
                "give its least and its most, both finite and not below 0"
            )


@dataclass(frozen=True)
class Degradations:
    """Probability and strength of every degradation.

    Parameters
    ----------
    orientation
        Flips and quarter turns; they have no strength.
    marks
        Crystals brightened, darkened or outlined; largest change of grey, full scale 1.
    edges
        Rows or columns displaced; standard deviation in px.
    aggregate, film
        Perlin noise and plane waves; c of eq. 12. The defaults are milder than the paper's 5, at
        which a film in a picture of high contrast looks like woven cloth.
    splines
        Scratches and hairs; opacity, 0 to 1.
    vessel
        Rounded corners; 0 leaves the frame whole, 1 rounds it down to a disc.
    tone
        Brightness and contrast; as in `Tone.sample`.
    softening
        Blur; standard deviation in px.
    grain
        Gaussian noise; standard deviation, full scale 1.
    """

    orientation: Chance = Chance(1.0)
    marks: Chance = Chance(0.3, (0.03, 0.15))
    edges: Chance = Chance(0.15, (0.3, 0.8))
    aggregate: Chance = Chance(0.4, (0.3, 3.0))
    film: Chance = Chance(0.3, (0.2, 2.0))
    splines: Chance = Chance(0.2, (0.2, 0.8))
    vessel: Chance = Chance(0.1, (0.1, 0.8))
    tone: Chance = Chance(0.5, (0.0, 0.2))
    softening: Chance = Chance(0.3, (0.4, 1.5))
    grain: Chance = Chance(0.5, (0.005, 0.05))

    @classmethod
    def none(cls) -> Degradations:
        """Return the configuration that changes nothing."""
        return cls(**{name: Chance(0.0) for name in ORDER})

    @classmethod
    def all_on(cls) -> Degradations:
        """Return the defaults with every probability 1."""
        default = cls()
        return cls(**{name: Chance(1.0, getattr(default, name).strength) for name in ORDER})

    @classmethod
    def paper(cls) -> Degradations:
        """Return the defaults with the paper's c = 5 for aggregate and film."""
        exact = (PAPER_CONTRAST, PAPER_CONTRAST)
        default = cls()
        return cls(
            aggregate=Chance(default.aggregate.probability, exact),
            film=Chance(default.film.probability, exact),
        )


@dataclass(frozen=True)
class Drawn:
    """The degradations of one picture; None where one does not occur.

    Parameters
    ----------
    shape
        Height and width in px of the picture they were drawn for.
    orientation, marks, edges, aggregate, film, splines, vessel, tone, softening, grain
        Parameters of each.
    """

    shape: tuple[int, int]
    orientation: Orientation | None = None
    marks: ObjectMarks | None = None
    edges: EdgeShift | None = None
    aggregate: Overlay | None = None
    film: Overlay | None = None
    splines: Splines | None = None
    vessel: Vessel | None = None
    tone: Tone | None = None
    softening: Softening | None = None
    grain: Grain | None = None

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The ``(2, 3)`` map from px of the picture to px of the degraded one."""
        return orientation_matrix(self.shape, self.orientation or Orientation(False, 0))

    def seen(self, outlines: Outlines) -> NDArray[np.bool_]:
        """Tell which crystals can still be asked for; the vessel's wall may hide some.

        Parameters
        ----------
        outlines
            In px of the picture before.

        Returns
        -------
        NDArray
            ``(N,)``.
        """
        if self.vessel is None:
            return np.ones(len(outlines), bool)
        return seen_in_vessel(self.vessel, map_outlines(outlines, self.matrix))


_SAMPLERS: dict[str, Callable[[np.random.Generator, tuple[int, int], float], Any]] = {
    "orientation": lambda rng, shape, strength: Orientation.sample(rng),
    "marks": ObjectMarks.sample,
    "edges": EdgeShift.sample,
    "aggregate": lambda rng, shape, strength: Overlay.sample(rng, shape, strength, "perlin"),
    "film": lambda rng, shape, strength: Overlay.sample(rng, shape, strength, "waves"),
    "splines": Splines.sample,
    "vessel": Vessel.sample,
    "tone": Tone.sample,
    "softening": Softening.sample,
    "grain": Grain.sample,
}

_STEPS: dict[str, Callable[[NDArray[np.float32], Any, Outlines], NDArray[np.float32]]] = {
    "orientation": lambda picture, drawn, outlines: orient(picture, drawn),
    "marks": mark_objects,
    "edges": lambda picture, drawn, outlines: shift_edges(picture, drawn),
    "aggregate": lambda picture, drawn, outlines: lay_over(picture, drawn),
    "film": lambda picture, drawn, outlines: lay_over(picture, drawn),
    "splines": lambda picture, drawn, outlines: draw_splines(picture, drawn),
    "vessel": lambda picture, drawn, outlines: round_corners(picture, drawn),
    "tone": lambda picture, drawn, outlines: change_tone(picture, drawn),
    "softening": lambda picture, drawn, outlines: soften(picture, drawn),
    "grain": lambda picture, drawn, outlines: add_grain(picture, drawn),
}


def sample_degradations(
    rng: np.random.Generator, shape: tuple[int, int], config: Degradations
) -> Drawn:
    """Draw the degradations of one picture.

    Parameters
    ----------
    rng
        Source of the choices. Every degradation has a stream of its own, so that switching one
        off leaves the others as they are.
    shape
        Height and width of the picture in px.
    config
        Probability and strength of each.
    """
    drawn: dict[str, Any] = {}
    turned = shape
    for name, seed in zip(ORDER, rng.integers(2**63, size=len(ORDER)), strict=True):
        stream = np.random.default_rng(seed)
        chance: Chance = getattr(config, name)
        if stream.random() < chance.probability:
            drawn[name] = _SAMPLERS[name](stream, turned, float(stream.uniform(*chance.strength)))
        if name == "orientation" and name in drawn:
            turned = oriented_shape(shape, drawn[name])
    return Drawn(shape, **drawn)


def degrade(picture: NDArray[Any], drawn: Drawn, outlines: Outlines | None = None) -> NDArray[Any]:
    """Degrade a picture; the same arguments give the same bytes.

    The truth follows by `Drawn.matrix` (flips and turns), `Drawn.seen` (what the vessel hides)
    and the blur of `Drawn.softening`, which adds in squares to each crystal's defocus.

    Parameters
    ----------
    picture
        ``(H, W)`` uint8, or float32 from 0 to 1.
    drawn
        What to do, drawn for this shape.
    outlines
        The crystals, in px of the picture; without them none is marked.

    Returns
    -------
    NDArray
        Of the picture's type; ``(W, H)`` after an odd number of quarter turns.

    Raises
    ------
    ArgumentError
        When the picture is of another type or shape.
    """
    stored = picture.dtype == np.uint8
    known = stored or picture.dtype == np.float32
    if picture.shape != drawn.shape or not picture.size or not known:
        raise ArgumentError(
            f"degradations drawn for {drawn.shape} cannot be applied to a picture of shape "
            f"{picture.shape} and type {picture.dtype}; pass grey uint8 or float32 of that shape"
        )
    grey = _from_stored(picture) if stored else picture.copy()
    mapped = map_outlines(Outlines.none() if outlines is None else outlines, drawn.matrix)
    for name in ORDER:
        step = getattr(drawn, name)
        if step is not None:
            grey = _STEPS[name](grey, step, mapped)
    return _to_stored(grey) if stored else np.clip(grey, 0, 1, out=grey)


@njit(cache=True, nogil=True)
def _from_stored(picture):  # type: ignore[no-untyped-def]
    """Return stored greys with full scale 1."""
    out = np.empty(picture.shape, np.float32)
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            out[y, x] = picture[y, x] * np.float32(1 / 255)
    return out


@njit(cache=True, nogil=True)
def _to_stored(grey):  # type: ignore[no-untyped-def]
    """Return greys of full scale 1 as they are stored, rounded and clipped."""
    out = np.empty(grey.shape, np.uint8)
    for y in range(grey.shape[0]):
        for x in range(grey.shape[1]):
            level = min(max(grey[y, x], np.float32(0)), np.float32(1)) * np.float32(255)
            out[y, x] = np.uint8(np.int32(level + np.float32(0.5)))
    return out
