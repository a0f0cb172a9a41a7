"""Regime ``agglomerates``: crystals that touch, and crystals that only seem to.

Contacts never happen by chance in a suspension, so agglomerates are built: their members touch or
are intergrown at one depth. Over and under them lie others at a depth of their own, in projection
as close as the members; only focus tells. Small broken pieces rest on larger crystals, black round
bubbles and dust lie about; neither makes an agglomerate (the criteria of the agglomeration and
camera focus paper, section III).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.backdrop import Backdrop
from crystalgauge.scenes.backdrop_dust import sample_specks
from crystalgauge.scenes.backdrop_fields import sample_illumination
from crystalgauge.scenes.camera import Camera
from crystalgauge.scenes.contaminants import sample_bubbles
from crystalgauge.scenes.habit import PINACOIDS, Habit, Polyhedron, chip, fragment, grow, lie_flat
from crystalgauge.scenes.library import HabitLibrary, fits
from crystalgauge.scenes.placement import CROSSING, FREE, INTERGROWN, TOUCHING, place
from crystalgauge.scenes.scene import Optics, Population, Scene
from crystalgauge.scenes.statistics import (
    REFERENCE_PX,
    directions_near_plane,
    log_uniform,
    orientations,
)
from crystalgauge.scenes.surfaces import with_surfaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE = "fragment"
"""Habit of broken pieces, which no agglomerate counts."""

TRIALS = 24
"""Places tried for a crystal before it is left out."""

SHAPES = 300
"""In the library of a substance."""

PIECE_SHARE = 0.15
"""Of the library; scenes draw how many they show."""


@dataclass(frozen=True)
class Substance:
    """What agglomerates consist of.

    Parameters
    ----------
    name
        Label of its crystals.
    habits
        What they look like.
    refractive_index
        Range relative to the liquid.
    """

    name: str
    habits: tuple[Habit, ...]
    refractive_index: tuple[float, float]


AMMONIUM_PERCHLORATE = Substance(
    "ammonium perchlorate",
    # orthorhombic, axial ratios 0.63 and 0.81; (001) and (210) prevail, pinacoids round them off
    (
        Habit(
            "ammonium perchlorate", "mmm",
            (((0, 0, 1), 1.0, 1.0), ((2, 1, 0), 1.5, 2.2), ((1, 0, 1), 1.2, 1.8)),
            (0.6, 0.9), (0.5, 1.2),
        ),
        Habit(
            "ammonium perchlorate", "mmm",
            (*PINACOIDS, ((1, 1, 0), 1.2, 1.7), ((0, 1, 1), 1.2, 1.7), ((1, 0, 1), 1.2, 1.7)),
            (0.6, 1.0), (0.5, 1.2),
        ),
    ),
    (1.02, 1.2),
)  # fmt: skip

SUGAR = Substance(
    "sugar",
    # monoclinic, axial ratios 0.80 and 0.71, beta 103 degrees
    (
        Habit("sugar", "2/m", PINACOIDS, (0.7, 1.2), (0.6, 1.0), 13.0),
        Habit(
            "sugar", "2/m", (*PINACOIDS, ((1, 1, 0), 1.2, 1.8), ((0, 1, 1), 1.2, 1.8)),
            (0.7, 1.3), (0.6, 1.0), 13.0,
        ),
    ),
    (1.05, 1.25),
)  # fmt: skip


@dataclass(frozen=True)
class AgglomerateConfig:
    """What these scenes are drawn from.

    Parameters
    ----------
    substance
        Of all crystals of a scene.
    library_seed
        Of the shapes; a held-out test takes another one.
    size_px
        Range of the largest extents.
    groups
        Lowest and highest number of agglomerates and single crystals in a field of 384 x 384 px
        whose crystals have the geometric mean size; larger crystals come in smaller numbers.
    single
        Probability that a group is one crystal alone.
    members
        Lowest and highest number of members of an agglomerate.
    covered
        Probability that another crystal lies over or under a member, at another depth.
    out_of_focus
        Probability that a whole group is out of focus.
    pieces
        Mean number of broken pieces on a member.
    directions, reflections
        Of the tracer.
    """

    substance: Substance = AMMONIUM_PERCHLORATE
    library_seed: int = 0
    size_px: tuple[float, float] = (30.0, 110.0)
    groups: tuple[int, int] = (2, 7)
    single: float = 0.35
    members: tuple[int, int] = (2, 6)
    covered: float = 0.3
    out_of_focus: float = 0.3
    pieces: float = 0.12
    directions: int = 8
    reflections: int = 8

    def __post_init__(self) -> None:
        rising = 0 < self.size_px[0] <= self.size_px[1] and 0 <= self.groups[0] <= self.groups[1]
        if not rising or not 2 <= self.members[0] <= self.members[1]:
            raise ArgumentError(
                "agglomerates need rising sizes above 0, rising groups and two members or more, "
                f"got size_px {self.size_px}, groups {self.groups}, members {self.members}"
            )


PICTURES = {
    "ammonium perchlorate": ((920, 1224), AgglomerateConfig(size_px=(70.0, 230.0))),
    "sugar": ((256, 256), AgglomerateConfig(substance=SUGAR, size_px=(30.0, 90.0))),
}
"""Shape of the paper's pictures of each substance, and crystals to fill them."""


