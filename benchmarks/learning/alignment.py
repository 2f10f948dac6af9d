"""The moved head before any training, and without each of its parts.

``python benchmarks/learning/alignment.py --data data/videos/prepared`` prints the distances to the driving
frame's head, relative to copying the source, and ED. The driving frame's own landmarks are used.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import numpy as np
import torch

from facegan.data import FaceCrops, ValidationPairs
from facegan.data.face_pair import collate_pairs
from facegan.geometry import head_alignment
from facegan.geometry.landmarks import NUM_LANDMARKS
from facegan.geometry.motion import ACTION_UNITS
from facegan.io.images import tensor_to_images
from facegan.metrics.bootstrap import bootstrap_interval
from facegan.networks.compositing import mask_background, mask_head
from facegan.perception.face_measurer import MetricBackends
from facegan.stages.perceptual_loss import PerceptualLoss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from facegan.data import FacePair

VARIANTS: Mapping[str, Mapping[str, object]] = {
    "moved head": {},
    "without the ring": {"RING_WEIGHT": 1e-6},
    "without the mirrored source": {"MIRROR_CONFIDENCE": (-2.0, -1.0)},
    "without weight of eyes and lips": {"LANDMARK_WEIGHTS": torch.ones(NUM_LANDMARKS)},
    "without the inside of the mouth": {"unseen_opening": lambda source, _: source.new_zeros(len(source))},
}
"""Name to the values that are replaced in the module."""
COPY = "source copied"
BATCH = 16


def main() -> None:
    """Print a table: MSE and perceptual distance relative to copying, and ED with its interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set")
    parser.add_argument("--split", default="test", help="whose identities: train, val or test")
    parser.add_argument("--size", type=int, default=128, help="image size")
    parser.add_argument("--pairs", type=int, default=240)
    options = parser.parse_args()
    crops = FaceCrops(options.data, options.split, options.size)
    pairs = ValidationPairs(crops, options.pairs, align_background=False)
    identities = crops.identity[[driving for _, driving in pairs.indices]]
    values: dict[str, list[np.ndarray]] = {name: [] for name in (COPY, *VARIANTS)}
    perceptual = PerceptualLoss("identity")
    with torch.inference_mode(), MetricBackends().open() as measurer:
        for start in range(0, len(pairs), BATCH):
            batch = collate_pairs([pairs[i] for i in range(start, min(start + BATCH, len(pairs)))])
            target = mask_head(batch.driving_image, batch.driving_segmentation)
            background = mask_background(batch.driving_image, batch.driving_segmentation)
            expected = measurer.analyze(tensor_to_images(batch.driving_image)).motion
            for name, rows in values.items():
                head = move_head(batch, name)
                face = batch.source_image if name == COPY else head + background
                found = measurer.analyze(tensor_to_images(face.clamp(-1, 1))).motion
                squared = np.square(found - expected)[:, : len(ACTION_UNITS)]
                mse = (head - target).square().mean(dim=(1, 2, 3)).numpy()
                distance = perceptual.distances(head, target).numpy()
                rows.append(np.stack((mse, distance, squared.mean(axis=1)), axis=1))
    copied = np.concatenate(values[COPY]).mean(axis=0)
    print("  MSE  perceptual  ED (95 % interval)")
    for name, rows in values.items():
        table = np.concatenate(rows)
        mse, distance, ed = np.nanmean(table, axis=0)
        low, high = bootstrap_interval(table[:, 2], identities)
        relative = f"{mse / copied[0]:5.1%}  {distance / copied[1]:10.1%}"
        print(f"{relative}  {ed:.4f} ({low:.4f} to {high:.4f})  {name}")


def move_head(pair: FacePair, name: str) -> Tensor:
    """Return the source's head, moved or copied."""
    if name == COPY:
        return mask_head(pair.source_image, pair.source_segmentation)
    with ExitStack() as replaced:
        for attribute, value in VARIANTS[name].items():
            replaced.enter_context(patch.object(head_alignment, attribute, value))
        return head_alignment.align_head(pair.source, pair.driving_landmarks, pair.driving_motion).image


if __name__ == "__main__":
    main()
