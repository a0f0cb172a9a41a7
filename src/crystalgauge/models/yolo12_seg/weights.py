"""Weights in an ONNX file: out of a torch model, and back into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.core import ModelError
from crystalgauge.models.onnx_files import read_arrays, write_onnx
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
    import torch

    image = torch.zeros(1, model.config.inputs, 4 * MULTIPLE, 5 * MULTIPLE)
    rows, columns = (
        torch.export.Dim("rows", min=2, max=512),
        torch.export.Dim("columns", min=2, max=512),
    )
    module, _ = model.inference_parts()
    sizes = {2: MULTIPLE * rows, 3: MULTIPLE * columns}
    write_onnx(module, image, network, "image", OUTPUTS, sizes)


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
    found = read_arrays(files.network)
    state = {}
    for name, value in model.state_dict().items():
        stored = found.get(f"net.{name}")
        if name.endswith("num_batches_tracked"):
            state[name] = value
        elif stored is not None and stored.shape == value.shape:
            state[name] = stored
        else:
            raise ModelError(f"{files.network} lacks the weights {name}; export the model again")
    model.load_state_dict(state)
    return model.eval()
