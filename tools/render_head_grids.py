"""Render the images of docs/synthetic.md: identities in several expressions, and the action units.

python tools/render_head_grids.py --out docs
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    # One thread is fastest; NumPy's library reads this when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from PIL import Image

from facegan.geometry.motion import NUM_MOTION_PARAMS, edit_motion
from facegan.io.image_grid import make_image_grid
from synthetic_heads import Camera, render, sample_identity, sample_scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

IDENTITIES = (43, 26, 59, 49, 25, 14, 62, 36)
"""Seeds of identities that differ much."""
AU_IDENTITIES = (43, 36)
"""Seeds of identities with nothing in front of the face."""
IDENTITY_SIZE, AU_SIZE = 192, 144
FACES: dict[str, tuple[dict[str, float], tuple[float, float]]] = {
    "at rest": ({}, (0, 0)),
    "talking": ({"AU25": 0.8, "AU26": 0.35, "AU20": 0.3, "yaw": -9, "roll": 4}, (-0.12, 0)),
    "laughing": ({"AU06": 0.9, "AU07": 0.4, "AU12": 1, "AU25": 0.8, "AU26": 0.3, "pitch": -5}, (0, 0)),
    "surprised": ({"AU01": 1, "AU02": 1, "AU05": 0.9, "AU25": 0.7, "AU26": 0.8}, (0, 0)),
    "angry": ({"AU04": 1, "AU05": 0.5, "AU07": 0.4, "AU17": 0.4, "AU23": 0.8, "pitch": 8}, (0, -0.1)),
    "sad": ({"AU01": 0.9, "AU04": 0.5, "AU15": 1, "AU17": 0.5, "pitch": 6, "roll": -9}, (0.1, 0.15)),
    "eyes closed": ({"AU45": 1, "yaw": 26, "pitch": 8, "roll": 5}, (0, 0)),
    "side glance": ({"AU02": 0.4, "AU14": 0.5, "yaw": -42, "pitch": -16}, (-0.45, 0.1)),
}
"""Title to the motion parameters, action units 0..1 and angles in degrees, and the gaze in radians."""
UNITS = {
    "AU01": "inner brow raiser",
    "AU02": "outer brow raiser",
    "AU04": "brow lowerer",
    "AU05": "upper lid raiser",
    "AU06": "cheek raiser",
    "AU07": "lid tightener",
    "AU09": "nose wrinkler",
    "AU10": "upper lip raiser",
    "AU12": "lip corner puller",
    "AU14": "dimpler",
    "AU15": "lip corner depressor",
    "AU17": "chin raiser",
    "AU20": "lip stretcher",
    "AU23": "lip tightener",
    "AU25": "lips part",
    "AU26": "jaw drop",
    "AU45": "blink",
}
"""Names in the Facial Action Coding System."""
INTENSITIES = (0, 0.25, 0.5, 0.75, 1)
CLOSE_UP = Camera(distance=90, focal=90 / 20, center=(0.5, 0.42))
"""Camera that frames 20 cm: the face without the hair."""
JPEG_QUALITY = 88


def draw_identities() -> NDArray[np.uint8]:
    """Draw identities, each in its own scene, in rows and FACES in columns."""
    rows = [
        [
            render(sample_identity(seed), to_motion(values), IDENTITY_SIZE, gaze=gaze).image
            for values, gaze in FACES.values()
        ]
        for seed in IDENTITIES
    ]
    return make_image_grid(np.array(rows), list(FACES))


def draw_action_units() -> NDArray[np.uint8]:
    """Draw action units in rows and INTENSITIES in columns, the second half of the units on the right."""
    names = list(UNITS)
    middle = -(-len(names) // 2)
    blocks = []
    for seed, units in zip(AU_IDENTITIES, (names[:middle], names[middle:]), strict=True):
        identity, scene = sample_identity(seed), replace(sample_scene(seed), camera=CLOSE_UP)
        rows = [
            [render(identity, to_motion({name: x}), AU_SIZE, scene=scene).image for x in INTENSITIES]
            for name in units
        ]
        labels = [f"{UNITS[name]} {name}" for name in units]
        blocks.append(make_image_grid(np.array(rows), [f"{x:g}" for x in INTENSITIES], labels))
    height = max(len(block) for block in blocks)
    padded = [np.pad(b, ((0, height - len(b)), (0, 0), (0, 0)), constant_values=255) for b in blocks]
    return np.concatenate(padded, axis=1)


def to_motion(values: Mapping[str, float]) -> NDArray[np.float32]:
    """Convert named values to a motion vector."""
    motion: NDArray[np.float32] = edit_motion(torch.zeros(NUM_MOTION_PARAMS), values).numpy()
    return motion


def main() -> None:
    """Write both images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the images")
    out = parser.parse_args().out
    for name, image in (("heads.jpg", draw_identities()), ("action_units.jpg", draw_action_units())):
        Image.fromarray(image).save(out / name, quality=JPEG_QUALITY, optimize=True)


if __name__ == "__main__":
    main()
