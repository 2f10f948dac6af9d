"""Agreement of detectors that are trained on real faces with the ground truth of synthetic heads.

``python -m benchmarks.synthetic.detector_agreement`` prints the table of docs/synthetic.md.
"""

from __future__ import annotations

import argparse
import math
import os
from typing import TYPE_CHECKING, NamedTuple

if __name__ == "__main__":
    # One thread is fastest; NumPy's library reads this when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from scipy.stats import mannwhitneyu

from facegan.geometry.landmarks import normalize_points
from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES, NUM_MOTION_PARAMS, POSE_ANGLES, POSE_SCALE
from facegan.io.images import image_to_tensor
from facegan.perception import FaceAnalyzer, IdentityEmbedder
from synthetic_heads import render, sample_identity, sample_motion, sample_scene

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SIZE = 256
FRONTAL_YAW = math.radians(30) / POSE_SCALE
"""Largest yaw of a frontal head."""
FRAME = 25
"""Frame of a motion of 2 seconds that is rendered."""
LEFT_EYE_CORNER, RIGHT_EYE_CORNER = 263, 33
"""Mesh points of the outer corners."""


class Sample(NamedTuple):
    """What to render."""

    seed: int
    """Of identity and scene."""
    motion: Floats
    gaze: Floats


class Detections(NamedTuple):
    """Detections in N frames with ground truth.

    Attributes:
        faces: N, number of detected faces.
        error: N, mean landmark error relative to the distance of the outer eye corners; NaN if undetected.
        true: N×20, motion of the ground truth.
        measured: N×20, detected motion; NaN if undetected.
    """

    faces: Floats
    error: Floats
    true: Floats
    measured: Floats


def detect(samples: Iterable[Sample]) -> Detections:
    """Render frames and detect their landmarks and motion by MediaPipe."""
    rows = []
    with FaceAnalyzer(single_images=True) as analyzer:
        for number, (seed, motion, gaze) in enumerate(samples):
            scene = sample_scene(seed)
            frame = render(sample_identity(seed), motion, SIZE, gaze=gaze, scene=scene, noise_seed=number)
            faces = analyzer(frame.image)
            error, measured = np.nan, np.full(NUM_MOTION_PARAMS, np.nan)
            if faces:
                eyes = frame.mesh[RIGHT_EYE_CORNER, :2] - frame.mesh[LEFT_EYE_CORNER, :2]
                distances = np.linalg.norm(faces[0].landmarks - frame.landmarks, axis=1)
                error, measured = distances.mean() / np.linalg.norm(eyes), faces[0].motion
            rows.append((len(faces), error, motion, measured))
    return Detections(*(np.array(values, np.float32) for values in zip(*rows, strict=True)))


def correlation(a: Floats, b: Floats) -> float:
    """Compute Pearson's correlation of the values that are not NaN in either."""
    known = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[known], b[known])[0, 1])


def sample_motions(count: int, seed: int) -> list[Sample]:
    """Sample a frame of a random motion of each of so many identities."""
    motions = [sample_motion(seed * count + number, 2 * FRAME, FRAME) for number in range(count)]
    return [Sample(i, motion.motion[FRAME], motion.gaze[FRAME]) for i, motion in enumerate(motions)]


def sample_even_poses(count: int, seed: int) -> list[Sample]:
    """Sample a neutral face of each identity with pitch and roll up to ±25° and yaw up to ±35°, uniformly."""
    limits = np.radians((25, 35, 25)) / POSE_SCALE
    motions = np.zeros((count, NUM_MOTION_PARAMS), np.float32)
    motions[:, -len(POSE_ANGLES) :] = np.random.default_rng(seed).uniform(-limits, limits, (count, 3))
    return [Sample(number, motion, np.zeros(2, np.float32)) for number, motion in enumerate(motions)]


def sweep_action_unit(unit: int, identities: int) -> list[Sample]:
    """Return frames of each identity with one action unit at five intensities."""
    motions = np.zeros((5, NUM_MOTION_PARAMS), np.float32)
    motions[:, unit] = np.linspace(0, 1, 5)
    return [Sample(seed, motion, np.zeros(2, np.float32)) for seed in range(identities) for motion in motions]


