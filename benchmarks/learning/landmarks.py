"""Error of the landmark transformer on pairs of held-out synthetic identities.

``python benchmarks/learning/landmarks.py --videos data/synthetic/videos --data data/synthetic/prepared
--checkpoint runs/learning/landmark_transform/checkpoints/last.ckpt`` compares with the landmarks of
ground-truth reenactments.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    # One thread is fastest; NumPy's library reads this when it is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from rich.progress import track

from facegan.data import FaceCrops
from facegan.evaluation.ground_truth import GroundTruthReenactments
from facegan.metrics.bootstrap import bootstrap_interval
from facegan.networks import LandmarkTransformer
from facegan.stages.checkpoints import StageCheckpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


def main() -> None:
    """Print the errors as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, required=True, help="output of facegan synthesize")
    parser.add_argument("--data", type=Path, required=True, help="data set prepared from it")
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint of stage 1")
    parser.add_argument("--pairs", type=int, default=500, help="test pairs of different identities")
    parser.add_argument("--seed", type=int, default=0, help="seed of the pairs")
    options = parser.parse_args()
    crops = FaceCrops(options.data, "test")
    ground_truth = GroundTruthReenactments(options.videos, crops)
    pairs = sample_pairs(crops.identity, options.pairs, options.seed)
    target = np.stack([ground_truth.render(*pair)[1] for pair in track(pairs.tolist(), "ground truth")])
    source, driving = pairs.T
    predictions = {
        "transformed by L_T": transform(options.checkpoint, crops.landmarks[source], crops.motion[driving]),
        "of the driving frame": crops.landmarks[driving],
        "of the source": crops.landmarks[source],
    }
    errors = {
        name: np.linalg.norm(landmarks - target, axis=-1).mean(axis=1)
        for name, landmarks in predictions.items()
    }
    print_table(errors, crops.identity[source])


def sample_pairs(identity: NDArray[np.str_], count: int, seed: int) -> NDArray[np.intp]:
    """Draw random crops of two identities; count×2 indices of source and driving frame."""
    random = np.random.default_rng(seed)
    pairs = random.integers(len(identity), size=(2 * count + 100, 2))
    other = identity[pairs[:, 0]] != identity[pairs[:, 1]]
    # Sorted, because building an identity takes a second and the last ones are cached.
    return np.array(sorted(pairs[other][:count].tolist()), np.intp)


@torch.no_grad()
def transform(checkpoint: Path, source: Floats, motion: Floats) -> Floats:
    """Transform landmarks N×68×2 by the trained network."""
    stage = StageCheckpoint(checkpoint, "LandmarkTransformStage")
    network = LandmarkTransformer(**stage.config)
    network.load_state_dict(stage.weights("network"))
    transformed: Floats = network(torch.from_numpy(source), torch.from_numpy(motion)).numpy()
    return transformed


def print_table(errors: dict[str, Floats], identity: NDArray[np.str_]) -> None:
    """Print mean errors with 95 % intervals over the source identities."""
    print(f"{len(identity)} pairs of {len(np.unique(identity))} held-out source identities\n")
    print("| landmarks | error ↓ | 95 % interval | error of L_T relative to it |\n|---|---|---|---|")
    transformed = next(iter(errors.values()))
    for name, values in errors.items():
        low, high = bootstrap_interval(values, identity)
        ratio = "" if values is transformed else f"{100 * transformed.mean() / values.mean():.1f} %"
        print(f"| {name} | {values.mean():.4f} | {low:.4f} to {high:.4f} | {ratio} |")


if __name__ == "__main__":
    main()
