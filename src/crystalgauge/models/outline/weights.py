"""Weights of the outline model in ONNX files: out of a torch model, and back into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.core import ModelError
from crystalgauge.models.onnx_files import read_arrays, write_onnx
from crystalgauge.models.outline.config import OutlineConfig

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
    image = torch.zeros(1, config.inputs, 128, 160)
    inputs = len(RAY_FRACTIONS) * (config.fine + config.coarse) + REFINE_CONTEXT
    samples = torch.zeros(3, inputs, config.vertices)
    rows, columns = (
        torch.export.Dim("rows", min=2, max=2048),
        torch.export.Dim("columns", min=2, max=2048),
    )
    write_onnx(
        ExportNet(model.net), image, network, "image", OUTPUTS,
        {2: 32 * rows, 3: 32 * columns},
    )  # fmt: skip
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

    settings = files.card["network"]
    config = OutlineConfig.from_dict(settings)
    model = OutlineModel(config)
    wanted = model.state_dict()
    network, head = read_arrays(files.network), read_arrays(files.refine)
    found = network | {f"refine.{name}": value for name, value in head.items()}
    state = {}
    for name, value in wanted.items():
        if name.endswith("num_batches_tracked"):
            state[name] = value
        elif name in found and found[name].shape == value.shape:
            state[name] = found[name]
        else:
            raise ModelError(f"{files.network} lacks the weights {name}; export the model again")
    model.load_state_dict(state)
    return model.eval()
