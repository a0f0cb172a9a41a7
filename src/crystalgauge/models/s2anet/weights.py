"""Weights of S2A-Net in an ONNX file: out of a torch model, and back into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.models.onnx_files import load_weights, read_arrays, write_picture_network
from crystalgauge.models.s2anet.config import MULTIPLE, S2ANetConfig

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.models.registry import ModelFiles
    from crystalgauge.models.s2anet.model import S2ANet

OUTPUTS = ("anchors",)

TRAINING_ALONE = "refinement.score."
"""Weights of the square anchors' scores: they only teach, and files do not hold them."""


def export_model(model: S2ANet, network: Path) -> None:
    """Write the network as ONNX with dynamic sizes.

    Parameters
    ----------
    model
        On the CPU, in evaluation mode.
    network
        File to write.
    """
    module, _ = model.inference_parts()
    write_picture_network(module, model.config.inputs, MULTIPLE, network, OUTPUTS)


def load_model(files: ModelFiles) -> S2ANet:
    """Build the torch model of an exported file, to train on or to run on a GPU.

    The branch that scores the square anchors starts anew: it is not part of the file.

    Parameters
    ----------
    files
        An exported S2A-Net.

    Raises
    ------
    ModelError
        When the file does not hold the weights that the card's network needs.
    """
    from crystalgauge.models.s2anet.model import S2ANet

    model = S2ANet(S2ANetConfig.from_dict(files.card["network"]))
    stored = {k.removeprefix("net."): v for k, v in read_arrays(files.network).items()}
    loaded: S2ANet = load_weights(model, stored, files.network, untrained=(TRAINING_ALONE,))
    return loaded
