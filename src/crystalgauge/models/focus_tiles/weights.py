"""The network of tiles as an ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.models.focus_tiles.config import STRIDE
from crystalgauge.models.onnx_files import write_onnx

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.models.focus_tiles.model import FocusTiles

OUTPUTS = ("tiles",)


def export_model(model: FocusTiles, network: Path) -> None:
    """Write the network as ONNX with dynamic sizes.

    Parameters
    ----------
    model
        On the CPU, in evaluation mode.
    network
        File to write.
    """
    import torch

    image = torch.zeros(1, model.config.inputs, 4 * STRIDE, 5 * STRIDE)
    rows, columns = (torch.export.Dim(name, min=2, max=2048) for name in ("rows", "columns"))
    module, _ = model.inference_parts()
    write_onnx(module, image, network, "image", OUTPUTS, {2: STRIDE * rows, 3: STRIDE * columns})
