"""The running average: what it is, and who uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from tests.facegan.stages.fault_injection import Recorded, as_yaml
from tests.facegan.stages.training_commands import OPTIMIZER, callbacks, curve, exact, saved

from facegan.cli import main
from facegan.data import FaceCrops, ValidationPairs
from facegan.networks import ActionUnitRegressor, LandmarkTransformer
from facegan.stages import BackgroundMixStage
from facegan.stages.checkpoints import StageCheckpoint
from facegan.stages.ema import ExponentialMovingAverage

if TYPE_CHECKING:
    from pathlib import Path

STAGE = "1_landmark_transform"


@pytest.mark.slow
def test_ema_equals_reference_after_every_step(prepared: Path, tmp_path: Path) -> None:
    """By hand from all weights: half as much of a weight after so many pictures, fewer in the beginning."""
    halflife, batch, batches, accumulate = 2.0, 2, 40, 2
    settings = [f"--data.init_args.batch_size={batch}", f"--trainer.accumulate_grad_batches={accumulate}"]
    settings += [
        "--trainer.max_epochs=4",
        "--trainer.limit_train_batches=10",
        f"{OPTIMIZER}learning_rate=1e-2",
    ]
    settings += [f"{OPTIMIZER}ema_halflife={halflife}", callbacks(as_yaml(Recorded))]
    assert main([*exact(STAGE, prepared, tmp_path), *settings]) == 0
    record = [torch.load(tmp_path / f"weights/{batch}.pt", weights_only=True) for batch in range(batches + 1)]
    expected, lags = record[0][0], []
    for step in range(1, batches // accumulate + 1):
        pictures, seen = batch * accumulate, batch * accumulate * step
        kept = 0.5 ** (pictures / min(halflife, seen / 20))
        weights, average = record[accumulate * step]
        expected = {name: kept * expected[name] + (1 - kept) * weights[name] for name in expected}
        for name, value in average.items():
            torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-6)
        lags.append(max((average[name] - weights[name]).abs().max().item() for name in weights))
    assert max(lags) > 1e-3


def test_ema_weight_is_half_after_halflife() -> None:
    network = torch.nn.Linear(1, 1)
    torch.nn.init.ones_(network.weight)
    average = ExponentialMovingAverage(network, halflife=100)
    torch.nn.init.zeros_(network.weight)
    average.images.fill_(1_000_000)
    for _ in range(10):
        average.update(network, 10)
    assert average.network.weight.item() == pytest.approx(0.5)
    assert not any(parameter.requires_grad for parameter in average.parameters())


def test_ema_buffers_are_copied() -> None:
    network = torch.nn.BatchNorm1d(3)
    average = ExponentialMovingAverage(network, halflife=100)
    network(torch.randn(8, 3))
    average.update(network, 8)
    assert torch.equal(average.network.running_mean, network.running_mean)
    assert average.network.num_batches_tracked == 1


@pytest.mark.slow
def test_ema_is_validated(prepared: Path, tmp_path: Path) -> None:
    settings = [f"{OPTIMIZER}learning_rate=1e-1", "--trainer.limit_train_batches=20"]
    assert main([*exact(STAGE, prepared, tmp_path), *settings]) == 0
    checkpoint = StageCheckpoint(tmp_path / "checkpoints/last.ckpt", "LandmarkTransformStage")
    pairs = torch.utils.data.default_collate(list(ValidationPairs(FaceCrops(prepared, "val"), 4, roles=())))

    def error(weights: dict) -> float:
        network = LandmarkTransformer(**checkpoint.config)
        network.load_state_dict(weights)
        with torch.no_grad():
            points = network(pairs.source_landmarks, pairs.driving_motion)
        return torch.linalg.vector_norm(points - pairs.driving_landmarks, dim=-1).mean().item()

    state = saved(tmp_path)["state_dict"]
    trained = {n.removeprefix("network."): v for n, v in state.items() if n.startswith("network.")}
    (measured,) = curve(tmp_path, "val/landmark_error")
    assert measured == pytest.approx(error(checkpoint.weights("network")), rel=1e-4)
    assert abs(measured - error(trained)) > 1e-2 * measured
    # The regressor, which is only a means to train, has none.
    regressor = ActionUnitRegressor(**checkpoint.config)
    regressor.load_state_dict(checkpoint.weights("regressor"))


@pytest.mark.slow
def test_ema_can_be_disabled_and_enabled_on_resume(prepared: Path, tmp_path: Path) -> None:
    without, kept = f"{OPTIMIZER}ema_halflife=0", f"{OPTIMIZER}ema_halflife=100"
    line = [*exact(STAGE, prepared, tmp_path), "--ckpt_path=last"]

    def averaged(*settings: str) -> dict:
        assert main([*line, *settings]) == 0
        state = saved(tmp_path)["state_dict"]
        return {name: value for name, value in state.items() if name.startswith("ema.")}

    assert averaged(without) == {}
    checkpoint = StageCheckpoint(tmp_path / "checkpoints/last.ckpt", "LandmarkTransformStage")
    state = saved(tmp_path)["state_dict"]
    assert all(
        torch.equal(value, state[f"network.{n}"]) for n, value in checkpoint.weights("network").items()
    )
    # It begins as a copy; standing still it stays one.
    begun = averaged(kept, "--trainer.max_epochs=2", f"{OPTIMIZER}learning_rate=0")
    assert begun.pop("ema.images") == 4
    assert begun.keys() == {f"ema.{name}" for name in state if name.startswith("network.")}
    assert all(torch.equal(value, state[name.removeprefix("ema.")]) for name, value in begun.items())
    assert averaged(without, "--trainer.max_epochs=3") == {}


@pytest.mark.slow
def test_background_mix_stage_uses_ema_of_reenactor(runs: Path) -> None:
    checkpoint = runs / "reenact/checkpoints/last.ckpt"
    stage = BackgroundMixStage(head="reenacted", reenact_checkpoint=checkpoint, perceptual_network="identity")
    state = saved(runs / "reenact")["state_dict"]
    for name, value in stage.reenactor.state_dict().items():
        assert torch.equal(value, state[f"ema.network.{name}"])
    assert not any(parameter.requires_grad for parameter in stage.reenactor.parameters())
