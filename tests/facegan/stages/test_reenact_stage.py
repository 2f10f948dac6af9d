"""Losses of stage 2, and progressive training from the global generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from tests.facegan.stages.fault_injection import Recorded, as_yaml
from tests.facegan.stages.training_commands import MODEL, callbacks, exact, saved, second_phase

from facegan.cli import main
from facegan.data import FacePair
from facegan.networks import DiscriminatorConfig, ReenactedFace, ReenactorConfig
from facegan.stages import ReenactStage
from facegan.stages.perceptual_loss import PerceptualLoss
from facegan.stages.reenact_stage import ReenactLossWeights

if TYPE_CHECKING:
    from pathlib import Path

GLOBAL = "generator.global_generator."


@pytest.mark.slow
def test_second_phase_starts_from_first_and_freezes_it_for_an_epoch(
    prepared: Path, phase_one: Path, tmp_path: Path
) -> None:
    line = [*exact("2_reenact", prepared, tmp_path), *second_phase(phase_one)]
    line += ["--trainer.max_epochs=2", f"{MODEL}freeze_global_epochs=1"]
    assert main([*line, callbacks(as_yaml(Recorded))]) == 0
    weights = [torch.load(tmp_path / f"weights/{batch}.pt", weights_only=True) for batch in (0, 2, 4)]
    (start, _), (frozen, frozen_ema), (free, _) = weights

    first = torch.load(phase_one, weights_only=True)["state_dict"]
    names = [name for name in start if name.startswith(GLOBAL)]
    assert names
    for name in names:
        # The moving average is passed on.
        assert torch.equal(start[name], first[f"ema.network.{name.replace(GLOBAL, 'generator.')}"])
        assert torch.equal(frozen[name], start[name])
        assert torch.equal(frozen_ema[name], start[name])
    assert any(not torch.equal(free[name], frozen[name]) for name in names if name.endswith("weight"))
    others = [name for name in start if not name.startswith(GLOBAL) and name.endswith("weight")]
    assert all(not torch.equal(frozen[name], start[name]) for name in others)


@pytest.mark.slow
def test_second_phase_no_frozen_epoch_trains_global_generator(
    prepared: Path, phase_one: Path, tmp_path: Path
) -> None:
    line = [
        *exact("2_reenact", prepared, tmp_path),
        *second_phase(phase_one),
        f"{MODEL}freeze_global_epochs=0",
    ]
    assert main(line) == 0
    name = f"network.{GLOBAL}stem.0.weight"
    first = torch.load(phase_one, weights_only=True)["state_dict"]
    assert not torch.equal(saved(tmp_path)["state_dict"][name], first["ema.network.generator.stem.0.weight"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("generator.width=16", "twice"),
        ("generator.num_residual_blocks=2", "blocks"),
        ("generator.kind=global", "generator.kind"),
        ("global_checkpoint=nothing.ckpt", "nothing.ckpt does not exist"),
    ],
)
def test_second_phase_mismatch_is_refused_before_training(
    prepared: Path,
    phase_one: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    setting: str,
    reason: str,
) -> None:
    line = [*exact("2_reenact", prepared, tmp_path), *second_phase(phase_one), f"{MODEL}{setting}"]
    assert main(line) == 2
    assert reason in capsys.readouterr().err.splitlines()[-1]
    assert not list(tmp_path.rglob("*.ckpt"))


@pytest.fixture(scope="module")
def terms():
    """Losses of a head that is 0.5 too bright, with a uniform segmentation."""
    truth = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.5
    labels = torch.zeros(2, 32, 32, dtype=torch.long)
    labels[:, 8:24, 8:24] = 1
    labels[:, 4:8, 8:24] = 2
    pair = FacePair(*torch.empty(4, 2), driving_image=truth, driving_segmentation=labels)
    head = (truth + 0.5) * (labels > 0)[:, None]
    output = ReenactedFace(head[:, :1], head, torch.zeros(2, 3, 32, 32), head)
    perceptual = PerceptualLoss("identity")

    def losses(**weights: float) -> dict[str, torch.Tensor]:
        stage = ReenactStage(
            ReenactorConfig("global", 4, 2, 1),
            DiscriminatorConfig(4),
            loss_weights=ReenactLossWeights(perceptual=0, **weights),
        )
        stage.perceptual = perceptual
        return stage.generator_losses(pair, output)

    return losses


def test_reenact_stage_losses_paper_terms_have_known_values(terms):
    losses = terms()
    assert sorted(losses) == ["perceptual", "reconstruction", "segmentation"]
    share = 20 * 16 / 32**2
    assert losses["reconstruction"].item() == pytest.approx(10 * 0.5 * share, rel=1e-5)
    assert losses["segmentation"].item() == pytest.approx(5 * torch.tensor(3.0).log().item())


def test_reenact_stage_losses_jaccard_has_its_weight(terms):
    """Probability 1/3 everywhere: intersection n/3, union n + (1 - n)/3 of a label's share n."""
    shares = torch.tensor([1024 - 320, 256, 64]) / 1024
    overlaps = (shares / 3) / (shares + 1 / 3 - shares / 3)
    assert terms(jaccard=4.0)["jaccard"].item() == pytest.approx(4 * (1 - overlaps.mean().item()))
