"""What the lite sizes cost: the same training with wider generators and with those of ``stages/lite/``.

``python benchmarks/learning/sizes.py --videos data/synthetic/videos --data data/synthetic/prepared
--out runs/sizes`` trains both, with one L_T, and leaves their comparison in ``runs/sizes/evaluation``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from train import compare, fit, folder, starts

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
    """Trains and compares; stops at the first failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="prepared data set of 128 pixels")
    parser.add_argument("--videos", type=Path, required=True, help="drawn people that it was prepared from")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--pairs", type=int, default=400, help="pairs of each protocol of the evaluation")
    given = parser.parse_args()
    shared = folder(given.out, LANDMARKS)
    fit(LANDMARKS, shared, given.data, EPOCHS[LANDMARKS])
    for size, own in SIZES.items():
        out = given.out / size
        out.mkdir(exist_ok=True)
        if not folder(out, LANDMARKS).exists():
            folder(out, LANDMARKS).symlink_to(shared.resolve())
        for stage, epochs in EPOCHS.items():
            extra = [*EXTRA.get(stage, []), *own.get(stage, [])]
            fit(stage, folder(out, stage), given.data, epochs, *starts(out, stage), *extra)
    models = {size: given.out / size / "joint" for size in SIZES}
    compare(models, given.out / "evaluation", given.data, given.videos, given.pairs)


if __name__ == "__main__":
    main()
