"""Run the command line with the tests' detector in place of a model.

Words before ``--`` are options of the detector (``pause_s=0.2``), the rest is the command line.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "pipeline"))

from box_detector import BoxDetector

from crystalgauge.cli import main
from crystalgauge.pipeline import settings

split = sys.argv.index("--")
given = dict(word.split("=") for word in sys.argv[1:split])
detector = BoxDetector(pause_s=float(given["pause_s"]), log=given["log"])
# above the guard: worker processes import this file too
settings.Settings.detector = lambda _self: detector  # type: ignore[method-assign]

if __name__ == "__main__":
    main(sys.argv[split + 1 :])
