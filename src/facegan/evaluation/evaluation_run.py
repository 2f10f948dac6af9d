"""One evaluation under way: every method over every protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facegan.data import FaceCrops
from facegan.evaluation.evaluation_pairs import ROLES
from facegan.evaluation.fid import NoInception, fid
from facegan.evaluation.image_sets import CropPictures
from facegan.evaluation.methods import ANSWER, DRIVER, SOURCE, Reenacting, given_pictures, made_pictures
from facegan.evaluation.pair_metrics import MEASURES, observed
from facegan.evaluation.protocols import PROTOCOLS
from facegan.evaluation.summary import difference, summarize

if TYPE_CHECKING:
    from facegan.evaluation.evaluation_pairs import EvaluationPairs
    from facegan.evaluation.face_measurements import Seen
    from facegan.evaluation.ground_truth import GroundTruthReenactments
    from facegan.evaluation.image_sets import Pictures
    from facegan.evaluation.methods import Method
    from facegan.evaluation.scoring import Scorer
    from facegan.networks import FaceGAN

PREDICTIONS = "predictions"


@dataclass
class Run:
    """Every method over every protocol.

    Attributes:
        methods: what is evaluated.
        networks: of the methods that are models, by name.
        crops: the data, at the evaluation's size.
        split: of the data; None for all.
        trials: protocol to its pairs.
        answers: draws true answers; None if the people are real.
        scorer: looks and compares.
        folder: for the pictures that are made.
        progress: show bars.
        scores: a row a protocol, method and pair, as far as it went.
        left_out: measure to why it could not be taken.
    """

    methods: list[Method]
    networks: dict[str, FaceGAN]
    crops: FaceCrops
    split: str | None
    trials: dict[str, EvaluationPairs]
    answers: GroundTruthReenactments | None
    scorer: Scorer
    folder: Path
    progress: bool
    scores: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def protocols(self) -> dict[str, Any]:
        """The numbers of all protocols, as in ``metrics.json``."""
        return {name: self._protocol(name) for name in self.trials}

    def pictures(self, protocol: str, method: str) -> Pictures:
        """What a method shows for the pairs of a protocol; made now, if it is not there yet."""
        trials = self.trials[protocol]
        if method in (SOURCE, DRIVER):
            return self._crop_pictures(trials.source if method == SOURCE else trials.driver)
        known = {m.name: m for m in self.methods}
        count, size = len(trials.source), self.crops.size
        if method in known and known[method].kind == "predictions":
            return given_pictures(Path(known[method].path), protocol, count, size, method)
        if method == ANSWER:
            assert self.answers is not None
            paint: Any = partial(self.answers.paint, trials)
        else:
            paint = self.reenacting(protocol, method)
        folder = self.folder / PREDICTIONS / method
        return made_pictures(paint, folder, protocol, count, size, name=method, progress=self.progress)

    def reenacting(self, protocol: str, model: str) -> Reenacting:
        """A model over the pairs of a protocol."""
        networks = self.networks[model]
        crops = self.crops
        if networks.config.size != crops.size:
            crops = FaceCrops(crops.root, self.split, networks.config.size)
        device = next(networks.parameters()).device
        return Reenacting(networks, crops, self.trials[protocol], device)

    @cached_property
    def _names(self) -> dict[int, str]:
        """Crop to its name: that of its first picture in what :func:`export_pairs` writes."""
        names: dict[int, str] = {}
        for protocol, trials in self.trials.items():
            for role, indices in zip(ROLES, trials, strict=True):
                for pair, index in enumerate(indices.tolist()):
                    names.setdefault(index, f"{protocol}/{role}/{pair:06d}")
        return names

    @cached_property
    def _places(self) -> dict[int, int]:
        """Crop to its place among those that are looked at."""
        return {index: place for place, index in enumerate(sorted(self._names))}

    @cached_property
    def _references(self) -> Seen:
        """What sources, drivers and expected pictures show, to the same eyes as the results."""
        return self.scorer.see(self._crop_pictures(np.array(list(self._places))), "crops")

    def _protocol(self, name: str) -> dict[str, Any]:
        trials = self.trials[name]
        drawn = name == "cross" and self.answers is not None
        sides = [self._seen_crops(role) for role in trials]
        truth: Pictures | None = None
        if drawn:
            sides[2], truth = self._look(name, ANSWER)
        elif name == "self":
            truth = self._crop_pictures(trials.driver)
        measures: dict[str, dict[str, Any]] = {}
        differences: dict[str, dict[str, Any]] = {}
        misses = {}
        identity = self.crops.identity[trials.source]
        first = self.methods[0].name
        reference: dict[str, np.ndarray] = {}
        for method in [*(m.name for m in self.methods), SOURCE, DRIVER, *([ANSWER] if drawn else [])]:
            seen, pictures = self._look(name, method)
            values = observed(sides[0], sides[1], sides[2], seen)
            if truth is not None:
                compared = self.scorer.compare(pictures, truth, f"{name}/{method}")._asdict()
                values |= {f"true_{key}" if drawn else key: numbers for key, numbers in compared.items()}
            if drawn:
                values["true_landmarks"] = values["landmarks"]
            if name == "video":
                driven = self._crop_pictures(trials.driver)
                values["flicker"] = self.scorer.flicker(pictures, driven, f"{name}/{method}")
            values = {key: values[key] for key in _wanted(name) if key in values}
            summary = summarize(values, seen.found, identity)
            if method == first:
                reference = values
            else:
                for key, entry in difference(values, reference, identity).items():
                    differences.setdefault(key, {})[method] = entry
            if "fid" in PROTOCOLS[name].measures and (distance := self._fid(name, pictures)) is not None:
                summary["fid"] = {"mean": distance, "low": None, "high": None, "pairs": len(trials.source)}
            for key, entry in summary.items():
                measures.setdefault(key, {})[method] = entry
            misses[method] = {"count": int((~seen.found).sum()), "share": float((~seen.found).mean())}
            self._note(name, method, seen, values)
        ordered = {key: measures[key] for key in MEASURES if key in measures}
        return {
            "pairs": len(trials.source),
            "measures": ordered,
            "misses": misses,
            "differences": {"from": first, "measures": differences},
        }

    def _look(self, protocol: str, method: str) -> tuple[Seen, Pictures]:
        pictures = self.pictures(protocol, method)
        if method == SOURCE:
            return self._seen_crops(self.trials[protocol].source), pictures
        if method == DRIVER:
            return self._seen_crops(self.trials[protocol].driver), pictures
        return self.scorer.see(pictures, f"{protocol}/{method}"), pictures

    def _seen_crops(self, indices: np.ndarray) -> Seen:
        return self._references.take(np.array([self._places[int(index)] for index in indices]))

    def _crop_pictures(self, indices: np.ndarray) -> CropPictures:
        chosen = tuple(indices.tolist())
        names = tuple(self._names[index] for index in chosen)
        return CropPictures(self.crops.root, self.split, self.crops.size, chosen, names)

    def _fid(self, protocol: str, pictures: Pictures) -> float | None:
        if "fid" in self.left_out:
            return None
        try:
            return fid(pictures, self._crop_pictures(self.trials[protocol].driver), self.scorer.eyes.device)
        except NoInception as error:
            self.left_out["fid"] = str(error)
            return None

    def _note(self, protocol: str, method: str, seen: Seen, values: dict[str, np.ndarray]) -> None:
        identity = self.crops.identity[self.trials[protocol].source]
        for pair, found in enumerate(seen.found.tolist()):
            row = {"protocol": protocol, "method": method, "pair": pair, "identity": str(identity[pair])}
            numbers = {key: float(column[pair]) for key, column in values.items()}
            self.scores.append({**row, "found": found, **numbers})


def _wanted(protocol: str) -> list[str]:
    return [key for key in MEASURES if key in PROTOCOLS[protocol].measures or key.startswith("true_")]
