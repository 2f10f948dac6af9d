"""What the picture stages learnt, on people kept out: a table and a picture.

``python benchmarks/learning/pictures.py --data data/synthetic/prepared --runs runs/learning --out DIR``
reads what ``train.py`` left in ``runs/learning``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from PIL import Image

from facegan.data.face_pair import collate_pairs
from facegan.io.image_grid import make_image_grid
from facegan.io.images import tensor_to_images
from facegan.stages import JointData, JointStage
from facegan.stages.validation_metrics import masked_mse

ROWS = 8
GOALS = {
    "mse": ("mse/copy_source", 0.5),
    "perceptual": ("perceptual/copy_source", 0.5),
    "background_mse": ("background_mse/copy_source", 1.2),
}
"""A measure, what it is compared with, and the largest ratio that is good."""
LEAST = {"face_iou": 0.85, "hair_iou": 0.85, "mask_on_head": 0.9}
MOST = {"mask_on_background": 0.1}


def main() -> None:
    """Measures the stages put in a row, and the joint stage that began there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set")
    parser.add_argument("--runs", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder for table and picture")
    parser.add_argument("--pairs", type=int, default=400, help="test pairs")
    given = parser.parse_args()
    stage = JointStage(
        *(
            given.runs / name / "checkpoints/last.ckpt"
            for name in ("landmark_transform", "reenact", "background_mix")
        ),
        perceptual_network="identity",
    )
    data = JointData(given.data, size=128, batch_size=8, validation_pairs=given.pairs)
    trainer = pl.Trainer(logger=False, accelerator="auto", devices=1, enable_model_summary=False)
    (separate,) = trainer.test(stage, data, verbose=False)
    checkpoint = given.runs / "joint/checkpoints/last.ckpt"
    (joint,) = trainer.test(stage, data, ckpt_path=checkpoint, weights_only=True, verbose=False)
    head = true_head(stage, data)
    given.out.mkdir(parents=True, exist_ok=True)
    results = {"pairs": given.pairs, "true_head": head, "separate": separate, "joint": joint}
    (given.out / "pictures.json").write_text(json.dumps(results, indent=2) + "\n")
    (given.out / "pictures.md").write_text(table(head, separate, joint))
    Image.fromarray(sheet(stage.eval(), data)).save(given.out / "pictures.png")


@torch.no_grad()
def true_head(stage: JointStage, data: JointData) -> dict[str, float]:
    """What is left of the measures when only the background is the source's: what moves there.

    Truth where the driver's or the source's head is, the source's aligned background elsewhere.
    """
    values: dict[str, list[float]] = {"mse": [], "perceptual": []}
    for pair in data.test_dataloader():
        truth = pair.driving_image
        head = (pair.driving_segmentation > 0) | (pair.background_segmentation > 0)
        answer = torch.where(head[:, None], truth, pair.background_image)
        values["mse"] += masked_mse(answer, truth).tolist()
        values["perceptual"] += stage.perceptual.distances(answer, truth).tolist()
    return {name: float(np.mean(numbers)) for name, numbers in values.items()}


def table(head: dict[str, float], separate: dict[str, float], joint: dict[str, float]) -> str:
    """The measures in Markdown, with half the width of the 95 % interval."""
    lines = ["| measure | copying the source | true head | stages in a row | joint | of copying | goal |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for name, (reference, largest) in GOALS.items():
        naive = joint[f"test/{reference}"]
        ratio = f"{joint[f'test/{name}'] / naive:.2f}"
        best = f"{head[name]:.4f}" if name in head else ""
        cells = (
            *(f"{naive:.4f}", best, _number(separate, name), _number(joint, name)),
            *(ratio, f"at most {largest}"),
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    goals = {name: f"at least {value}" for name, value in LEAST.items()}
    goals |= {name: f"at most {value}" for name, value in MOST.items()}
    for name, goal in goals.items():
        lines.append(f"| {name} | | | {_number(separate, name)} | {_number(joint, name)} | | {goal} |")
    return "\n".join(lines) + "\n"


def _number(measured: dict[str, Any], name: str) -> str:
    return f"{measured[f'test/{name}']:.4f} ± {measured[f'test/{name}/ci95_half_width']:.4f}"


@torch.no_grad()
def sheet(stage: JointStage, data: JointData) -> np.ndarray:
    """Test pairs of different people, with everything on the way to the result."""
    chosen = ((np.arange(ROWS) + 0.5) * len(data.test) / ROWS).astype(int)
    columns = stage.visualize(collate_pairs([data.test[int(index)] for index in chosen]))
    return make_image_grid(
        np.stack([tensor_to_images(pictures) for pictures in columns.values()], axis=1), list(columns)
    )


if __name__ == "__main__":
    main()
