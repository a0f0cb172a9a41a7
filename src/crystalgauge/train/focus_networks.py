"""Focus networks behind their physical layers: made, stored and read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from torch import nn

    from crystalgauge.models.focus_cnn import FocusCnnConfig
    from crystalgauge.scenes.zstack import Microscope

LayerName = Literal["none", "filter", "pupil"]


@dataclass(frozen=True)
class FocusLayer:
    """What stands before a network.

    Parameters
    ----------
    kind
        Nothing, a filter in the Fourier plane of the picture, or the microscope's pupil.
    radius
        To start from: the filter's in cycles per px, the pupil's as a share of the full one.
    learn_radius, learn_phase
        What is trained.
    """

    kind: LayerName = "none"
    radius: float = 0.0
    learn_radius: bool = False
    learn_phase: bool = False


@dataclass(frozen=True)
class Optics:
    """What a pupil needs to know.

    Parameters
    ----------
    microscope
        Objective and pixels.
    edge_px
        Of the scenes, margins included.
    margin_px
        Around what the camera sees.
    """

    microscope: Microscope
    edge_px: int
    margin_px: int


def build_network(config: FocusCnnConfig, layer: FocusLayer, optics: Optics) -> nn.Module:
    """Return an untrained network behind its layer, always with the same weights.

    Parameters
    ----------
    config
        Of the network.
    layer
        Before it.
    optics
        For a pupil.
    """
    import torch

    from crystalgauge.models.focus_cnn.model import (
        FilteredCnn,
        FocusCnn,
        FourierAperture,
        Pupil,
        PupilCnn,
    )

    torch.manual_seed(0)
    network = FocusCnn(config)
    learns = {"learn_radius": layer.learn_radius, "learn_phase": layer.learn_phase}
    if layer.kind == "pupil":
        shape = (optics.edge_px, optics.edge_px)
        return PupilCnn(
            network, Pupil(optics.microscope, shape, layer.radius, **learns), optics.margin_px
        )
    if layer.kind == "filter":
        return FilteredCnn(network, FourierAperture(layer.radius, **learns))
    return FilteredCnn(network)


def learnt_layer(network: nn.Module) -> tuple[float, list[Any]] | None:
    """Return radius and phase of a network's layer; None where it has none.

    Parameters
    ----------
    network
        As from `build_network`.

    Returns
    -------
    tuple
        Radius in the units of `FocusLayer`. Phase: of a filter rows of a map in rad, of a pupil the
        coefficients in waves of `crystalgauge.models.focus_cnn.zernike.MODES`.
    """
    aperture: Any = getattr(network, "aperture", None)
    pupil: Any = getattr(network, "pupil", None)
    if aperture is not None:
        radius, phase = aperture.radius_per_px, aperture.phase_rad
    elif pupil is not None:
        radius, phase = pupil.opening, pupil.phase_waves
    else:
        return None
    return float(radius.detach()), phase.detach().cpu().numpy().round(4).tolist()


def use_device(network: nn.Module, device: str) -> None:
    """Move a network to a GPU where one is wanted and there.

    Parameters
    ----------
    network
        Moved in place.
    device
        "cpu" or "auto".
    """
    import torch

    if device == "auto" and torch.cuda.is_available():
        network.cuda()


def use_threads(threads: int) -> None:
    """Let torch take so many threads.

    Parameters
    ----------
    threads
        Their number.
    """
    import torch

    torch.set_num_threads(threads)


def save_weights(network: nn.Module, file: IO[bytes]) -> None:
    """Write a network's weights as NPZ.

    Parameters
    ----------
    network
        Any.
    file
        Open for writing.
    """
    np.savez(file, **{name: value.cpu().numpy() for name, value in network.state_dict().items()})


def load_weights(network: nn.Module, path: Any) -> None:
    """Read what `save_weights` wrote.

    Parameters
    ----------
    network
        Of the same configuration; changed in place.
    path
        The file.
    """
    import torch

    with np.load(path) as weights:
        state = {name: torch.from_numpy(weights[name]) for name in weights.files}
    network.load_state_dict(state)
