"""Estimate OpenFace's 17 action units from MediaPipe's 52 blendshapes.

Each unit of FACS (Ekman and Friesen) is the mean, over both sides, of the blendshapes of the same
movement. AU06 has no responsive blendshape (``cheekSquint`` stays near zero): it is estimated from smile
and narrowed eyes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from facegan.geometry.motion import ACTION_UNITS, INTENSITY_SCALE

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLENDSHAPE_NAMES: tuple[str, ...] = (
    *("_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight"),
    *("eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft"),
    *("eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight"),
    *("eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel"),
    *("mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight"),
    *("mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower"),
    *("mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight"),
)
"""Names of the 52 blendshapes in the order of MediaPipe's Face Landmarker."""


def blendshapes_to_action_units(blendshapes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert blendshapes to action-unit intensities.

    Args:
        blendshapes: ...×52 in 0..1, in the order of :data:`BLENDSHAPE_NAMES`.

    Returns:
        ...×17 in 0..5, in the order of :data:`facegan.geometry.motion.ACTION_UNITS`.
    """

    def shape(name: str) -> NDArray[np.float32]:
        """Select a blendshape, or the mean of its two sides."""
        names = [name] if name in BLENDSHAPE_NAMES else [f"{name}Left", f"{name}Right"]
        mean: NDArray[np.float32] = blendshapes[..., [BLENDSHAPE_NAMES.index(n) for n in names]].mean(axis=-1)
        return mean

    smile, squint = shape("mouthSmile"), shape("eyeSquint")
    units = {
        "AU01": shape("browInnerUp"),
        "AU02": shape("browOuterUp"),
        "AU04": shape("browDown"),
        "AU05": shape("eyeWide"),
        "AU06": np.maximum(shape("cheekSquint"), np.sqrt(smile * squint)),
        "AU07": squint,
        "AU09": shape("noseSneer"),
        "AU10": shape("mouthUpperUp"),
        "AU12": smile,
        "AU14": shape("mouthDimple"),
        "AU15": shape("mouthFrown"),
        "AU17": shape("mouthShrugLower"),
        "AU20": shape("mouthStretch"),
        "AU23": np.maximum(shape("mouthPress"), shape("mouthRollLower")),
        "AU25": shape("jawOpen") + shape("mouthLowerDown") + shape("mouthUpperUp") - shape("mouthClose"),
        "AU26": shape("jawOpen"),
        "AU45": shape("eyeBlink"),
    }
    stacked = np.stack([units[name] for name in ACTION_UNITS], axis=-1)
    intensities: NDArray[np.float32] = (INTENSITY_SCALE * np.clip(stacked, 0, 1)).astype(np.float32)
    return intensities
