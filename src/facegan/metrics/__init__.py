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
from facegan.metrics.face_measurements import FaceMeasurements
from facegan.metrics.landmark_error import LandmarkError, landmark_error
from facegan.metrics.lsim import LSIM, lsim
from facegan.metrics.pair_metrics import (
    METRICS,
    PairFaces,
    build_face_metrics,
    compute_pair_metrics,
    update_face_metrics,
)
from facegan.metrics.pairwise_mean import PairwiseMeanMetric, Reduction
from facegan.metrics.psim import PSIM, psim

__all__ = [
    "CLOSED_EYE_THRESHOLD",
    "CSIM",
    "ED",
    "LSIM",
    "METRICS",
    "PSIM",
    "BlinkAgreement",
    "Distance",
    "FaceMeasurements",
    "GazeError",
    "LandmarkError",
    "PairFaces",
    "PairwiseMeanMetric",
    "Reduction",
    "blink_agreement",
    "bootstrap_interval",
    "build_face_metrics",
    "compute_pair_metrics",
    "csim",
    "ed",
    "gaze_error",
    "landmark_error",
    "lsim",
    "psim",
    "update_face_metrics",
]
