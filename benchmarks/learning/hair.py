"""Hair IoU of a trained stage 2 and of perturbed ground truth.

``python benchmarks/learning/hair.py --data data/synthetic/prepared --checkpoint
runs/learning/reenact/checkpoints/last.ckpt`` uses the pairs of ``self_reenactment.py``, and as many of
training identities.
"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from facegan.data import FaceCrops, ValidationPairs
from facegan.data.pair_datasets import rotation_angle_deg
from facegan.geometry.head_alignment import SourceFace
from facegan.geometry.segmentation import HAIR
from facegan.networks import FaceReenactor, ReenactorConfig, reenact_face
from facegan.stages.checkpoints import StageCheckpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.data import FacePair

    Mask = NDArray[np.bool_]

POSE_CHANGES = (0, 5, 10, 20, 180)
"""Bounds, in degrees, of the classes of head rotation between source and driving frame."""
NEIGHBORHOOD = np.ones((3, 3), np.uint8)


def main() -> None:
    """Print the IoU of each prediction, and the fraction of wrong pixels at the boundary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set")
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint of stage 2")
    parser.add_argument("--size", type=int, help="image size, if not that of the data set")
    parser.add_argument("--pairs", type=int, default=400, help="pairs per split")
    options = parser.parse_args()
    stage = StageCheckpoint(options.checkpoint, "ReenactStage")
    network = FaceReenactor(ReenactorConfig(**stage.config["generator"])).eval()
    network.load_state_dict(stage.weights("network"))
    intersection, union = Counter[str](), Counter[str]()
    wrong, wrong_at_boundary = Counter[str](), Counter[str]()
    for split, identities in (("test", "held-out identities"), ("train", "training identities")):
        crops = FaceCrops(options.data, split, options.size)
        for pair in ValidationPairs(crops, options.pairs, align_background=False):
            source = (pair.source_segmentation == HAIR).numpy()
            target = (pair.driving_segmentation == HAIR).numpy()
            sigma = stage.config["sigma"]
            predicted = predict_hair(network, pair, pair.driving_landmarks, pair.driving_motion, sigma)
            own_pose = predict_hair(network, pair, pair.source_landmarks, pair.source_motion, sigma)
            predictions = {
                identities: (predicted, target),
                f"{identities}, {classify_pose_change(pair)}": (predicted, target),
                f"{identities}, pose of the source": (own_pose, source),
            }
            if split == "test":
                predictions["segmentation of the source"] = (source, target)
                predictions |= {name: (mask, target) for name, mask in perturb(target).items()}
            for name, (preds, expected) in predictions.items():
                intersection[name] += int((preds & expected).sum())
                union[name] += int((preds | expected).sum())
            errors = predicted != target
            wrong[identities] += int(errors.sum())
            wrong_at_boundary[identities] += int((errors & find_boundary(target)).sum())
    for name in sorted(union):
        print(f"{intersection[name] / union[name]:.3f}  {name}")
    for name in wrong:
        print(f"{wrong_at_boundary[name] / wrong[name]:.3f}  of the wrong pixels at the boundary, {name}")


@torch.inference_mode()
def predict_hair(
    network: FaceReenactor, pair: FacePair, landmarks: torch.Tensor, motion: torch.Tensor, sigma: float
) -> Mask:
    """Predict the hair S_fr of the source with given landmarks and head pose; S×S."""
    source = SourceFace(*(part[None] for part in pair.source))
    output = reenact_face(network, source, landmarks[None], motion[None], sigma)
    hair: Mask = (output.segmentation[0].argmax(dim=0) == HAIR).numpy()
    return hair


def classify_pose_change(pair: FacePair) -> str:
    """Name the class of the head rotation between source and driving frame."""
    angle = rotation_angle_deg(pair.source_motion[None].numpy(), pair.driving_motion.numpy()).item()
    low, high = next(bounds for bounds in pairwise(POSE_CHANGES) if angle <= bounds[1])
    return f"pose change {low:02} to {high:02} degrees"


def find_boundary(mask: Mask) -> Mask:
    """Return the pixels with one of their eight neighbors on the other side of the boundary."""
    levels = mask.astype(np.uint8)
    boundary: Mask = cv2.dilate(levels, NEIGHBORHOOD) != cv2.erode(levels, NEIGHBORHOOD)
    return boundary


def perturb(hair: Mask) -> dict[str, Mask]:
    """Shift and dilate the ground truth."""
    levels = hair.astype(np.uint8) * 255
    results = {"ground truth dilated by 1 pixel": cv2.dilate(levels, NEIGHBORHOOD)}
    for pixels in (0.5, 1.0):
        shift = np.array([[1, 0, pixels], [0, 1, pixels]], np.float32)
        results[f"ground truth shifted by {pixels} pixels in x and y"] = cv2.warpAffine(
            levels, shift, levels.shape[::-1], flags=cv2.INTER_LINEAR
        )
    return {name: result > 127 for name, result in results.items()}


if __name__ == "__main__":
    main()
