"""The metrics of an evaluation: their names in a report, and the value of each pair."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch

from facegan.metrics import CSIM, ED, LSIM, PSIM, BlinkAgreement, GazeError, LandmarkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from facegan.evaluation.face_measurements import FaceMeasurements
    from facegan.metrics import PairwiseMeanMetric

    Floats = NDArray[np.float64]


class FaceComparison(NamedTuple):
    """How a metric of faces is computed: a measurement of the result against one of another image."""

    create: Callable[..., PairwiseMeanMetric]
    """The torchmetrics class."""
    role: Literal["source", "driving", "target"]
    """Image of the pair that the result is compared with."""
    measurement: str
    """Attribute of :class:`FaceMeasurements`."""
    target_measurement: str | None = None
    """Attribute of the other image, if it is another one."""


class PairMetric(NamedTuple):
    """A metric as a report names it."""

    label: str
    higher_is_better: bool
    definition: str
    faces: FaceComparison | None = None
    """None for metrics of pixels."""
    digits: int = 4
    """Digits after the decimal point."""

    def format(self, value: float | None) -> str:
        """Format a value for a table."""
        return "–" if value is None else f"{value:.{self.digits}f}"

    @property
    def arrow(self) -> str:
        """Direction of better values."""
        return "↑" if self.higher_is_better else "↓"

    @property
    def missing_value(self) -> float | None:
        """Value of a result in which no face is detected; None for metrics of pixels."""
        return None if self.faces is None else self.faces.create().missing_value


METRICS = {
    "mse": PairMetric("MSE", False, "mean squared error of the pixels, 0..1, to the target image"),
    "psnr": PairMetric("PSNR", True, "peak signal-to-noise ratio of the mean MSE in dB", digits=2),
    "ssim": PairMetric("SSIM", True, "structural similarity to the target image"),
    "perceptual": PairMetric(
        "Perceptual",
        False,
        "LPIPS formula with equal weights on features of dlib's face recognition ResNet, to the target image",
    ),
    "fid": PairMetric(
        "FID", False, "Fréchet distance between the Inception features of all results and all driving images"
    ),
    "csim": PairMetric(
        "CSIM",
        True,
        "cosine similarity of the identity embeddings of result and source",
        FaceComparison(CSIM, "source", "identity"),
    ),
    "psim": PairMetric(
        "PSIM",
        True,
        "cosine similarity of the head-pose angles of result and driving image; 1 for two frontal faces",
        FaceComparison(PSIM, "driving", "head_pose"),
    ),
    "ed": PairMetric(
        "ED",
        False,
        "mean squared difference of the action units, 0..1, of result and driving image",
        FaceComparison(ED, "driving", "action_units"),
    ),
    "ed_l2": PairMetric(
        "ED, L2",
        False,
        "Euclidean distance of the action units, as the paper words ED",
        FaceComparison(partial(ED, "l2"), "driving", "action_units"),
    ),
    "landmark_error": PairMetric(
        "Landmark error",
        False,
        "mean distance of the 68 landmarks to those of the target image; 1 is half the image",
        FaceComparison(LandmarkError, "target", "landmarks"),
    ),
    "gaze_error": PairMetric(
        "Gaze error",
        False,
        "distance of the iris positions of result and driving image in eye widths; open eyes only",
        FaceComparison(GazeError, "driving", "gaze", "open_eye_gaze"),
    ),
    "blink_agreement": PairMetric(
        "Blink agreement",
        True,
        "fraction of pairs whose result and driving image both have open or both have closed eyes",
        FaceComparison(BlinkAgreement, "driving", "blink"),
    ),
    "lsim": PairMetric(
        "LSIM",
        False,
        "mean squared error of the landmarks to those of the target image; 1 is half the image",
        FaceComparison(LSIM, "target", "landmarks"),
        digits=5,
    ),
    "flicker": PairMetric(
        "Flicker",
        False,
        "mean absolute difference, 0..1, of the frame-to-frame changes of result and driving video",
    ),
}
"""All metrics in the order of a report. The target image is the driving image in self reenactment, the
ground-truth reenactment in cross reenactment of synthetic identities, the second image in LSIM."""


def compute_pair_metrics(
    source: FaceMeasurements,
    driving: FaceMeasurements,
    target: FaceMeasurements,
    result: FaceMeasurements,
) -> dict[str, Floats]:
    """Compute the metrics of faces of each of K pairs.

    Args:
        source: measurements of the source images.
        driving: of the driving images.
        target: of the images whose landmarks the results should have.
        result: of a method's images.

    Returns:
        Metric to K values. A result without a detected face has the metric's missing value; a pair whose
        other image lacks the measurement has none: not a number.
    """
    references = {"source": source, "driving": driving, "target": target}
    detected = torch.from_numpy(result.detected)
    values = {}
    for name, metric in METRICS.items():
        if metric.faces is None:
            continue
        create, role, measurement, target_measurement = metric.faces
        preds = torch.from_numpy(getattr(result, measurement))
        reference = torch.from_numpy(getattr(references[role], target_measurement or measurement))
        computed = create(reduction="none")(preds, reference, detected)
        measured = reference.isfinite().reshape(len(reference), -1).all(dim=1)
        values[name] = np.where(measured.numpy(), computed.double().numpy(), np.nan)
    return values
