"""What runs a network: ONNX Runtime, OpenVINO or torch, behind one face."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from crystalgauge.core import ArgumentError, MissingExtraError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.models.registry import ModelFiles

logger = logging.getLogger(__name__)

EngineName = Literal["auto", "onnxruntime", "openvino", "torch"]

Maps = tuple[list["NDArray[np.float32]"], "NDArray[np.float32]", "NDArray[np.float32]"]
"""Four maps, fine and coarse features, channels last."""


class Engine(Protocol):
    """Runs the network and, of an outline model, its refinement head."""

    name: str

    def outputs(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return what the network says of one image ``(2, H, W)``, as its model folder knows it."""

    def run(self, image: NDArray[np.float32]) -> Maps:
        """Map one image ``(2, H, W)``, H and W multiples of 32."""

    def refine(self, samples: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Map ray samples ``(N, inputs, K)`` to log steps ``(N, K)`` and verdicts ``(N, 2)``."""


def _split(outputs: list[NDArray[np.float32]]) -> Maps:
    return list(outputs[:4]), outputs[4], outputs[5]


class OnnxRuntimeEngine:
    """ONNX Runtime on the CPU.

    Parameters
    ----------
    files
        Network and refinement head.
    threads
        Threads of one run; all cores by default.
    """

    name = "onnxruntime"

    def __init__(self, files: ModelFiles, threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or os.cpu_count() or 1
        options.log_severity_level = 3
        # pictures differ in size: planning memory for each would keep all of it
        options.enable_mem_pattern = False

        def session(path: Path) -> Any:
            try:
                return onnxruntime.InferenceSession(
                    str(path), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:  # onnxruntime has no public base class for its errors
                raise ModelError(f"{path} is not a usable ONNX model: {error}") from error

        self._net, *heads = map(session, files.networks)
        self._head: Any = heads[0] if heads else None

    def outputs(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run the network on one image."""
        return list(self._net.run(None, {"image": image[None]}))

    def run(self, image: NDArray[np.float32]) -> Maps:
        """Map one image."""
        return _split(self.outputs(image))

    def refine(self, samples: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Refine outlines."""
        step, verdict = self._head.run(None, {"samples": samples})
        return step, verdict


class OpenVinoEngine:
    """OpenVINO on the CPU, in single precision.

    Parameters
    ----------
    files
        Network and refinement head.
    threads
        Threads of one run; all cores by default.
    """

    name = "openvino"

    def __init__(self, files: ModelFiles, threads: int | None = None) -> None:
        try:
            import openvino
        except ImportError as error:
            raise MissingExtraError("openvino", "openvino", "The OpenVINO engine") from error
        core = openvino.Core()
        settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        try:
            self._net, *heads = (
                core.compile_model(str(path), "CPU", settings) for path in files.networks
            )
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot use {files.network}: {error}") from error
        self._head: Any = heads[0] if heads else None

    def outputs(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run the network on one image."""
        outputs = self._net(image[None])
        return [np.array(outputs[i]) for i in range(len(outputs))]

    def run(self, image: NDArray[np.float32]) -> Maps:
        """Map one image."""
        return _split(self.outputs(image))

    def refine(self, samples: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Refine outlines."""
        outputs = self._head(samples)
        return np.array(outputs[0]), np.array(outputs[1])


class TorchEngine:
    """Torch, on a GPU where there is one.

    Parameters
    ----------
    model
        An `OutlineModel` or `S2ANet`; it is put into evaluation mode.
    device
        "cpu", "cuda" or any torch device.
    """

    name = "torch"

    def __init__(self, model: Any, device: str = "cpu") -> None:
        import torch

        self._torch, self.device = torch, torch.device(device)
        self._net: Any
        self._head: Any
        self._net, self._head = model.eval().to(self.device).inference_parts()

    def outputs(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run the network on one image."""
        with self._torch.inference_mode():
            batch = self._torch.from_numpy(np.ascontiguousarray(image))[None].to(self.device)
            batch = batch.contiguous(memory_format=self._torch.channels_last)
            return [x.float().cpu().numpy() for x in self._net(batch)]

    def run(self, image: NDArray[np.float32]) -> Maps:
        """Map one image."""
        return _split(self.outputs(image))

    def refine(self, samples: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Refine outlines."""
        with self._torch.inference_mode():
            step, verdict = self._head(self._torch.from_numpy(samples).to(self.device))
            return step.float().cpu().numpy(), verdict.float().cpu().numpy()


def _torch_engine(files: ModelFiles) -> Engine:
    try:
        import torch

        from crystalgauge.models.torch_models import load_model
    except ImportError as error:
        raise MissingExtraError("torch", "train", "The torch engine") from error
    return TorchEngine(load_model(files), "cuda" if torch.cuda.is_available() else "cpu")


def open_engine(files: ModelFiles, name: EngineName = "auto", threads: int | None = None) -> Engine:
    """Open a model in an engine.

    Parameters
    ----------
    files
        Network and refinement head.
    name
        "auto" takes OpenVINO where it is installed (a quarter faster on Intel), else ONNX Runtime.
    threads
        Threads of one run.

    Raises
    ------
    ArgumentError
        For an unknown engine.
    MissingExtraError
        When the engine is not installed.
    ModelError
        When the files are damaged.
    """
    if name == "torch":
        return _torch_engine(files)
    if name == "onnxruntime":
        return OnnxRuntimeEngine(files, threads)
    if name == "openvino":
        return OpenVinoEngine(files, threads)
    if name != "auto":
        raise ArgumentError(f"unknown engine {name!r}; use auto, onnxruntime, openvino or torch")
    try:
        return OpenVinoEngine(files, threads)
    except MissingExtraError:
        return OnnxRuntimeEngine(files, threads)
