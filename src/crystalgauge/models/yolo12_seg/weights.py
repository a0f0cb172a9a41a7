"""Weights in an ONNX file: out of a torch model, and back into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.models.onnx_files import load_weights, read_arrays, write_picture_network
from crystalgauge.models.yolo12_seg.config import MULTIPLE, Yolo12SegConfig

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.models.registry import ModelFiles
    from crystalgauge.models.yolo12_seg.model import Yolo12Seg

OUTPUTS = ("rows", "prototypes")


def export_model(model: Yolo12Seg, network: Path) -> None:
    """Write the network as ONNX with dynamic sizes.

    Parameters
    ----------
    model
        On the CPU, in evaluation mode.
    network
        File to write.
    """
    module, _ = model.inference_parts()
    write_picture_network(module, model.config.inputs, MULTIPLE, network, OUTPUTS, most=512)


def load_model(files: ModelFiles) -> Yolo12Seg:
    """Build the torch model of an exported file, to train on or to run on a GPU.

    Parameters
    ----------
    files
        An exported model.

    Raises
    ------
    ModelError
        When the file does not hold the weights that the card's network needs.
    """
    from crystalgauge.models.yolo12_seg.model import Yolo12Seg

    model = Yolo12Seg(Yolo12SegConfig.from_dict(files.card["network"]))
    stored = {k.removeprefix("net."): v for k, v in read_arrays(files.network).items()}
    loaded: Yolo12Seg = load_weights(model, stored, files.network)
    return loaded
