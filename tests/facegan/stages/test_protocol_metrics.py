"""The metrics of the evaluation protocols in a stage are those of ``facegan evaluate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.facegan.stages.training_commands import FIT_ONLY, curve, exact, measured

from facegan.cli import main
from facegan.evaluation import EvaluationConfig, evaluate
from facegan.stages.protocol_metrics import PROTOCOL_METRICS
from facegan.stages.validation_metrics import IMAGE_METRICS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

PAIRS = 4
BASELINES = {"": "model", "/copy_source": "source copied", "/copy_driving": "driving copied"}


def test_test_command_reports_the_metrics_of_evaluate(runs: Path, data: Path, tmp_path: Path) -> None:
    checkpoint = runs / "joint/checkpoints/last.ckpt"
    words = [word for word in exact("4_joint", data, tmp_path, runs)[1:] if not word.startswith(FIT_ONLY)]
    line = ["test", *words, f"--ckpt_path={checkpoint}", f"--data.init_args.protocol_pairs={PAIRS}"]
    line.append("--data.init_args.size=64")
    assert main(line) == 0
    (row,) = measured(tmp_path)

    assert main(["bundle", str(checkpoint), "--out", str(tmp_path / "model")]) == 0
    config = EvaluationConfig(pairs=PAIRS, workers=1)
    report = evaluate([str(tmp_path / "model")], data, tmp_path / "report", config=config, progress=False)
    compared = 0
    for protocol, names in PROTOCOL_METRICS.items():
        for name in (*names, *(IMAGE_METRICS if protocol == "self" else ())):
            expected = report.metrics["protocols"][protocol]["metrics"][name]
            for suffix, method in BASELINES.items():
                found = row.get(f"test/{protocol}/{name}{suffix}")
                if found is None:
                    assert (name in IMAGE_METRICS, suffix) == (True, "/copy_driving")
                    continue
                assert found == pytest.approx(expected[method]["mean"], rel=1e-4, abs=1e-5), (name, suffix)
                compared += 1
    assert compared == 3 * (4 + 3 + 1) + 2 * 3


def test_protocols_are_due_at_their_interval(validation_data: Path, tmp_path: Path) -> None:
    line = [*exact("2_reenact", validation_data, tmp_path), f"--data.init_args.protocol_pairs={PAIRS}"]
    line += ["--model.init_args.protocol_interval=2", "--trainer.max_epochs=4"]
    assert main([*line, "--trainer.limit_train_batches=1"]) == 0
    epochs = [row["epoch"] for row in measured(tmp_path) if "val/cross/csim" in row]
    assert epochs == [1, 3]
    assert len(curve(tmp_path, "val/perceptual")) == 4
    # The source's identity is the source's.
    assert curve(tmp_path, "val/cross/csim/copy_source") == pytest.approx([1, 1], abs=1e-5)
