"""Compare the sizes of ``stages/lite/`` with wider generators after the same training.

``python benchmarks/learning/sizes.py --videos data/synthetic/videos --data data/synthetic/prepared
--out runs/sizes`` trains both with one L_T and writes their evaluation to ``runs/sizes/evaluation``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from train import checkpoint_options, evaluate, fit, run_folder

LANDMARKS = "1_landmark_transform"
EPOCHS = {
    LANDMARKS: (24, 12),
    "2_reenact_128": (8, 4),
    "2_reenact": (3, 1),
    "3_background_mix": (1, 0),
    "4_joint": (1, 0),
}
EXTRA = {
    "2_reenact_128": ["--model.init_args.loss_weights.segmentation=30"],
    "2_reenact": ["--model.init_args.loss_weights.segmentation=30"],
    "4_joint": ["--trainer.limit_train_batches=200"],
}
SIZES = {
    "wide": {
        "2_reenact_128": ["--model.init_args.generator.width=32"],
        "2_reenact": ["--model.init_args.generator.width=16"],
    },
    "lite": {stage: [f"-cstages/lite/{stage}.yaml"] for stage in EPOCHS if stage[0] in "23"},
}


def main() -> None:
    """Train and evaluate; stop at the first failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set of 128 pixels")
    parser.add_argument("--videos", type=Path, required=True, help="videos it was prepared from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--pairs", type=int, default=400, help="pairs per protocol of the evaluation")
    options = parser.parse_args()
    shared = run_folder(options.out, LANDMARKS)
    fit(LANDMARKS, shared, options.data, EPOCHS[LANDMARKS])
    for size, size_options in SIZES.items():
        out = options.out / size
        out.mkdir(exist_ok=True)
        if not run_folder(out, LANDMARKS).exists():
            run_folder(out, LANDMARKS).symlink_to(shared.resolve())
        for stage, epochs in EPOCHS.items():
            extra = [*EXTRA.get(stage, []), *size_options.get(stage, [])]
            fit(stage, run_folder(out, stage), options.data, epochs, *checkpoint_options(out, stage), *extra)
    models = {size: options.out / size / "joint" for size in SIZES}
    evaluate(models, options.out / "evaluation", options.data, options.videos, options.pairs)


if __name__ == "__main__":
    main()
