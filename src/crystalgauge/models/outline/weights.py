"""Weights of the outline model in ONNX files: out of a torch model, and back into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.models.onnx_files import (
    load_weights,
    read_arrays,
    write_onnx,
    write_picture_network,
)
from crystalgauge.models.outline.config import STRIDES, OutlineConfig

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.models.outline.model import OutlineModel
    from crystalgauge.models.registry import ModelFiles

OUTPUTS = ("map4", "map8", "map16", "map32", "fine", "coarse")


def export_model(model: OutlineModel, network: Path, refine: Path) -> None:
    """Write network and refinement head as ONNX with dynamic sizes.

    Kernels are stored in half precision and widened on loading, which halves the files.

    Parameters
    ----------
    model
        On the CPU, in evaluation mode.
    network, refine
        Files to write.
    """
    import torch

    from crystalgauge.models.outline.model import ExportNet
    from crystalgauge.models.outline.sampling import RAY_FRACTIONS, REFINE_CONTEXT

    config = model.config
    inputs = len(RAY_FRACTIONS) * (config.fine + config.coarse) + REFINE_CONTEXT
    samples = torch.zeros(3, inputs, config.vertices)
    write_picture_network(ExportNet(model.net), config.inputs, STRIDES[-1], network, OUTPUTS)
    crystals = torch.export.Dim("crystals", min=1, max=65536)
    write_onnx(model.refine, samples, refine, "samples", ("step", "verdict"), {0: crystals})


def load_model(files: ModelFiles) -> OutlineModel:
    """Build the torch model of exported files, to train on or to run on a GPU.

    Parameters
    ----------
    files
        An exported outline model.

    Raises
    ------
    ModelError
        When the files do not hold the weights that the card's network needs.
    """
    from crystalgauge.models.outline.model import OutlineModel

    model = OutlineModel(OutlineConfig.from_dict(files.card["network"]))
    network, head = read_arrays(files.network), read_arrays(files.refine)
    stored = network | {f"refine.{name}": value for name, value in head.items()}
    loaded: OutlineModel = load_weights(model, stored, files.network)
    return loaded