class Plan(NamedTuple):
    """Who lies how to whom; names and shapes as in `placement.place`.

    Attributes
    ----------
    relation, partner
        ``(N,)``.
    depth
        ``(N,)`` of free crystals, px.
    lift
        ``(N,)`` from the partner's depth, of crystals that lie over or under it.
    piece
        ``(N,)`` whether it is a broken piece.
    """

    relation: NDArray[np.int32]
    partner: NDArray[np.int64]
    depth: NDArray[np.float64]
    lift: NDArray[np.float64]
    piece: NDArray[np.bool_]


@lru_cache(maxsize=8)
def substance_library(substance: Substance, seed: int = 0, count: int = SHAPES) -> HabitLibrary:
    """Grow the shapes of a substance and its broken pieces.

    Parameters
    ----------
    substance
        Its habits.
    seed
        Of the generator.
    count
        Number of shapes.
    """
    from scipy.spatial import QhullError

    rng = np.random.default_rng((0xA66, seed))
    bodies: list[tuple[str, Polyhedron]] = []
    while len(bodies) < count:
        try:
            if rng.random() < PIECE_SHARE:
                name, body = PIECE, fragment(rng)
            else:
                habit = substance.habits[int(rng.integers(len(substance.habits)))]
                name, body = habit.name, grow(habit, rng, misshape=0.3)
                if rng.random() < 0.3:
                    body = chip(body, rng)
        except QhullError:  # a chip may leave a sliver that Qhull finds flat
            continue
        if fits(body):
            bodies.append((name, lie_flat(body)))
    return HabitLibrary.from_polyhedra(bodies)


def sample_scene(
    rng: np.random.Generator,
    shape: tuple[int, int] = (REFERENCE_PX, REFERENCE_PX),
    config: AgglomerateConfig | None = None,
) -> Scene:
    """Draw a field of view.

    Parameters
    ----------
    rng
        Source of everything, the seed of the camera's noise included.
    shape
        Height and width of the picture in px.
    config
        What to draw from.
    """
    config = config or AgglomerateConfig()
    library = substance_library(config.substance, config.library_seed)
    optics, far_px = _sample_optics(rng, config)
    plan = sample_plan(rng, shape, config, far_px)
    crystals = _placed(rng, shape, config, library, plan)
    surfaced = with_surfaces(rng, crystals, lined=0.6, absorbing=0.1, rough=0.4)
    return Scene(
        shape,
        surfaced,
        library,
        optics,
        _sample_backdrop(rng, shape),
        Camera(
            psf_sigma_px=float(rng.uniform(0.4, 0.9)),
            level=float(rng.uniform(0.5, 0.8)),
            shot_noise=0.0,
            read_noise=float(rng.uniform(0.002, 0.012)),
        ),
        regime="agglomerates",
        seed=int(rng.integers(2**31)),
    )


def _sample_optics(rng: np.random.Generator, config: AgglomerateConfig) -> tuple[Optics, float]:
    """Draw a microscope of small depth of field, and the depth at which blur is far beyond it."""
    blur_px = rng.uniform(2.5, 7.0)
    far_px = rng.uniform(90.0, 200.0)
    falloff = log_uniform(rng, 0.05, 0.3, 1)[0]
    return Optics(
        aperture_tan=float(np.clip(2 * blur_px / far_px, 0.03, 0.15)),
        condenser_rad=float(log_uniform(rng, 0.03, 0.2, 1)[0] + falloff / 2),
        condenser_falloff_rad=float(falloff),
        stray_light=float(rng.uniform(0, 0.3)),
        directions=config.directions,
        reflections=config.reflections,
    ), far_px


