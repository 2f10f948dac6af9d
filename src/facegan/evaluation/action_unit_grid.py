"""Experiment 4: an identity with each action unit and pose angle edited alone, and other backgrounds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from facegan.geometry.head_alignment import SourceFace
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
    from facegan.networks import FaceGAN
    from facegan.perception.face_measurer import FaceMeasurer

BACKGROUNDS = 5
BATCH_SIZE = 17


class ActionUnitEdits(NamedTuple):
    """Edited images of an identity, and the detectors' measurements in them."""

    model: str
    identity: str
    action_units: NDArray[np.uint8]
    """5×17×S×S×3: a row an intensity, a column an action unit, the others as in the source."""
    head_pose: NDArray[np.uint8]
    """3×5×S×S×3: a row an angle, a column a value."""
    backgrounds: NDArray[np.uint8]
    """1×K×S×S×3: with the backgrounds of other identities' images."""
    responses: dict[str, list[float | None]]
    """Action unit or angle to its measurement at each value, in the same unit; None without a face."""

    def as_dict(self) -> dict[str, Any]:
        """Return all but the images, for JSON."""
        return {
            "model": self.model,
            "identity": self.identity,
            "intensities": list(ACTION_UNIT_GRID_INTENSITIES),
            "degrees": list(ACTION_UNIT_GRID_DEGREES),
            "responses": self.responses,
            "correlations": {name: self._correlation(name) for name in MOTION_NAMES},
        }

    def _correlation(self, name: str) -> float | None:
        """Compute Pearson's correlation of set and measured values."""
        values = np.array(
            ACTION_UNIT_GRID_DEGREES if name in POSE_ANGLES else ACTION_UNIT_GRID_INTENSITIES, np.float64
        )
        measured = np.array([np.nan if value is None else value for value in self.responses[name]])
        valid = np.isfinite(measured)
        if valid.sum() < 3 or np.ptp(measured[valid]) == 0:
            return None
        return float(np.corrcoef(values[valid], measured[valid])[0, 1])


@torch.inference_mode()
def edit_action_units(
    name: str, model: FaceGAN, crops: FaceCrops, source: int, measurer: FaceMeasurer
) -> ActionUnitEdits:
    """Edit the motion parameters of a crop one at a time and measure the results.

    Args:
        name: of the model.
        model: one with a landmark transformer.
        crops: the data, at the model's size.
        source: index of the crop.
        measurer: measures the results.
    """
    motion = torch.from_numpy(crops.motion[source])
    image, labels = crops.picture(source)[None], crops.segmentation(source)[None]
    device = next(model.parameters()).device
    landmarks = torch.from_numpy(crops.landmarks[source])[None]
    face = SourceFace(image, labels, landmarks, motion[None]).to(device)

    def generate(motions: list[torch.Tensor], background: torch.Tensor) -> NDArray[np.uint8]:
        """Generate an image a motion, with one background or one each."""
        images = []
        for start in range(0, len(motions), BATCH_SIZE):
            batch = torch.stack(motions[start : start + BATCH_SIZE]).to(device)
            count = len(batch)
            behind = background.to(device)
            behind = behind if len(behind) == count else behind.expand(count, -1, -1, -1)
            images.append(tensor_to_images(model(face.expand(count), batch, behind).result))
        return np.concatenate(images)

    own_background = mask_background(image, labels)
    motions = build_action_unit_grid(motion)
    units, angles = motions[: len(ACTION_UNITS)].transpose(0, 1), motions[len(ACTION_UNITS) :]
    unit_images, angle_images = (
        generate(list(part.flatten(0, 1)), own_background) for part in (units, angles)
    )
    others = _other_identities(crops, source)
    # Without the other identity's head, which would be visible behind this one.
    backgrounds = [
        mask_background(crops.picture(i)[None], labels.maximum(crops.segmentation(i))) for i in others
    ]
    background_images = (
        generate([motion] * len(others), torch.cat(backgrounds)) if others else unit_images[:0]
    )
    measured = measurer.analyze([*unit_images, *angle_images])
    return ActionUnitEdits(
        model=name,
        identity=str(crops.identity[source]),
        action_units=unit_images.reshape(
            len(ACTION_UNIT_GRID_INTENSITIES), len(ACTION_UNITS), *unit_images.shape[1:]
        ),
        head_pose=angle_images.reshape(
            len(POSE_ANGLES), len(ACTION_UNIT_GRID_DEGREES), *angle_images.shape[1:]
        ),
        backgrounds=background_images[None],
        responses=_responses(measured.motion),
    )


def _responses(motion: NDArray[np.float32]) -> dict[str, list[float | None]]:
    """Sort the measured motion parameters of the edited images by the parameter that was edited."""
    count = len(ACTION_UNIT_GRID_INTENSITIES) * len(ACTION_UNITS)
    units = motion[:count].reshape(len(ACTION_UNIT_GRID_INTENSITIES), len(ACTION_UNITS), -1)
    angles = motion[count:].reshape(len(POSE_ANGLES), len(ACTION_UNIT_GRID_DEGREES), -1)[
        ..., len(ACTION_UNITS) :
    ]
    responses = {unit: units[:, k, k] for k, unit in enumerate(ACTION_UNITS)}
    responses |= {angle: np.degrees(angles[k, :, k] * POSE_SCALE) for k, angle in enumerate(POSE_ANGLES)}
    return {
        name: [float(value) if math.isfinite(value) else None for value in values]
        for name, values in responses.items()
    }


def _other_identities(crops: FaceCrops, source: int) -> list[int]:
    """Return the first crops of other identities, evenly over them; none if there is no other."""
    _, first = np.unique(crops.identity, return_index=True)
    others = first[crops.identity[first] != crops.identity[source]]
    chosen = np.linspace(0, len(others) - 1, min(BACKGROUNDS, len(others))).round().astype(int)
    return [int(others[index]) for index in chosen] if len(others) else []
