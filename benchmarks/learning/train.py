"""Trains all stages for the proof of learning, by the commands that a user would type.

``python benchmarks/learning/train.py --videos data/synthetic/videos --data data/synthetic/prepared
--out runs/learning``
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

EPOCHS = {
    "1_landmark_transform": 32,
    "2_reenact_128": 16,
    "2_reenact": 4,
    "3_background_mix": 3,
    "4_joint": 2,
}
BATCHES = 600
"""Of an epoch; stage 1 takes all."""
STARTS_FROM = {
    "2_reenact": {"global": "reenact_128"},
    "3_background_mix": {"reenact": "reenact"},
    "4_joint": {"landmark": "landmark_transform", "reenact": "reenact", "background": "background_mix"},
}
"""The checkpoints that a stage needs, and the folders of their runs."""

ABLATION = "joint_without_lt"


def main() -> None:
    """Four stages, the ablation without L_T, both as models, compared; stops at the first failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set of 128 pixels")
    parser.add_argument("--videos", type=Path, required=True, help="drawn people that it was prepared from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--pairs", type=int, default=400, help="pairs of each protocol of the evaluation")
    parser.add_argument("--share", type=float, default=1.0, help="of the epochs")
    parser.add_argument(
        "--lite", action="store_true", help="generators of stages/lite/, and no model without L_T"
    )
    given = parser.parse_args()
    overlays = ("small", "lite") if given.lite else ("small",)
    models = {"lite" if given.lite else "facegan": given.out / "joint"}
    for stage in EPOCHS:
        fit(stage, given, overlays)
    if not given.lite:
        fit("4_joint", given, overlays, ABLATION, "--model.init_args.transform_landmarks=false")
        models["without L_T"] = given.out / ABLATION
    for run in models.values():
        facegan("bundle", str(run / "checkpoints/last.ckpt"), "--out", str(run / "model"), "--overwrite")
    named = [f"{name}={run / 'model'}" for name, run in models.items()]
    facegan(
        *("evaluate", "--model", *named, "--data", str(given.data), "--truth", str(given.videos)),
        *("--pairs", str(given.pairs), "--out", str(given.out / "evaluation"), "--overwrite"),
    )


def fit(stage: str, given: argparse.Namespace, overlays: tuple[str, ...], run: str = "", *extra: str) -> None:
    """Trains a stage into ``out/run``, unless it is done; goes on where it stopped."""
    run = run or stage.partition("_")[2]
    out = given.out
    done = out / run / "done"
    if done.exists():
        return
    epochs = max(round(EPOCHS[stage] * given.share), 1)
    files = ["lightning_config.yaml", f"stages/{stage}.yaml"]
    files += [file for name in overlays if Path(file := f"stages/{name}/{stage}.yaml").exists()]
    words = [
        *(f"-c{file}" for file in files),
        f"--data.init_args.root={given.data}",
        f"--trainer.default_root_dir={out / run}",
        f"--trainer.max_epochs={epochs}",
        f"--model.init_args.optimisation.constant_epochs={epochs // 2}",
        "--ckpt_path=last",
        "--trainer.logger=pytorch_lightning.loggers.CSVLogger",
        f"--trainer.logger.save_dir={out / run}",
        "--trainer.logger.name=curves",
    ]
    if stage != "1_landmark_transform":
        words.append(f"--trainer.limit_train_batches={BATCHES}")
    for role, folder in STARTS_FROM.get(stage, {}).items():
        words.append(f"--model.init_args.{role}_checkpoint={out / folder / 'checkpoints/last.ckpt'}")
    began = time.perf_counter()
    facegan("fit", *words, *extra)
    done.write_text(f"{(time.perf_counter() - began) / 60:.1f}\n")


def facegan(*arguments: str) -> None:
    """Shows a command and runs it.

    Raises:
        CalledProcessError: if it fails.
    """
    sys.stdout.write(f"\n$ facegan {shlex.join(arguments)}\n")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "facegan", *arguments], check=True, env=os.environ)


if __name__ == "__main__":
    main()
