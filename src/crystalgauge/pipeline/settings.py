"""What a measurement depends on besides the picture."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from crystalgauge._version import __version__
from crystalgauge.core import ArgumentError
from crystalgauge.pipeline.particles import Particles, Sizing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from crystalgauge.core import Calibration, Micrograph
    from crystalgauge.measure import FrameCorrection
    from crystalgauge.predict import Prediction

Engine = Literal["auto", "onnxruntime", "openvino", "torch"]
Scales = tuple[float, ...] | Literal["auto", "careful"]
Colour = Literal["score", "agglomerates"]


class Detector(Protocol):
    """Finds the crystals of a picture: `crystalgauge.predict.Predictor`, or a user's own."""

    def __call__(
        self, micrograph: Micrograph, progress: Callable[..., None] | None = None
    ) -> Prediction:
        """Return the crystals of a picture."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Plain values that tell this detector from any that answers differently."""
        ...


@dataclass(frozen=True)
class Settings:
    """Arguments of a measurement.

    Parameters
    ----------
    model
        Name of a shipped model or path of an exported one.
    engine
        What runs the network.
    scales
        Factors at which the picture is looked at, ``auto`` or ``careful``; see `Predictor`.
    min_score
        Smallest score that counts as a crystal, 0 to 1; the model's own when None.
    threads
        Threads per worker; as many as useful when None.
    pixel_size
        Wins over what files say.
    channel
        Name or number of the channel of multi-channel files.
    frame_correction
        Whether size distributions make up for large crystals reaching the border more often.
    colour
        What the colours of the overlay tell.
    min_focus
        Share of a picture's tiles with content that must be in focus for it to be measured, 0 to
        1; 0 measures every picture.
    max_blur_px
        Blur up to which a tile is in focus, px.
    particles, max_crystal_blur_px
        Of the size distribution, as for `crystalgauge.pipeline.particles.Sizing`.

    Raises
    ------
    ArgumentError
        For a frame correction or a colour that there is not, or a limit out of its range.
    """

    model: str = "crystals"
    engine: Engine = "auto"
    scales: Scales = "auto"
    min_score: float | None = None
    threads: int | None = None
    pixel_size: Calibration | None = None
    channel: int | str | None = None
    frame_correction: FrameCorrection = "miles-lantuejoul"
    colour: Colour = "score"
    min_focus: float = 0.0
    max_blur_px: float = 3.0
    particles: Particles = "crystals"
    max_crystal_blur_px: float | None = None

    def __post_init__(self) -> None:
        from crystalgauge.focus.verdict import check_limits
        from crystalgauge.measure import check_frame_correction

        check_frame_correction(self.frame_correction)
        check_limits(self.max_blur_px, self.min_focus)
        Sizing(self.particles, self.max_crystal_blur_px)
        if self.colour not in get_args(Colour):
            raise ArgumentError(
                f"overlays are coloured by {' or '.join(get_args(Colour))}, not {self.colour!r}"
            )

    @property
    def sizing(self) -> Sizing:
        """What counts as a particle of the size distribution."""
        return Sizing(self.particles, self.max_crystal_blur_px)

    def detector(self) -> Detector:
        """Load the model.

        Raises
        ------
        ModelError
            When it is unknown or damaged.
        """
        from crystalgauge.predict import Predictor

        return Predictor(
            self.model,
            engine=self.engine,
            scales=self.scales,
            min_score=self.min_score,
            threads=self.threads,
        )

    def described(self) -> dict[str, Any]:
        """Return the arguments as plain values."""
        return asdict(self)

    def fingerprint(self, detector: Detector) -> str:
        """Return a hash of everything but the picture that the numbers depend on.

        Parameters
        ----------
        detector
            Its provenance stands for the model and how it is run.
        """
        from crystalgauge.agglomeration import contacts_sha256

        depends = {name: value for name, value in self.described().items() if name != "threads"}
        if self.min_focus:
            from crystalgauge.models import find_model

            depends["focus_model_sha256"] = find_model("focus").sha256
        text = json.dumps(
            [__version__, depends, dict(detector.provenance), contacts_sha256()],
            sort_keys=True,
            default=str,
        )
        return hashlib.sha256(text.encode()).hexdigest()
