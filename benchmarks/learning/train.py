"""Train all stages by the commands of a user, and evaluate the joint stage with and without L_T.

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

import torch

EPOCHS = {
    "1_landmark_transform": (48, 24),
    "2_reenact_128": (8, 8),
    "2_reenact": (6, 2),
    "3_background_mix": (2, 1),
    "4_joint": (1, 0),
}
"""Stage to its number of epochs, and how many of them have the full learning rate: in the first phase of
stage 2 all, because the second begins with the full rate again."""
BATCHES = 600
"""Batches per epoch; stage 1 uses all."""
MODEL = "--model.init_args."
COLOR = "--data.init_args.color=0.1"
REENACTOR = [
    f"{MODEL}generator.downsamplings=2",
    f"{MODEL}generator.num_residual_blocks=6",
    f"{MODEL}optimizer.muon_lr=0.06",
    f"{MODEL}loss_weights.jaccard=10",
    COLOR,
]
SETTINGS = {
    "2_reenact_128": [f"{MODEL}generator.width=48", *REENACTOR],
    "2_reenact": [f"{MODEL}generator.width=24", *REENACTOR],
    "3_background_mix": [COLOR],
    "4_joint": [
        f"{MODEL}optimizer.muon_lr=0.02",
        f"{MODEL}loss_weights.landmark=300",
        COLOR,
    ],
}
"""Options that differ from the small overlay, which is for minutes of training on few identities."""
EPOCHS_ON_GPU = EPOCHS | {"2_reenact_128": (4, 4), "2_reenact": (5, 2), "3_background_mix": (1, 0)}
WORKERS = "--data.init_args.workers=12"
LARGE = [
    "--data.init_args.batch_size=64",
    "--trainer.limit_train_batches=450",
    "--trainer.benchmark=true",
    WORKERS,
]
MUON = f"{MODEL}optimizer.muon_lr=0.08"
ON_GPU = {
    "1_landmark_transform": [
        "--data.init_args.batch_size=96",
        f"{MODEL}optimizer.learning_rate=3.4e-4",
        WORKERS,
    ],
    "2_reenact_128": [*LARGE, MUON],
    "2_reenact": [*LARGE, MUON],
    "3_background_mix": LARGE,
    "4_joint": [*LARGE, "--trainer.limit_train_batches=240"],
}
"""Further options on a GPU, where a step of 64 pairs hardly takes longer than one of 32. A later option
overrides an earlier one."""
STARTS_FROM = {
    "2_reenact": {"global": "reenact_128"},
    "3_background_mix": {"reenact": "reenact"},
    "4_joint": {"landmark": "landmark_transform", "reenact": "reenact", "background": "background_mix"},
}
"""Stage to the roles and the runs of the checkpoints it starts from."""
ABLATION = "joint_without_lt"


def main() -> None:
    """Train the four stages and the ablation without L_T, and evaluate both; stop at the first failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set of 128 pixels")
    parser.add_argument("--videos", type=Path, required=True, help="videos it was prepared from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--pairs", type=int, default=400, help="pairs per protocol of the evaluation")
    parser.add_argument("--share", type=float, default=1.0, help="fraction of the epochs")
    options = parser.parse_args()
    schedule, device_options = (EPOCHS_ON_GPU, ON_GPU) if torch.cuda.is_available() else (EPOCHS, {})
    epochs = {
        stage: (max(round(options.share * total), 1), round(options.share * constant))
        for stage, (total, constant) in schedule.items()
    }
    extra = {
        stage: (
            *checkpoint_options(options.out, stage),
            *SETTINGS.get(stage, ()),
            *device_options.get(stage, ()),
        )
        for stage in EPOCHS
    }
    for stage in EPOCHS:
        fit(stage, run_folder(options.out, stage), options.data, epochs[stage], *extra[stage])
    without_transformer = (*extra["4_joint"], f"{MODEL}transform_landmarks=false")
    fit("4_joint", options.out / ABLATION, options.data, epochs["4_joint"], *without_transformer)
    models = {"facegan": options.out / "joint", "without L_T": options.out / ABLATION}
    evaluate(models, options.out / "evaluation", options.data, options.videos, options.pairs)


def run_folder(out: Path, stage: str) -> Path:
    """Return the folder of a stage's run: the name in ``stages/`` without its number."""
    return out / stage.partition("_")[2]


def checkpoint_options(out: Path, stage: str) -> list[str]:
    """Return the options that name the checkpoints a stage starts from."""
    return [
        f"{MODEL}{role}_checkpoint={out / name / 'checkpoints/last.ckpt'}"
        for role, name in STARTS_FROM.get(stage, {}).items()
    ]


def fit(stage: str, run: Path, data: Path, epochs: tuple[int, int], *extra: str) -> None:
    """Train a stage with the small overlay unless it is done; an interrupted run resumes.

    Args:
        stage: name in ``stages/``.
        run: folder of the run.
        data: prepared data set.
        epochs: number of epochs, and how many of them have the full learning rate.
        extra: further options.
    """
    done = run / "done"
    if done.exists():
        return
    files = ("lightning_config.yaml", f"stages/{stage}.yaml", f"stages/small/{stage}.yaml")
    words = [
        *(f"-c{file}" for file in files),
        *(word for word in extra if word.startswith("-c")),
        f"--data.init_args.root={data}",
        f"--trainer.default_root_dir={run}",
        f"--trainer.max_epochs={epochs[0]}",
        f"{MODEL}optimizer.lr_decay_start_epoch={epochs[1]}",
        "--ckpt_path=last",
        "--trainer.logger=pytorch_lightning.loggers.CSVLogger",
        f"--trainer.logger.save_dir={run}",
        "--trainer.logger.name=curves",
    ]
    if stage != "1_landmark_transform":
        words.append(f"--trainer.limit_train_batches={BATCHES}")
    began = time.perf_counter()
    facegan("fit", *words, *(word for word in extra if not word.startswith("-c")))
    done.write_text(f"{(time.perf_counter() - began) / 60:.1f}\n")


def evaluate(models: dict[str, Path], out: Path, data: Path, videos: Path, pairs: int) -> None:
    """Bundle runs of the joint stage and evaluate them together."""
    for run in models.values():
        facegan("bundle", str(run / "checkpoints/last.ckpt"), "--out", str(run / "model"), "--overwrite")
    named = [f"{name}={run / 'model'}" for name, run in models.items()]
    facegan(
        *("evaluate", "--model", *named, "--data", str(data), "--truth", str(videos)),
        *("--pairs", str(pairs), "--out", str(out), "--overwrite"),
    )


def facegan(*arguments: str) -> None:
    """Print a command and run it.

    Raises:
        CalledProcessError: if it fails.
    """
    sys.stdout.write(f"\n$ facegan {shlex.join(arguments)}\n")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "facegan", *arguments], check=True, env=os.environ)


if __name__ == "__main__":
    main()
