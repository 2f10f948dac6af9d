"""The metrics of an evaluation: their names in a report, and the value of each pair."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import torch
from torchmetrics import Metric, MetricCollection

from facegan.metrics.csim import CSIM
from facegan.metrics.ed import ED
from facegan.metrics.eye_metrics import BlinkAgreement, GazeError
from facegan.metrics.landmark_error import LandmarkError
from facegan.metrics.lsim import LSIM
from facegan.metrics.psim import PSIM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from facegan.metrics.face_measurements import FaceMeasurements
    from facegan.metrics.pairwise_mean import PairwiseMeanMetric, Reduction

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


FACE_METRICS = tuple(name for name, metric in METRICS.items() if metric.faces is not None)
"""Names of the metrics of faces."""


class PairFaces(NamedTuple):
    """Face measurements of K pairs."""

    source: FaceMeasurements
    """Of the source images."""
    driving: FaceMeasurements
    """Of the driving images."""
    target: FaceMeasurements
    """Of the images whose landmarks the results should have."""


def build_face_metrics(names: Iterable[str], *, reduction: Reduction = "mean") -> MetricCollection:
    """Create the torchmetrics objects of some metrics of faces.

    Args:
        names: keys of :data:`METRICS`; those that are no metrics of faces are ignored.
        reduction: ``mean``, or ``none`` for the value of each pair.
    """
    metrics: dict[str, Metric | MetricCollection] = {
        name: faces.create(reduction=reduction)
        for name in names
        if (faces := METRICS[name].faces) is not None
    }
    return MetricCollection(metrics, compute_groups=False)


def update_face_metrics(
    metrics: MetricCollection, faces: PairFaces, result: FaceMeasurements
) -> dict[str, NDArray[np.bool_]]:
    """Update metrics with the results of K pairs.

    A pair whose other image lacks the measurement (no face, closed eyes) is left out. A result without
    a detected face counts as the metric's missing value.

    Args:
        metrics: of :func:`build_face_metrics`.
        faces: measurements of the pairs' images.
        result: of a method's images.

    Returns:
        Metric to K booleans, whether the pair counts.
    """
    detected = torch.from_numpy(result.detected)
    counted = {}
    for name, metric in metrics.items():
        comparison = METRICS[name].faces
        assert comparison is not None
        target = getattr(faces, comparison.role)
        target = torch.from_numpy(getattr(target, comparison.target_measurement or comparison.measurement))
        measured = target.isfinite().reshape(len(target), -1).all(dim=1)
        preds = torch.from_numpy(getattr(result, comparison.measurement))
        sides = (some[measured].to(metric.device) for some in (preds, target, detected))
        metric.update(*sides)
        counted[name] = measured.numpy()
    return counted


def compute_pair_metrics(faces: PairFaces, result: FaceMeasurements) -> dict[str, Floats]:
    """Compute the metrics of faces of each of K pairs.

    Args:
        faces: measurements of the pairs' images.
        result: of a method's images.

    Returns:
        Metric to K values; not a number for a pair that :func:`update_face_metrics` leaves out.
    """
    metrics = build_face_metrics(FACE_METRICS, reduction="none")
    values = {}
    for name, counted in update_face_metrics(metrics, faces, result).items():
        values[name] = np.full(len(counted), np.nan)
        values[name][counted] = metrics[name].compute().double().numpy()
    return values
