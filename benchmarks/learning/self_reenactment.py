"""Self-reenactment of held-out identities by the stages of ``train.py``: a table and an image grid.

``python benchmarks/learning/self_reenactment.py --data data/synthetic/prepared --runs runs/learning
--out runs/learning/self_reenactment``
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytorch_lightning as pl
import torch

from facegan.data.face_pair import collate_pairs
from facegan.io.image_grid import make_image_grid
from facegan.io.images import tensor_to_images, write_image
from facegan.stages import JointData, JointStage
from facegan.stages.validation_metrics import masked_mse

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID_ROWS = 8
RATIO_TARGETS = {"mse": 0.5, "perceptual": 0.5, "background_mse": 1.2}
"""Metric to its highest acceptable value relative to copying the source."""
TARGETS = {
    "face_iou": "at least 0.85",
    "hair_iou": "at least 0.85",
    "mask_on_head": "at least 0.9",
    "mask_on_background": "at most 0.1",
}


def main() -> None:
    """Evaluate the sequential stages, and the joint stage that was trained from them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set")
    parser.add_argument("--runs", type=Path, required=True, help="output of train.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for the table and the image grid")
    parser.add_argument("--pairs", type=int, default=400, help="test pairs")
    options = parser.parse_args()
    checkpoints = (
        options.runs / name / "checkpoints/last.ckpt"
        for name in ("landmark_transform", "reenact", "background_mix")
    )
    stage = JointStage(*checkpoints, perceptual_network="identity")
    data = JointData(options.data, size=128, batch_size=8, validation_pairs=options.pairs)
    trainer = pl.Trainer(logger=False, accelerator="auto", devices=1, enable_model_summary=False)
    (sequential,) = trainer.test(stage, data, verbose=False)
    checkpoint = options.runs / "joint/checkpoints/last.ckpt"
    (joint,) = trainer.test(stage, data, ckpt_path=checkpoint, weights_only=True, verbose=False)
    options.out.mkdir(parents=True, exist_ok=True)
    table = format_table(evaluate_ground_truth_head(stage, data), sequential, joint)
    (options.out / "self_reenactment.md").write_text(table)
    write_image(options.out / "self_reenactment.png", draw_grid(stage.eval(), data))


@torch.no_grad()
def evaluate_ground_truth_head(stage: JointStage, data: JointData) -> dict[str, float]:
    """Evaluate the true head over the aligned background of the source.

    Where the head of the source or of the driving frame is, the result is the ground truth; what remains is
    the error by motion of camera and background.
    """
    values: dict[str, list[float]] = {"mse": [], "perceptual": []}
    for pair in data.test_dataloader():
        target = pair.driving_image
        head = (pair.driving_segmentation > 0) | (pair.background_segmentation > 0)
        preds = torch.where(head[:, None], target, pair.background_image)
        values["mse"] += masked_mse(preds, target).tolist()
        values["perceptual"] += stage.reenact.perceptual.distances(preds, target).tolist()
    return {name: float(np.mean(numbers)) for name, numbers in values.items()}


def format_table(head: dict[str, float], sequential: dict[str, Any], joint: dict[str, Any]) -> str:
    """Format the metrics as Markdown; ± is half the width of the 95 % interval."""
    titles = ("metric", "copying the source", "ground-truth head", "sequential stages", "joint")
    lines = [f"| {' | '.join(titles)} | joint / copying | target |", "|---|---|---|---|---|---|---|"]
    for name, target in RATIO_TARGETS.items():
        copying = joint[f"test/{name}/copy_source"]
        ratio = f"{joint[f'test/{name}'] / copying:.2f} | at most {target}"
        composite = f"{head[name]:.4f}" if name in head else ""
        values = f"{_format_value(sequential, name)} | {_format_value(joint, name)}"
        lines.append(f"| {name} | {copying:.4f} | {composite} | {values} | {ratio} |")
    for name, target in TARGETS.items():
        values = f"{_format_value(sequential, name)} | {_format_value(joint, name)}"
        lines.append(f"| {name} | | | {values} | | {target} |")
    return "\n".join(lines) + "\n"


def _format_value(metrics: dict[str, Any], name: str) -> str:
    return f"{metrics[f'test/{name}']:.4f} ± {metrics[f'test/{name}/ci95_half_width']:.4f}"


@torch.no_grad()
def draw_grid(stage: JointStage, data: JointData) -> NDArray[np.uint8]:
    """Draw inputs, intermediate images and results of pairs spread over the test identities."""
    chosen = ((np.arange(GRID_ROWS) + 0.5) * len(data.test) / GRID_ROWS).astype(int)
    columns = stage.visualize(collate_pairs([data.test[int(index)] for index in chosen]))
    images = np.stack([tensor_to_images(column) for column in columns.values()], axis=1)
    return make_image_grid(images, list(columns))


if __name__ == "__main__":
    main()