def identity_auc(identities: int, frames: int) -> float:
    """Compute the area under the ROC curve of the identity network.

    Args:
        identities: number of identities.
        frames: images of each, of random motions in different scenes.
    """
    embedder, embeddings, owners = IdentityEmbedder(), [], []
    with FaceAnalyzer(single_images=True) as analyzer:
        for seed, number in np.ndindex(identities, frames):
            clip = 1000 * seed + number
            motion, scene = sample_motion(clip, 2 * FRAME, FRAME), sample_scene(clip)
            vector, gaze = motion.motion[FRAME], motion.gaze[FRAME]
            image = render(
                sample_identity(seed), vector, SIZE, gaze=gaze, scene=scene, noise_seed=number
            ).image
            for face in analyzer(image)[:1]:
                points = torch.from_numpy(normalize_points(face.landmarks, SIZE)).float()
                with torch.inference_mode():
                    embeddings.append(embedder(image_to_tensor(image)[None], points[None])[0])
                owners.append(seed)
    unit = torch.nn.functional.normalize(torch.stack(embeddings)).numpy()
    cosine, same = unit @ unit.T, np.equal.outer(owners, owners)
    pairs = np.triu(np.ones_like(same), 1)
    positive, negative = cosine[same & pairs], cosine[~same & pairs]
    return float(mannwhitneyu(positive, negative).statistic / (len(positive) * len(negative)))


def print_agreement(identities: int) -> None:
    """Print the table as Markdown.

    Every identity is rendered in four random motions and four poses, a quarter of them with each action unit
    alone. "Rise" is the measured intensity of a unit at 1 minus that at 0.
    """
    motions = [sample for seed in range(4) for sample in sample_motions(identities, seed)]
    poses = [sample for seed in range(4) for sample in sample_even_poses(identities, seed)]
    people, units = max(identities // 4, 2), len(ACTION_UNITS)
    sweeps = [sample for unit in range(units) for sample in sweep_action_unit(unit, people)]
    movements, even_poses, alone = (_detect_by_identity(samples) for samples in (motions, poses, sweeps))
    print("| figure | all people | within a person | rise |\n|---|---|---|---|")
    detected = movements.faces == 1
    frontal = np.abs(movements.true[:, MOTION_NAMES.index("yaw")]) <= FRONTAL_YAW
    print(f"| one face found, yaw up to 30° | {100 * detected[frontal].mean():.1f} % | | |")
    print(f"| one face found, any pose | {100 * detected.mean():.1f} % | | |")
    for name, detections in (("movements", movements), ("even poses", even_poses)):
        print(f"| landmark error, {name} | {100 * np.nanmean(detections.error):.1f} % | | |")
        for angle in POSE_ANGLES:
            column = MOTION_NAMES.index(angle)
            value = correlation(detections.true[:, column], detections.measured[:, column])
            print(f"| correlation, {angle}, {name} | {value:.3f} | | |")
    for unit, name in enumerate(ACTION_UNITS):
        true, measured = (
            values.reshape(people, units, -1, NUM_MOTION_PARAMS)[:, unit, :, unit]
            for values in (alone.true, alone.measured)
        )
        overall = correlation(true, measured)
        within = np.mean([correlation(*pair) for pair in zip(true, measured, strict=True)])
        rise = np.nanmean(measured[:, -1] - measured[:, 0])
        print(f"| correlation, {name} alone | {overall:.2f} | {within:.2f} | {rise:.2f} |")
    print(f"| area under the ROC curve, identity | {identity_auc(identities, 4):.3f} | | |")


def _detect_by_identity(samples: list[Sample]) -> Detections:
    """Detect in the order of the identities: the last ones are cached, and each takes long to build."""
    ordered = sorted(samples, key=lambda sample: sample.seed)
    return detect(track(ordered, "frames", console=Console(stderr=True), transient=True))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=64, help="number of identities, 2 or more")
    identities = parser.parse_args().identities
    if identities < 2:
        parser.error(f"cannot compare {identities} identities: --identities must be 2 or more")
    print_agreement(identities)


if __name__ == "__main__":
    main()
