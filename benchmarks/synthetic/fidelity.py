"""How well detectors that were trained on real people understand the drawn ones.

``python -m benchmarks.synthetic.fidelity`` prints the table of docs/synthetic.md.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if __name__ == "__main__":
    # One thread is fastest; numpy's library reads this when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import rankdata

from facegan.geometry.landmarks import normalize_points
from facegan.geometry.motion import ACTION_UNITS, MOTION_NAMES, NUM_MOTION_PARAMS, POSE_ANGLES, POSE_SCALE
from facegan.perception import FaceAnalyzer, IdentityEmbedder
from synthetic_heads import render, sample_identity, sample_motion, sample_scene

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

BATCH = 32
"""Pictures that the identity network sees at a time."""
FRONTAL = math.radians(30) / POSE_SCALE
"""Largest yaw of a head that faces the camera more or less."""


class Seen(NamedTuple):
    """What MediaPipe saw of frames whose truth is known.

    Attributes:
        found: N, the number of faces.
        error: N, mean landmark error as a fraction of the distance of the outer eye corners; NaN if not
            found.
        true, measured: N×20 motion vectors; NaN if not found.
    """

    found: Floats
    error: Floats
    true: Floats
    measured: Floats


def look(frames: Iterable[tuple[int, Floats, Floats]], size: int = 256) -> Seen:
    """Shows frames to MediaPipe.

    Args:
        frames: seed of the identity and scene, motion vector, gaze.
        size: side of the pictures.
    """
    found, error, true, measured = [], [], [], []
    with FaceAnalyzer(single_images=True) as analyzer:
        for number, (seed, vector, gaze) in enumerate(frames):
            frame = render(
                sample_identity(seed), vector, size, gaze=gaze, scene=sample_scene(seed), noise_seed=number
            )
            faces = analyzer(frame.image)
            found.append(len(faces))
            true.append(vector)
            if faces:
                eyes = np.linalg.norm(frame.mesh[33, :2] - frame.mesh[263, :2])
                away = np.linalg.norm(faces[0].landmarks - frame.landmarks, axis=1).mean()
                error.append(away / eyes)
                measured.append(faces[0].motion)
            else:
                error.append(np.nan)
                measured.append(np.full(NUM_MOTION_PARAMS, np.nan))
    return Seen(*(np.array(values, np.float32) for values in (found, error, true, measured)))


def correlation(a: Floats, b: Floats) -> float:
    """Pearson's correlation of what is known of both."""
    known = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[known], b[known])[0, 1])


def random_poses(count: int, seed: int) -> list[tuple[int, Floats, Floats]]:
    """Frames of as many people, each at a random moment of a random movement."""
    frames = []
    for number in range(count):
        movement = sample_motion(seed * count + number, 50, 25)
        frames.append((number, movement.motion[25], movement.gaze[25]))
    return frames


def uniform_poses(count: int, seed: int) -> list[tuple[int, Floats, Floats]]:
    """Frames of as many people who do nothing but hold their head: pitch and roll to ±25°, yaw to ±35°."""
    random = np.random.default_rng(seed)
    vectors = np.zeros((count, NUM_MOTION_PARAMS), np.float32)
    limits = np.radians((25, 35, 25)) / POSE_SCALE
    vectors[:, -len(POSE_ANGLES) :] = random.uniform(-limits, limits, (count, len(limits)))
    return [(number, vector, np.zeros(2, np.float32)) for number, vector in enumerate(vectors)]


def single_units(unit: int, identities: int) -> list[tuple[int, Floats, Floats]]:
    """Frames of people who do nothing but one action unit, at five strengths."""
    frames = []
    for seed in range(identities):
        for strength in (0, 0.25, 0.5, 0.75, 1):
            vector = np.zeros(NUM_MOTION_PARAMS, np.float32)
            vector[unit] = strength
            frames.append((seed, vector, np.zeros(2, np.float32)))
    return frames


