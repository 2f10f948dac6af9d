"""The paper's metrics during training: evaluation protocols in validation and test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import nn
from torchmetrics import MeanMetric, Metric, MetricCollection

from facegan.io.images import image_to_tensor, tensor_to_images
from facegan.metrics import FaceMeasurements, PairFaces, build_face_metrics, update_face_metrics
from facegan.perception.face_measurer import FaceMeasurer, MetricBackends
from facegan.stages.perceptual_loss import PerceptualLoss
from facegan.stages.validation_metrics import IMAGE_METRICS, compare_images

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from facegan.data import FaceCrops, NumberedPair, ProtocolPairs

PROTOCOL_METRICS = {
    "self": ("csim", "psim", "ed", "landmark_error"),
    "cross": ("csim", "psim", "ed"),
    "lsim": ("lsim",),
}
"""Protocol to its metrics of faces."""
PROTOCOLS_WITH_TARGET = ("self",)
"""Protocols whose driving image is the target image, so that they have the metrics of pixels."""
RESULT, COPY_SOURCE, COPY_DRIVING = "result", "copy_source", "copy_driving"


class ProtocolImages(NamedTuple):
    """Images of a batch, N×3×H×W in -1..1; in stage 2 heads without background."""

    result: Tensor
    source: Tensor
    target: Tensor


@contextmanager
def _float32() -> Iterator[None]:
    """Compute on the CPU in 32 bit, whatever the precision of the run."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.autocast("cpu", enabled=False):
            yield
    finally:
        torch.set_default_dtype(before)


class ProtocolMetrics(nn.Module):
    """Metrics of a stage's results and of the baselines, source copied and driving image copied.

    The same torchmetrics objects, pairs and detectors as in ``facegan evaluate``. Images are rounded to
    8 bits, as they are there. Detectors run on the CPU between :meth:`open` and :meth:`close`; the images
    of the data set are measured once.

    Args:
        datasets: protocol to its pairs.
    """

    def __init__(self, datasets: Mapping[str, ProtocolPairs]) -> None:
        super().__init__()
        self._datasets = dict(datasets)
        self._references: dict[int, FaceMeasurements] = {}
        self._measurer: FaceMeasurer | None = None
        self._perceptual: list[PerceptualLoss] = []
        self.faces, self.pixels = nn.ModuleDict(), nn.ModuleDict()
        for protocol in datasets:
            for method in (RESULT, COPY_SOURCE, COPY_DRIVING):
                # The driving image copied is the target itself.
                has_pixels = protocol in PROTOCOLS_WITH_TARGET and method != COPY_DRIVING
                pixels: dict[str, Metric | MetricCollection] = {}
                pixels |= {name: MeanMetric() for name in IMAGE_METRICS} if has_pixels else {}
                key = f"{protocol}/{method}"
                self.faces[key] = build_face_metrics(PROTOCOL_METRICS[protocol])
                self.pixels[key] = MetricCollection(pixels, compute_groups=False)

    @_float32()
    def open(self) -> None:
        """Load the detectors and the recognition network."""
        self._measurer = MetricBackends().open()
        # In a list: no part of the stage's state.
        self._perceptual = [PerceptualLoss("identity")]

    def close(self) -> None:
        """Free the detectors."""
        if self._measurer is not None:
            self._measurer.close()
        self._measurer, self._perceptual = None, []

    @torch.no_grad()
    @_float32()
    def update(self, protocol: str, batch: NumberedPair, images: ProtocolImages) -> None:
        """Update the metrics of a protocol with the results of a batch."""
        if self._measurer is None:
            self.open()
        assert self._measurer is not None
        dataset, numbers = self._datasets[protocol], np.asarray(torch.as_tensor(batch.number).cpu())
        faces = PairFaces(
            *(self._measure_crops(dataset.crops, indices[numbers]) for indices in dataset.pairs)
        )
        result, source, target = (tensor_to_images(some.float().cpu()) for some in images)
        measured = {
            RESULT: self._measurer.analyze(result),
            COPY_SOURCE: faces.source,
            COPY_DRIVING: faces.driving,
        }
        pixels = {RESULT: result, COPY_SOURCE: source}
        for method, faces_of_method in measured.items():
            face_metrics, pixel_metrics = self._collections(f"{protocol}/{method}")
            update_face_metrics(face_metrics, faces, faces_of_method)
            if len(pixel_metrics):
                preds = image_to_tensor(pixels[method])
                values = compare_images(preds, image_to_tensor(target), self._perceptual[0])
                for name, metric in pixel_metrics.items():
                    metric.update(values[name].to(metric.device))

    def compute(self) -> dict[str, Tensor]:
        """Compute and reset all means: ``protocol/metric``, those of baselines as ``…/baseline``."""
        values = {}
        for key in self.faces:
            protocol, method = key.split("/")
            suffix = "" if method == RESULT else f"/{method}"
            for collection in self._collections(key):
                for name, value in collection.compute().items():
                    values[f"{protocol}/{name}{suffix}"] = value
                collection.reset()
        return values

    def _collections(self, key: str) -> tuple[MetricCollection, MetricCollection]:
        face_metrics, pixel_metrics = self.faces[key], self.pixels[key]
        assert isinstance(face_metrics, MetricCollection)
        assert isinstance(pixel_metrics, MetricCollection)
        return face_metrics, pixel_metrics

    def _measure_crops(self, crops: FaceCrops, indices: NDArray[np.int64]) -> FaceMeasurements:
        assert self._measurer is not None
        for index in indices:
            if int(index) not in self._references:
                self._references[int(index)] = self._measurer.analyze([crops.image(int(index))])
        return FaceMeasurements.concatenate([self._references[int(index)] for index in indices])
