"""How exact an outline the overlap of hair asks for: what answers get that are nearly the truth.

``python benchmarks/learning/hair.py --data data/synthetic/prepared --out DIR`` measures labels alone, on the
pairs that ``pictures.py`` takes; no model is needed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from facegan.data import FaceCrops, ValidationPairs
from facegan.perception.parsing import HAIR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.uint8]


def main() -> None:
    """Measures, prints and writes ``hair.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set")
    parser.add_argument("--out", type=Path, required=True, help="folder for the table")
    parser.add_argument("--pairs", type=int, default=400, help="test pairs")
    given = parser.parse_args()
    crops = FaceCrops(given.data, "test")
    pairs = ValidationPairs(crops, given.pairs).indices
    common: dict[str, int] = {}
    either: dict[str, int] = {}
    for source, driver in pairs:
        hair = crops.labels(int(driver)) == HAIR
        answers = {"the source's own": crops.labels(int(source)) == HAIR, **nearly(hair)}
        for name, answer in answers.items():
            common[name] = common.get(name, 0) + int((answer & hair).sum())
            either[name] = either.get(name, 0) + int((answer | hair).sum())
    found = {name: common[name] / either[name] for name in common}
    given.out.mkdir(parents=True, exist_ok=True)
    result = {"pairs": len(pairs), "size": crops.size, "hair_iou": found}
    (given.out / "hair.json").write_text(json.dumps(result, indent=2) + "\n")
    for name, overlap in found.items():
        print(f"{overlap:.3f}  {name}")


def nearly(hair: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
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
