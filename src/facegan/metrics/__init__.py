"""The paper's measures and some more: a function for each pair's value, a torchmetrics class for the mean."""

from facegan.metrics.bootstrap import bootstrap
from facegan.metrics.csim import CSIM, csim
from facegan.metrics.ed import ED, Reading, ed
from facegan.metrics.eyes import CLOSED, BlinkAgreement, GazeError, blink_agreement, gaze_error
from facegan.metrics.landmark_error import LandmarkError, landmark_error
from facegan.metrics.lsim import LSIM, lsim
from facegan.metrics.pairwise import PairwiseMeanMetric, Reduction
from facegan.metrics.psim import PSIM, psim

__all__ = [
    "CLOSED",
    "CSIM",
    "ED",
    "LSIM",
    "PSIM",
    "BlinkAgreement",
    "GazeError",
    "LandmarkError",
    "PairwiseMeanMetric",
    "Reading",
    "Reduction",
    "blink_agreement",
    "bootstrap",
    "csim",
    "ed",
    "gaze_error",
    "landmark_error",
    "lsim",
    "psim",
]
