"""The measures of an evaluation: what they are called, and their value of each pair."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from facegan import metrics
from facegan.geometry.motion import ACTION_UNITS, motion_to_openface

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.evaluation.face_measurements import Seen

    Floats = NDArray[np.float64]


class Measure(NamedTuple):
    """A measure as the report names it."""

    label: str
    higher_is_better: bool
    about: str
    miss: float | None = None
    """Value of a result without a face; None for what is measured without one."""

    digits: int = 4
    """Of a number that is shown."""

    def show(self, value: float | None) -> str:
        """A number for a table."""
        return "–" if value is None else f"{value:.{self.digits}f}"

    @property
    def better(self) -> str:
        """An arrow."""
        return "↑" if self.higher_is_better else "↓"


MEASURES = {
    "mse": Measure("MSE", False, "mean square error of the pixels, 0..1, to the truth"),
    "psnr": Measure("PSNR", True, "peak signal-to-noise ratio in dB: of the mean MSE", digits=2),
    "ssim": Measure("SSIM", True, "structural similarity to the truth"),
    "perceptual": Measure(
        "Perceptual", False, "LPIPS' formula with equal weights on features of dlib's face recognition ResNet"
    ),
    "fid": Measure("FID", False, "Fréchet distance of Inception features of all results and all drivers"),
    "csim": Measure(
        "CSIM", True, "cosine of the identity embeddings of source and result", metrics.CSIM.missing_value
    ),
    "psim": Measure(
        "PSIM",
        True,
        "cosine of the head-pose angles of driver and result; two frontal faces count as 1",
        metrics.PSIM.missing_value,
    ),
    "ed": Measure("ED", False, "mean square difference of the action units (0..1) of driver and result", 1.0),
    "ed_euclidean": Measure(
        "ED, Euclidean", False, "the same as a distance, as the paper words it", math.sqrt(len(ACTION_UNITS))
    ),
    "landmarks": Measure(
        "Landmarks",
        False,
        "mean distance from the landmarks of the truth; half the picture is 1",
        metrics.LandmarkError.missing_value,
    ),
    "gaze": Measure(
        "Gaze",
        False,
        "distance of the irises of driver and result in their eyes, in widths of the eye; open eyes only",
        metrics.GazeError.missing_value,
    ),
    "blink": Measure(
        "Blinks",
        True,
        "share of pairs of which driver and result both have open or both have closed eyes",
        metrics.BlinkAgreement.missing_value,
    ),
    "lsim": Measure(
        "LSIM",
        False,
        "mean square error of the landmarks to those of the second picture; half the picture is 1",
        metrics.LSIM.missing_value,
        digits=5,
    ),
    "flicker": Measure(
        "Flicker",
        False,
        "mean absolute difference, 0..1, of the changes from frame to frame of result and truth",
    ),
    "true_mse": Measure("MSE to the answer", False, "of the pixels to those of the true answer"),
    "true_perceptual": Measure("Perceptual, to the answer", False, "the same distance to the true answer"),
    "true_landmarks": Measure(
        "Landmarks, to the answer",
        False,
        "mean distance from those of the true answer",
        metrics.LandmarkError.missing_value,
    ),
}
"""In the report's order. The last three need drawn people, of whom the true answer is known."""


def observed(source: Seen, driver: Seen, expected: Seen, result: Seen) -> dict[str, Floats]:
    """The measures that are seen, of N pairs; results without a face have the value of a miss.

    Pairs that cannot be measured, since source, driver or expected picture lacks what is compared, have
    none: not a number.

    Args:
        source: what the sources show.
        driver: what the drivers show.
        expected: what the pictures show whose landmarks the results should have.
        result: what the results show.
    """
    sides = {
        name: parts(seen) for name, seen in (("s", source), ("d", driver), ("e", expected), ("r", result))
    }
    s, d, e, r = sides["s"], sides["d"], sides["e"], sides["r"]
    blink = ACTION_UNITS.index("AU45")
    values = {
        "csim": (metrics.csim(r["identity"], s["identity"]), s["identity"]),
        "psim": (metrics.psim(r["angles"], d["angles"]), d["angles"]),
        "ed": (metrics.ed(r["units"], d["units"]), d["units"]),
        "ed_euclidean": (metrics.ed(r["units"], d["units"], "l2"), d["units"]),
        "landmarks": (metrics.landmark_error(r["landmarks"], e["landmarks"]), e["landmarks"]),
        "lsim": (metrics.lsim(r["landmarks"], e["landmarks"]), e["landmarks"]),
        "gaze": (metrics.gaze_error(r["gaze"], d["gaze"]), _open_only(d["gaze"], d["units"][:, blink])),
        "blink": (metrics.blink_agreement(r["units"][:, blink], d["units"][:, blink]), d["units"]),
    }
    found = result.found
    scored = {}
    for name, (value, reference) in values.items():
        numbers = np.where(found, value.double().numpy(), np.float64(MEASURES[name].miss or 0))
        known = np.isfinite(reference.flatten(1).sum(dim=1).numpy())
        scored[name] = np.where(known, numbers, np.nan)
    return scored


def parts(seen: Seen) -> dict[str, torch.Tensor]:
    """What the measures compare: landmarks N×68×2, gaze N×2×2, identity N×D, units N×17, angles N×3."""
    motion = torch.from_numpy(seen.motion)
    return {
        "landmarks": torch.from_numpy(seen.landmarks),
        "gaze": torch.from_numpy(seen.gaze),
        "identity": torch.from_numpy(seen.identity),
        "units": motion[:, : len(ACTION_UNITS)],
        "angles": motion_to_openface(motion)[1],
    }


def _open_only(gaze: torch.Tensor, blink: torch.Tensor) -> torch.Tensor:
    """Closed eyes have no gaze to follow."""
    return torch.where((blink < metrics.CLOSED_EYE_THRESHOLD)[:, None, None], gaze, torch.nan)