def identity_auc(identities: int, frames: int, size: int = 256) -> float:
    """Area under the ROC curve of the identity network: pictures of one person against those of two.

    Args:
        identities: number of people.
        frames: pictures of each, at random moments of random movements, each in a scene of its own.
        size: side of the pictures.
    """
    pictures, points, owners = [], [], []
    with FaceAnalyzer(single_images=True) as analyzer:
        for seed in range(identities):
            for number in range(frames):
                clip = 1000 * seed + number
                movement = sample_motion(clip, 50, 25)
                frame = render(
                    sample_identity(seed),
                    movement.motion[25],
                    size,
                    gaze=movement.gaze[25],
                    scene=sample_scene(clip),
                    noise_seed=number,
                )
                faces = analyzer(frame.image)
                if faces:
                    pictures.append(frame.image)
                    points.append(normalize_points(faces[0].landmarks, size))
                    owners.append(seed)
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) / 127.5 - 1
    marks = torch.from_numpy(np.stack(points)).float()
    with torch.inference_mode():
        embedder = IdentityEmbedder()
        batches = (slice(start, start + BATCH) for start in range(0, len(owners), BATCH))
        embeddings = torch.cat([embedder(images[batch], marks[batch]) for batch in batches])
        unit = torch.nn.functional.normalize(embeddings).numpy()
    likeness = unit @ unit.T
    same = np.equal.outer(owners, owners)
    pairs = np.triu(np.ones_like(same), 1)
    return auc(likeness[same & pairs], likeness[~same & pairs])


def auc(positive: Floats, negative: Floats) -> float:
    """Chance that a positive is greater than a negative (Mann and Whitney's U)."""
    ranks = rankdata(np.concatenate((positive, negative)))[: len(positive)]
    return float((ranks.sum() / len(positive) - (len(positive) + 1) / 2) / len(negative))


def measure(identities: int) -> Table:
    """All figures: every person at four random moments, a quarter of them with each action unit alone.

    "rise" is how much more of the unit is measured at full strength than at rest: a unit that correlates but
    hardly rises is not what is seen.

    Args:
        identities: number of people, 2 or more.
    """
    began = time.perf_counter()
    seen = _look([frame for seed in range(4) for frame in random_poses(identities, seed)], "poses")
    even = _look([frame for seed in range(4) for frame in uniform_poses(identities, seed)], "even poses")
    models, units = max(identities // 4, 2), len(ACTION_UNITS)
    alone = _look([frame for unit in range(units) for frame in single_units(unit, models)], "action units")
    with Console(stderr=True).status("identities"):
        likeness = identity_auc(identities, 4)

    table = Table("figure", "all people", "within a person", "rise", box=box.MARKDOWN)
    one, frontal = seen.found == 1, np.abs(seen.true[:, MOTION_NAMES.index("yaw")]) <= FRONTAL
    table.add_row("one face found, yaw up to 30°", f"{100 * one[frontal].mean():.1f} %")
    table.add_row("one face found, any pose", f"{100 * one.mean():.1f} %")
    for poses, what in ((seen, "movements"), (even, "even poses")):
        table.add_row(f"landmark error, {what}", f"{100 * np.nanmean(poses.error):.1f} %")
        for name in POSE_ANGLES:
            column = MOTION_NAMES.index(name)
            agreement = correlation(poses.true[:, column], poses.measured[:, column])
            table.add_row(f"correlation, {name}, {what}", f"{agreement:.3f}")
    for unit, name in enumerate(ACTION_UNITS):
        true, measured = (
            values.reshape(units, models, -1, NUM_MOTION_PARAMS)[unit, ..., unit]
            for values in (alone.true, alone.measured)
        )
        within = np.mean([correlation(*pair) for pair in zip(true, measured, strict=True)])
        rise = np.nanmean(measured[:, -1] - measured[:, 0])
        table.add_row(
            f"correlation, {name} alone", f"{correlation(true, measured):.2f}", f"{within:.2f}", f"{rise:.2f}"
        )
    table.add_row("area under the ROC curve, identity", f"{likeness:.3f}")
    table.caption = f"{identities} people, {time.perf_counter() - began:.0f} s"
    return table


def _look(frames: list[tuple[int, Floats, Floats]], title: str) -> Seen:
    """Shows frames to MediaPipe with a progress bar."""
    # Person by person, as each takes long to build.
    order = np.argsort([seed for seed, _, _ in frames], kind="stable")
    console = Console(stderr=True)
    seen = look(track([frames[i] for i in order], title, console=console, transient=True))
    back = np.argsort(order)
    return Seen(*(values[back] for values in seen))


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.synthetic.fidelity", description=__doc__)
    parser.add_argument("--identities", type=int, default=64, help="number of people, 2 or more")
    identities = parser.parse_args().identities
    if identities < 2:
        parser.error(f"cannot tell {identities} people apart: --identities must be 2 or more")
    Console().print(measure(identities))
    return 0


if __name__ == "__main__":
    sys.exit(main())
