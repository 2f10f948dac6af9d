"""How exact an outline the overlap of hair asks for, and what a trained stage 2 reaches.

``python benchmarks/learning/hair.py --data data/synthetic/prepared --checkpoint
runs/learning/reenact/checkpoints/last.ckpt --out DIR`` measures, on the pairs that ``pictures.py`` takes,
labels that are nearly the truth, and S_fr: by how far the head turns, where the source's own pose is asked
for, and on as many pairs of people who were learnt from. It also tells how many of the errors touch the
outline.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from facegan.data import FaceCrops, ValidationPairs
from facegan.data.pair_datasets import rotation_angle_deg
from facegan.geometry.landmarks import draw_gaussians
from facegan.geometry.segmentation import HAIR
from facegan.networks import FaceReenactor, GeneratorConfig
from facegan.stages.checkpoints import StageCheckpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facegan.data import FacePair

    Mask = NDArray[np.bool_]

TURNS = (0, 5, 10, 20, 180)
"""Degrees between which the pairs are counted together."""


def main() -> None:
    """Measures, prints and writes ``hair.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set")
    parser.add_argument("--checkpoint", type=Path, required=True, help="of stage 2")
    parser.add_argument("--size", type=int, help="of its pictures, where that is not the data's")
    parser.add_argument("--out", type=Path, required=True, help="folder for the table")
    parser.add_argument("--pairs", type=int, default=400, help="pairs of each kind of people")
    given = parser.parse_args()
    stage = StageCheckpoint(given.checkpoint, "ReenactStage")
    network = FaceReenactor(GeneratorConfig(**stage.config["generator"])).eval()
    network.load_state_dict(stage.weights("network"))
    common: dict[str, int] = defaultdict(int)
    either: dict[str, int] = defaultdict(int)
    wrong: dict[str, list[int]] = defaultdict(list)
    for split, people in (("test", "kept out"), ("train", "learnt from")):
        crops = FaceCrops(given.data, split, given.size)
        for pair in ValidationPairs(crops, given.pairs, align_background=False):
            own, hair = (
                (getattr(pair, f"{role}_segmentation") == HAIR).numpy() for role in ("source", "driving")
            )
            for truth, role, asked in ((hair, "driving", ""), (own, "source", " unmoved")):
                heatmap = draw_gaussians(
                    getattr(pair, f"{role}_landmarks")[None], crops.size, stage.config["sigma"]
                )
                with torch.inference_mode():
                    _, logits = network(pair.source_image[None], heatmap)
                painted = (logits[0].argmax(dim=0) == HAIR).numpy()
                answers = {f"S_fr, people {people}{asked}": painted}
                if role == "driving":
                    answers[f"S_fr, people {people}, {turned(pair)}"] = painted
                    errors = painted != truth
                    wrong[people] += [int(errors.sum()), int((errors & touching(truth)).sum())]
                if split == "test" and role == "driving":
                    answers["the source's own"] = own
                    answers |= nearly(truth)
                for name, answer in answers.items():
                    common[name] += int((answer & truth).sum())
                    either[name] += int((answer | truth).sum())
    found = {name: common[name] / either[name] for name in sorted(common)}
    shares = {people: sum(counts[1::2]) / sum(counts[::2]) for people, counts in wrong.items()}
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "hair.json").write_text(
        json.dumps({"pairs": given.pairs, "hair_iou": found, "errors_at_the_outline": shares}, indent=2)
        + "\n"
    )
    for name, overlap in found.items():
        print(f"{overlap:.3f}  {name}")
    for people, share in shares.items():
        print(f"{share:.3f}  of the errors of people {people} are in pixels that touch the outline")


def turned(pair: FacePair) -> str:
    """Between which of ``TURNS`` a head turns from source to driver."""
    angle = rotation_angle_deg(pair.source_motion[None].numpy(), pair.driving_motion.numpy()).item()
    low, high = next(between for between in pairwise(TURNS) if angle <= between[1])
    return f"turned by {low:02} to {high:02} degrees"


def touching(mask: Mask) -> Mask:
    """The pixels with a neighbor, of eight, on the other side of the outline."""
    filled, around = mask.astype(np.uint8), np.ones((3, 3), np.uint8)
    return cv2.dilate(filled, around) != cv2.erode(filled, around)


def nearly(hair: Mask) -> dict[str, Mask]:
    """The truth as other outlines have it."""
    filled = hair.astype(np.uint8) * 255
    answers = {
        f"the truth, smoothed by a median of {side} pixels": cv2.medianBlur(filled, side) for side in (3, 5)
    }
    half = cv2.resize(filled[::2, ::2], filled.shape, interpolation=cv2.INTER_NEAREST)
    answers["the truth at half the size"] = half
    for pixels in (0.5, 1.0):
        move = np.array([[1, 0, pixels], [0, 1, pixels]], np.float32)
        answers[f"the truth, {pixels} pixels off in both directions"] = cv2.warpAffine(
            filled, move, filled.shape[::-1], flags=cv2.INTER_LINEAR
        )
    answers["the truth, grown by a pixel"] = cv2.dilate(filled, np.ones((3, 3), np.uint8))
    return {name: answer > 127 for name, answer in answers.items()}


if __name__ == "__main__":
    main()
