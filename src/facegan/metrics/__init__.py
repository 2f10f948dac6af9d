"""The paper's metrics and some more: a function for each pair's value, a torchmetrics class for the mean."""

from facegan.metrics.bootstrap import bootstrap_interval
from facegan.metrics.csim import CSIM, csim
from facegan.metrics.ed import ED, Distance, ed
from facegan.metrics.eye_metrics import (
    CLOSED_EYE_THRESHOLD,
    BlinkAgreement,
    GazeError,
    blink_agreement,
    gaze_error,
)
from facegan.metrics.landmark_error import LandmarkError, landmark_error
from facegan.metrics.lsim import LSIM, lsim
from facegan.metrics.pairwise_mean import PairwiseMeanMetric, Reduction
from facegan.metrics.psim import PSIM, psim

__all__ = [
    "CLOSED_EYE_THRESHOLD",
    "CSIM",
    "ED",
    "LSIM",
    "PSIM",
    "BlinkAgreement",
    "Distance",
    "GazeError",
    "LandmarkError",
    "PairwiseMeanMetric",
    "Reduction",
    "blink_agreement",
    "bootstrap_interval",
    "csim",
    "ed",
    "gaze_error",
    "landmark_error",
    "lsim",
    "psim",
]
