"""Experiment 4: one person with every action unit and angle moved alone, and before other backgrounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from facegan.geometry.motion import (
    ACTION_UNIT_GRID_DEGREES,
    ACTION_UNIT_GRID_INTENSITIES,
    ACTION_UNITS,
    MOTION_NAMES,
    POSE_ANGLES,
    POSE_SCALE,
    build_action_unit_grid,
)
from facegan.io.images import tensor_to_images
from facegan.networks.compositing import mask_background

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.data import FaceCrops
    from facegan.evaluation.face_measurements import Observer
    from facegan.networks import FaceGAN

BACKGROUNDS = 5
BATCH = 17


class Edits(NamedTuple):
    """A person, edited."""

    model: str
    identity: str
    units: NDArray[np.uint8]
    """5×17×S×S×3: a row an intensity, a column an action unit, the others as in the source."""
    angles: NDArray[np.uint8]
    """3×5×S×S×3: a row an angle, a column a value."""
    backgrounds: NDArray[np.uint8]
    """1×K×S×S×3: before the backgrounds of other people's pictures."""
    responses: dict[str, list[float | None]]
    """Action unit or angle to what is measured at each value, in the same unit; None without a face."""

    def as_dict(self) -> dict[str, Any]:
        """The numbers, for JSON."""
        return {
            "model": self.model,
            "identity": self.identity,
            "intensities": list(ACTION_UNIT_GRID_INTENSITIES),
            "degrees": list(ACTION_UNIT_GRID_DEGREES),
            "responses": self.responses,
            "correlations": {name: self._correlation(name) for name in MOTION_NAMES},
        }

    def _correlation(self, name: str) -> float | None:
        """Of what was asked for and what is measured."""
        asked = np.array(
            ACTION_UNIT_GRID_DEGREES if name in POSE_ANGLES else ACTION_UNIT_GRID_INTENSITIES, np.float64
        )
        seen = np.array([np.nan if value is None else value for value in self.responses[name]])
        known = np.isfinite(seen)
        if known.sum() < 3 or np.ptp(seen[known]) == 0:
            return None
        return float(np.corrcoef(asked[known], seen[known])[0, 1])


@torch.inference_mode()
def draw_edits(name: str, model: FaceGAN, crops: FaceCrops, source: int, observer: Observer) -> Edits:
    """Edits a crop.

    Args:
        name: of the model.
        model: one with landmark transformer.
        crops: the data, at the model's size.
        source: index of the crop.
        observer: measures what came of it.
    """
    own = torch.from_numpy(crops.motion[source])
    picture, labels = crops.picture(source)[None], crops.segmentation(source)[None]
    device = next(model.parameters()).device
    inputs = [part.to(device) for part in (picture, torch.from_numpy(crops.landmarks[source])[None])]

    def paint(motions: list[torch.Tensor], behind: torch.Tensor) -> list[NDArray[np.uint8]]:
        """A picture a motion, before one background or one each."""
        images = []
        for start in range(0, len(motions), BATCH):
            motion = torch.stack(motions[start : start + BATCH]).to(device)
            count = len(motion)
            background = behind.to(device)
            background = background if len(background) == count else background.expand(count, -1, -1, -1)
            face, points = (part.expand(count, *part.shape[1:]) for part in inputs)
            images += list(tensor_to_images(model(face, points, motion, background).result))
        return images

    own_background = mask_background(picture, labels)
    grid = build_action_unit_grid(own)
    by_value = grid[: len(ACTION_UNITS)].transpose(0, 1)
    units = paint(list(by_value.flatten(0, 1)), own_background)
    angles = paint(list(grid[len(ACTION_UNITS) :].flatten(0, 1)), own_background)
    others = _others(crops, source)
    swapped = paint(
        [own] * len(others),
        # Without the other's head, or it would stand behind ours.
        torch.cat(
            [mask_background(crops.picture(i)[None], labels.maximum(crops.segmentation(i))) for i in others]
        )
        if others
        else own_background,
    )
    seen = observer(units + angles).motion
    counts = len(ACTION_UNIT_GRID_INTENSITIES), len(ACTION_UNITS)
    by_unit = seen[: len(units), : len(ACTION_UNITS)].reshape(*counts, len(ACTION_UNITS))
    by_angle = seen[len(units) :, len(ACTION_UNITS) :].reshape(
        len(POSE_ANGLES), len(ACTION_UNIT_GRID_DEGREES), len(POSE_ANGLES)
    )
    responses = {unit: by_unit[:, k, k] for k, unit in enumerate(ACTION_UNITS)}
    responses |= {angle: np.degrees(by_angle[k, :, k] * POSE_SCALE) for k, angle in enumerate(POSE_ANGLES)}
    shape = units[0].shape
    return Edits(
        model=name,
        identity=str(crops.identity[source]),
        units=np.array(units).reshape(*counts, *shape),
        angles=np.array(angles).reshape(len(POSE_ANGLES), len(ACTION_UNIT_GRID_DEGREES), *shape),
        backgrounds=np.array(swapped).reshape(1, len(swapped), *shape),
        responses={
            key: [float(v) if math.isfinite(v) else None for v in values] for key, values in responses.items()
        },
    )


def _others(crops: FaceCrops, source: int) -> list[int]:
    """First crops of other people, evenly over them; none if there is nobody else."""
    _, first = np.unique(crops.identity, return_index=True)
    others = first[crops.identity[first] != crops.identity[source]]
    chosen = np.linspace(0, len(others) - 1, min(BACKGROUNDS, len(others))).round().astype(int)
    return [int(others[index]) for index in chosen] if len(others) else []
