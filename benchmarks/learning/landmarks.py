"""What the landmark transformer learnt: across people kept out, against the true answer.

``python benchmarks/learning/landmarks.py --videos data/synthetic/videos --data data/synthetic/prepared
--checkpoint runs/learning/landmark_transform/checkpoints/last.ckpt --out DIR``

The true answer is the source's person, filmed by the source's camera, with the driver's motion
(:class:`facegan.evaluation.ground_truth.GroundTruthReenactments`).
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    # One thread is fastest; numpy's library reads this when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
import torch
from rich.progress import track

from facegan.data import FaceCrops
from facegan.evaluation.ground_truth import GroundTruthReenactments
from facegan.geometry.landmarks import EDGES, denormalize_points
from facegan.io.image_grid import make_image_grid
from facegan.io.images import tensor_to_images, write_image
from facegan.networks import LandmarkTransformer
from facegan.stages.checkpoints import StageCheckpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Image = NDArray[np.uint8]

METHODS = {"transformer": "L_T", "driver": "the driver's landmarks", "source": "the source's landmarks"}
GOALS = {"driver": 0.35, "source": 0.25}
"""Largest error of L_T that is good, as a share of that of other methods."""
DRAWS = 2000
"""Of the bootstrap."""
ROWS, SIZE = 8, 256
"""Of the picture: pairs, and pixels of a crop."""
TRUE, MADE, DRIVEN = (255, 255, 255), (255, 60, 60), (70, 150, 255)


def main() -> None:
    """Writes ``landmarks.json``, ``landmarks.md`` and ``landmarks.png``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, required=True, help="folder that facegan synthesize wrote")
    parser.add_argument("--data", type=Path, required=True, help="data set prepared from them")
    parser.add_argument("--checkpoint", type=Path, required=True, help="of stage 1")
    parser.add_argument("--out", type=Path, required=True, help="folder for table and picture")
    parser.add_argument("--pairs", type=int, default=500, help="test pairs of two people")
    parser.add_argument("--seed", type=int, default=0, help="of the pairs")
    given = parser.parse_args()
    crops = FaceCrops(given.data, "test")
    truth = GroundTruthReenactments(given.videos, crops, SIZE)
    pairs = cross_pairs(crops.identity, given.pairs, given.seed)
    answers = [truth.render(*pair) for pair in track(pairs.tolist(), "true answers")]
    points = np.stack([landmarks for _, landmarks in answers])
    sources, drivers = pairs.T
    found = {
        "transformer": transform(given.checkpoint, crops.landmarks[sources], crops.motion[drivers]),
        "driver": crops.landmarks[drivers],
        "source": crops.landmarks[sources],
    }
    errors = {
        name: np.linalg.norm(landmarks - points, axis=-1).mean(axis=1) for name, landmarks in found.items()
    }
    results = summarize(errors, crops.identity[sources])
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "landmarks.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (given.out / "landmarks.md").write_text(table(results), encoding="utf-8")
    rows = [
        row(crops, (sources[number], drivers[number]), found["transformer"][number], answers[number])
        for number in np.linspace(0, len(pairs) - 1, ROWS).round().astype(int)
    ]
    titles = ["source", "driver", "the driver's l_d", "transformed l_t", "true answer"]
    write_image(given.out / "landmarks.png", make_image_grid(np.array(rows), titles))


def cross_pairs(identity: NDArray[np.str_], count: int, seed: int) -> NDArray[np.intp]:
    """Indices of source and driver, count×2: random crops of two people, in the order of the sources."""
    random = np.random.default_rng(seed)
    pairs = random.integers(len(identity), size=(2 * count + 100, 2))
    other = identity[pairs[:, 0]] != identity[pairs[:, 1]]
    # A person takes a second to build and is kept for a while.
    chosen: NDArray[np.intp] = np.array(sorted(pairs[other][:count].tolist()))
    return chosen


@torch.no_grad()
def transform(checkpoint: Path, source: Floats, motion: Floats) -> Floats:
    """l_t of the trained network, N×68×2."""
    stage = StageCheckpoint(checkpoint, "LandmarkTransformStage")
    network = LandmarkTransformer(**stage.config)
    network.load_state_dict(stage.weights("network"))
    moved: Floats = network(torch.from_numpy(source), torch.from_numpy(motion)).numpy()
    return moved


def summarize(errors: dict[str, Floats], identity: NDArray[np.str_]) -> dict[str, Any]:
    """Mean errors and L_T's share of the others', with 95 % intervals: sources' identities are drawn anew."""
    people, owner = np.unique(identity, return_inverse=True)
    random = np.random.default_rng(0)
    drawn = random.multinomial(len(people), np.full(len(people), 1 / len(people)), size=DRAWS)
    weights = drawn[:, owner]
    spread = {name: weights @ values / weights.sum(axis=1) for name, values in errors.items()}
    results: dict[str, Any] = {"pairs": len(identity), "people": len(people), "errors": {}, "ratios": {}}
    for name, values in errors.items():
        interval = np.percentile(spread[name], (2.5, 97.5)).tolist()
        results["errors"][name] = {"mean": float(values.mean()), "interval": interval}
    for name, goal in GOALS.items():
        ratio = float(errors["transformer"].mean() / errors[name].mean())
        interval = np.percentile(spread["transformer"] / spread[name], (2.5, 97.5)).tolist()
        results["ratios"][name] = {"mean": ratio, "interval": interval, "goal": goal, "met": ratio <= goal}
    return results


def table(results: dict[str, Any]) -> str:
    """The results in Markdown."""
    lines = [f"{results['pairs']} pairs of {results['people']} people kept out", ""]
    lines += ["| landmarks | error | 95 % interval | L_T's share of it | 95 % interval | goal |"]
    lines += ["|---|---|---|---|---|---|"]
    for name, title in METHODS.items():
        error, ratio = results["errors"][name], results["ratios"].get(name)
        low, high = error["interval"]
        cells = [title, f"{error['mean']:.4f}", f"{low:.4f} to {high:.4f}", "", "", ""]
        if ratio:
            low, high = ratio["interval"]
            goal = f"at most {ratio['goal']:.0%}: {'met' if ratio['met'] else 'missed'}"
            cells[3:] = [f"{ratio['mean']:.1%}", f"{low:.1%} to {high:.1%}", goal]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def row(crops: FaceCrops, pair: tuple[int, int], made: Floats, answer: tuple[Image, Floats]) -> list[Image]:
    """Source, driver, and the true picture with the driver's landmarks, with L_T's, and as it is."""
    seen = [tensor_to_images(crops.picture(index)[None])[0] for index in pair]
    enlarged = [cv2.resize(image, (SIZE, SIZE)).astype(np.uint8) for image in seen]
    picture, points = answer
    true = draw(picture, points, TRUE)
    compared = [draw(true, crops.landmarks[pair[1]], DRIVEN), draw(true, made, MADE)]
    return [*enlarged, *compared, picture]


def draw(image: Image, points: Floats, color: tuple[int, int, int]) -> Image:
    """A copy with contours drawn into it, to the fraction of a pixel."""
    fine = np.rint(16 * denormalize_points(points, SIZE)).astype(int)
    drawn = image.copy()
    for first, second in EDGES:
        cv2.line(drawn, fine[first].tolist(), fine[second].tolist(), color, 1, cv2.LINE_AA, shift=4)
    return drawn


if __name__ == "__main__":
    main()