def sample_plan(
    rng: np.random.Generator, shape: tuple[int, int], config: AgglomerateConfig, far_px: float
) -> Plan:
    """Draw groups, their members, what covers them and what lies on them.

    Parameters
    ----------
    rng
        Source.
    shape
        Height and width of the picture in px.
    config
        What to draw from.
    far_px
        Depth at which crystals are far out of focus.
    """
    typical = np.sqrt(config.size_px[0] * config.size_px[1])
    usual = np.sqrt(np.prod(AgglomerateConfig().size_px))
    room = shape[0] * shape[1] / REFERENCE_PX**2 * (usual / typical) ** 2
    groups = round(rng.integers(config.groups[0], config.groups[1] + 1) * room)
    rows: list[tuple[int, int, float, float, bool]] = []
    for _ in range(max(groups, config.groups[0] > 0)):
        depth = _depth(rng, far_px) if rng.random() < config.out_of_focus else rng.normal(0, 3.0)
        first = len(rows)
        rows.append((FREE, first, depth, 0.0, False))
        if rng.random() >= config.single:
            for _ in range(int(rng.integers(config.members[0], config.members[1] + 1)) - 1):
                kind = INTERGROWN if rng.random() < 0.35 else TOUCHING
                rows.append((kind, int(rng.integers(first, len(rows))), depth, 0.0, False))
        for member in range(first, len(rows)):
            if rng.random() < config.covered:
                lift = _depth(rng, far_px)
                rows.append((CROSSING, member, 0.0, lift, False))
            for _ in range(rng.poisson(config.pieces)):
                rows.append((CROSSING, member, 0.0, 0.0, True))
    kinds, partners, depths, lifts, pieces = zip(*rows, strict=True) if rows else ((),) * 5
    return Plan(
        np.array(kinds, np.int32), np.array(partners, np.int64), np.array(depths, np.float64),
        np.array(lifts, np.float64), np.array(pieces, np.bool_),
    )  # fmt: skip


def _depth(rng: np.random.Generator, far_px: float) -> float:
    """Draw a depth that can be told from the focal plane, before or behind it."""
    return float(rng.uniform(0.5, 1.0) * far_px * rng.choice([-1.0, 1.0]))


def _placed(
    rng: np.random.Generator,
    shape: tuple[int, int],
    config: AgglomerateConfig,
    library: HabitLibrary,
    plan: Plan,
) -> Population:
    """Draw the crystals of a plan and put each in its place."""
    count = len(plan.relation)
    size = log_uniform(rng, *config.size_px, count)
    size[plan.piece] *= rng.uniform(0.12, 0.25, int(plan.piece.sum()))
    whole, broken = library.rows_of(config.substance.name), library.rows_of(PIECE)
    kind = np.where(plan.piece, rng.choice(broken, count), rng.choice(whole, count))
    rotation = orientations(rng, rng.random(count) < 0.6, 0.35)
    bodies = np.matmul(library.vertices[kind] * size[:, None, None], rotation.transpose(0, 2, 1))
    height, width = shape
    candidates = rng.uniform((0, 0, 0), (width, height, 0), (count, TRIALS, 3))
    candidates[:, :, 2] = plan.depth[:, None]
    position, placed = place(
        bodies.astype(np.float32), library.vertex_count[kind], plan.relation, plan.partner,
        candidates, _offsets(rng, plan, size, bodies), height, width,
    )  # fmt: skip
    # what lies over nobody any more would be a crystal of its own at a place nobody chose
    alone = (plan.relation == CROSSING) & ~placed[plan.partner]
    index = rng.uniform(*config.substance.refractive_index, count)
    crystals = Population.plain(kind, size, rotation, position, index)
    return crystals.take(placed & ~alone)


def _offsets(
    rng: np.random.Generator,
    plan: Plan,
    size: NDArray[np.float64],
    bodies: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Draw where each crystal lies from its partner, for every trial."""
    count = len(size)
    offsets = np.stack([directions_near_plane(rng, count, 0.05) for _ in range(TRIALS)], axis=1)
    mean_size = (size + size[plan.partner])[:, None] / 2
    grown = plan.relation == INTERGROWN
    offsets[grown] *= (rng.uniform(0.3, 0.5, (count, TRIALS)) * mean_size)[grown][..., None]
    over = (plan.relation == CROSSING) & ~plan.piece
    offsets[over] *= (rng.uniform(0.2, 0.6, (count, TRIALS)) * mean_size)[over][..., None]
    offsets[over, :, 2] = plan.lift[over, None] * np.linspace(1.0, 1.3, TRIALS)
    # a piece rests on the upper side of what it lies on
    top = bodies[:, :, 2].max(axis=1)
    reach = rng.uniform(0.0, 0.25, (count, TRIALS)) * size[plan.partner][:, None]
    offsets[plan.piece] *= reach[plan.piece][..., None]
    rest = top[plan.partner] - bodies[:, :, 2].min(axis=1)
    offsets[plan.piece, :, 2] = (rest + 0.5)[plan.piece, None]
    return offsets


def _sample_backdrop(rng: np.random.Generator, shape: tuple[int, int]) -> Backdrop:
    """Draw a lit field with dust and black bubbles."""
    elements = [sample_illumination(rng, shape, calm=True)]
    extra = sample_specks(rng, shape) if rng.random() < 0.5 else ()
    bubbles = sample_bubbles(rng, shape) if rng.random() < 0.4 else ()
    return Backdrop((*elements, *extra, *bubbles))
