"""The network of tiles as it is shipped: known blur in, the same blur out."""

from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import ArgumentError, Micrograph, ModelError
from crystalgauge.datasets.focus_content import disc_blur, draw_leaves
from crystalgauge.focus import FocusNetwork, FocusTiles, grid_shape, judge, tile_bounds
from crystalgauge.focus import tiles as tiles_module
from crystalgauge.models import list_models
from crystalgauge.render.camera import blur

needs_weights = pytest.mark.skipif("focus" not in list_models(), reason="no weights of focus here")


def picture(sigma: float, *, seed: int, lens: bool = False, size: int = 256) -> Micrograph:
    """Return shapes of all sizes blurred by a Gaussian or by a lens, with a camera's noise."""
    rng = np.random.default_rng((81, seed))
    sharp = draw_leaves(rng, size)
    soft = disc_blur(sharp, sigma) if lens else blur(sharp, sigma)
    grey = 40 + 90 * soft + rng.normal(0, 1.5, soft.shape)
    return Micrograph(grey.round().clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def network() -> FocusNetwork:
    return FocusNetwork(threads=1)


@needs_weights
@pytest.mark.parametrize("lens", [False, True], ids=["gaussian", "disc"])
@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0, 7.0])
def test_a_known_blur_is_found(network: FocusNetwork, sigma: float, lens: bool) -> None:
    """A tolerance of a quarter or half a px: four pictures, of contents drawn at random.

    The uniform disc of a lens is known to be taken for a wider Gaussian (docs/results/focus.md).
    """
    found = [judge(network(picture(sigma, seed=k, lens=lens))).blur_px for k in range(4)]
    assert np.median(found) == pytest.approx(sigma, rel=0.3 if lens else 0.25, abs=0.5)


@needs_weights
def test_contrast_and_level_do_not_matter(network: FocusNetwork) -> None:
    seen = picture(3.0, seed=1).pixels
    plain = network(Micrograph(seen))
    deep = network(Micrograph(seen.astype(np.uint16) * 40 + 5000))
    assert np.median(np.abs(deep.blur_px - plain.blur_px)) < 0.05
    assert (deep.judged == plain.judged).mean() > 0.97


@needs_weights
@pytest.mark.parametrize("noise", [0.0, 1.0, 12.0])
def test_noise_alone_is_nothing_to_judge(network: FocusNetwork, noise: float) -> None:
    grey = 120 + np.random.default_rng(3).normal(0, noise, (320, 320))
    blank = Micrograph(grey.round().clip(0, 255).astype(np.uint8))
    assert judge(network(blank)).verdict == "nothing to judge"


@needs_weights
def test_blocks_give_what_the_whole_picture_gives(
    network: FocusNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Micrograph(np.tile(picture(2.0, seed=5).pixels, (2, 2))[:460, :500])
    whole = network(seen)
    monkeypatch.setattr(tiles_module, "BLOCK_PX", 128)
    parts = network(seen)
    assert parts.blur_px == pytest.approx(whole.blur_px, abs=1e-3)
    assert parts.content == pytest.approx(whole.content, abs=1e-3)


@needs_weights
def test_sizes_down_to_one_cell(network: FocusNetwork) -> None:
    assert network(Micrograph(np.zeros((32, 47), np.uint8))).blur_px.shape == (1, 1)
    assert network(Micrograph(np.zeros((32, 48 + 32), np.uint8))).blur_px.shape == (1, 2)
    with pytest.raises(ArgumentError, match=r"32 x 32 px or more, got 40 x 31 px"):
        network(Micrograph(np.zeros((31, 40), np.uint8)))


@pytest.mark.skipif("crystals" not in list_models(), reason="no weights of crystals here")
def test_another_kind_of_model_is_refused() -> None:
    with pytest.raises(ModelError, match="does not judge focus; use 'focus'"):
        FocusNetwork("crystals")


def test_a_tile_alone_is_taken_for_a_mistake() -> None:
    content = np.zeros((4, 6), np.float32)
    content[0, 0] = content[2, 2] = content[3, 2] = content[1, 5] = content[2, 4] = 0.99
    judged = FocusTiles(content, content, content, content, (128, 192)).judged
    assert np.argwhere(judged).tolist() == [[2, 2], [3, 2]]
    one = np.ones((1, 1), np.float32)
    assert FocusTiles(one, one, one, one, (32, 32)).judged.all()


def test_tiles_cover_the_picture() -> None:
    assert grid_shape((920, 1224)) == (29, 38)
    bounds = tile_bounds((96, 130))
    assert bounds.shape == (3, 4, 4)
    assert bounds[1, 1].tolist() == [16, 16, 80, 80]
    assert bounds[0, 0].tolist() == [0, 0, 48, 48]
    covered = np.zeros((96, 130), bool)
    for left, top, right, bottom in bounds.reshape(-1, 4):
        covered[top:bottom, left:right] = True
    assert covered.all()
