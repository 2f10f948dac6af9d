"""One evaluation: the scores of every method in every protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from facegan.data import FaceCrops
from facegan.data.evaluation_pairs import ROLES
from facegan.evaluation.fid import FIDComputer, FIDUnavailableError
from facegan.evaluation.image_comparison import compare_images
from facegan.evaluation.image_sets import CropImages, FileImages, find_predictions, measure_faces
from facegan.evaluation.methods import (
    DRIVING_COPIED,
    GROUND_TRUTH,
    SOURCE_COPIED,
    ModelPredictor,
    predict_images,
    prediction_names,
)
from facegan.evaluation.protocols import PROTOCOLS
from facegan.metrics.pair_metrics import METRICS, PairFaces, compute_pair_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from facegan.data.evaluation_pairs import EvaluationPairs
    from facegan.evaluation.ground_truth import GroundTruthReenactments
    from facegan.evaluation.image_sets import ImageSet
    from facegan.evaluation.methods import Method
    from facegan.metrics.face_measurements import FaceMeasurements
    from facegan.networks import FaceGAN
    from facegan.parallel.workers import Workers
    from facegan.perception.face_measurer import MetricBackends

PREDICTIONS = "predictions"


class MethodScores(NamedTuple):
    """Scores of a method in a protocol of K pairs."""

    detected: NDArray[np.bool_]
    """Whether a face is detected in the result, K."""
    values: dict[str, NDArray[np.float64]]
    """Metric to K values; not a number where it cannot be computed."""
    fid: float | None


@dataclass
class EvaluationRun:
    """Every method over the pairs of every protocol.

    Attributes:
        methods: what is evaluated.
        models: of the methods that are models, by name.
        crops: the data, at the evaluation's size.
        split: of the data; None for all.
        pairs: protocol to its pairs.
        ground_truth: renders ground-truth reenactments; None for real people.
        backends: networks that measure faces.
        workers: processes that measure.
        folder: where predictions are stored; existing ones are used again.
        progress: show progress bars.
        skipped: metric to the reason why it cannot be computed.
    """

    methods: list[Method]
    models: dict[str, FaceGAN]
    crops: FaceCrops
    split: str | None
    pairs: dict[str, EvaluationPairs]
    ground_truth: GroundTruthReenactments | None
    backends: MetricBackends
    workers: Workers
    folder: Path
    progress: bool
    skipped: dict[str, str] = field(default_factory=dict)

    def score_protocol(self, protocol: str) -> dict[str, MethodScores]:
        """Compute the scores of all methods and baselines in a protocol."""
        pairs, metrics = self.pairs[protocol], self.metrics(protocol)
        source, driving, target = (self._reference_faces.take(self._positions(crops)) for crops in pairs)
        faces = {SOURCE_COPIED: source, DRIVING_COPIED: driving}
        target_images: ImageSet = self._crop_images(pairs.driving)
        if self.has_ground_truth(protocol):
            target_images = self.images(protocol, GROUND_TRUTH)
            target = faces[GROUND_TRUTH] = self._measure(target_images, f"{GROUND_TRUTH}, {protocol}")
        scores = {}
        for method in self.method_names(protocol):
            images, title = self.images(protocol, method), f"{method}, {protocol}"
            result = faces[method] if method in faces else self._measure(images, title)
            values = compute_pair_metrics(PairFaces(source, driving, target), result)
            values |= compare_images(images, target_images, metrics, self.workers, f"{title}: pixels")
            fid = self._compute_fid(images, pairs) if "fid" in metrics else None
            ordered = {name: values[name] for name in METRICS if name in metrics and name in values}
            scores[method] = MethodScores(result.detected, ordered, fid)
        return scores

    def metrics(self, protocol: str) -> tuple[str, ...]:
        """Return the names of a protocol's metrics."""
        more = PROTOCOLS[protocol].ground_truth_metrics if self.has_ground_truth(protocol) else ()
        return PROTOCOLS[protocol].metrics + more

    def has_ground_truth(self, protocol: str) -> bool:
        """Return whether ground-truth reenactments are rendered for a protocol."""
        return self.ground_truth is not None and bool(PROTOCOLS[protocol].ground_truth_metrics)

    def method_names(self, protocol: str) -> list[str]:
        """Return the methods of a protocol, then its baselines."""
        baselines = [
            SOURCE_COPIED,
            DRIVING_COPIED,
            *([GROUND_TRUTH] if self.has_ground_truth(protocol) else []),
        ]
        return [*(method.name for method in self.methods), *baselines]

    def images(self, protocol: str, method: str) -> ImageSet:
        """Return a method's images of a protocol; those of models are predicted unless they exist."""
        pairs = self.pairs[protocol]
        if method in (SOURCE_COPIED, DRIVING_COPIED):
            return self._crop_images(pairs.source if method == SOURCE_COPIED else pairs.driving)
        count, size = len(pairs.source), self.crops.size
        given = {m.name: Path(m.path) for m in self.methods if m.kind == "predictions"}
        if method in given:
            paths = find_predictions(given[method], protocol, count)
            return FileImages(paths, prediction_names(method, protocol, count), size)
        if method == GROUND_TRUTH:
            assert self.ground_truth is not None
            predict: Callable[[Sequence[int]], Iterable[NDArray[np.uint8]]]
            predict = self.ground_truth.predictor(pairs)
        else:
            predict = self.predictor(protocol, method).predict
        folder = self.folder / PREDICTIONS / method / protocol
        title = f"{method}, {protocol}: images"
        return predict_images(predict, folder, count, size, title=title, progress=self.progress)

    def predictor(self, protocol: str, model: str) -> ModelPredictor:
        """Return a model with the pairs of a protocol, at the model's size."""
        network, crops = self.models[model], self.crops
        if network.config.size != crops.size:
            crops = FaceCrops(crops.root, self.split, network.config.size)
        return ModelPredictor(network, crops, self.pairs[protocol])

    @cached_property
    def _reference_names(self) -> dict[int, str]:
        """Crop to the name of its first image in what :func:`export_pairs` writes; each is measured once."""
        names: dict[int, str] = {}
        for protocol, pairs in self.pairs.items():
            for role, indices in zip(ROLES, pairs, strict=True):
                for pair, index in enumerate(indices.tolist()):
                    names.setdefault(index, f"{protocol}/{role}/{pair:06d}")
        return dict(sorted(names.items()))

    @cached_property
    def _reference_faces(self) -> FaceMeasurements:
        """Measurements of all source, driving and target crops."""
        return self._measure(self._crop_images(np.array(list(self._reference_names))), "crops")

    def _positions(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(list(self._reference_names), indices)

    def _crop_images(self, indices: NDArray[np.int64]) -> CropImages:
        chosen: Sequence[int] = indices.tolist()
        return CropImages(self.crops, self.split, chosen, [self._reference_names[index] for index in chosen])

    def _measure(self, images: ImageSet, title: str) -> FaceMeasurements:
        return measure_faces(images, self.backends, self.workers, f"{title}: faces")

    def _compute_fid(self, images: ImageSet, pairs: EvaluationPairs) -> float | None:
        if self._fid is None:
            return None
        return self._fid.compute(images, self._crop_images(pairs.driving))

    @cached_property
    def _fid(self) -> FIDComputer | None:
        try:
            return FIDComputer(self.backends.device)
        except FIDUnavailableError as error:
            self.skipped["fid"] = str(error)
            return None
