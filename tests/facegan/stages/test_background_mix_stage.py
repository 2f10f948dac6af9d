"""Losses and metrics of stage 3, term by term."""

import pytest
import torch

from facegan.data import FacePair
from facegan.networks import DiscriminatorConfig, MixerConfig
from facegan.stages import BackgroundMixStage
from facegan.stages.background_mix_stage import (
    BackgroundMixLossWeights,
    MixedHead,
    background_mix_metrics,
)
from facegan.stages.perceptual_loss import PerceptualLoss


@pytest.fixture(scope="module")
def losses():
    """The losses of a stage, by pair, output and weights."""
    perceptual = PerceptualLoss("identity")

    def compute(pair, output, **weights):
        stage = BackgroundMixStage(
            MixerConfig("global", 4, 2, 1),
            DiscriminatorConfig(4),
            loss_weights=BackgroundMixLossWeights(perceptual=0, **weights),
        )
        stage.perceptual = perceptual
        return stage.generator_losses(pair, output)

    return compute


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(2, 3, 32, 32, generator=generator) * 2 - 1
    segmentation = torch.zeros(2, 32, 32, dtype=torch.long)
    segmentation[:, 8:20, 8:24] = 1
    segmentation[:, 4:8, 8:24] = 2
    return FacePair(
        *torch.empty(4, 2),
        driving_image=target,
        driving_segmentation=segmentation,
        background_image=target + 0.1,
        # The source's head is further left.
        background_segmentation=segmentation.roll(-6, dims=2),
    )


def composite(target):
    """A foreground that is 0.5 too bright, mixed half and half with a background 0.5 too dark."""
    foreground = (target + 0.5).requires_grad_()
    mask = torch.full((2, 1, 32, 32), 0.5)
    return MixedHead(target, target - 0.5, foreground, mask, target + 0 * foreground)


def test_background_mix_stage_losses_paper_terms_have_known_values(pair, losses):
    terms = losses(pair, composite(pair.driving_image))
    assert sorted(terms) == ["mask_norm", "mask_smoothness", "perceptual", "reconstruction"]
    assert terms["reconstruction"] == 0
    assert terms["mask_norm"] == pytest.approx(0.05)
    assert terms["mask_smoothness"] == 0


def test_background_mix_stage_losses_head_reconstruction_acts_on_head_only(pair, losses):
    outputs = composite(pair.driving_image)
    term = losses(pair, outputs, head_reconstruction=4.0)["head_reconstruction"]
    head = pair.driving_segmentation > 0
    assert term.item() == pytest.approx(4 * 0.5 * head.float().mean().item(), rel=1e-5)
    term.backward()
    assert torch.equal(outputs.foreground.grad.abs().sum(dim=1) > 0, head)


@pytest.mark.parametrize(("weight", "gray_is_cheaper"), [(0.0, True), (4.0, False)])
def test_background_mix_stage_losses_head_reconstruction_prefers_full_mask(
    pair, losses, weight, gray_is_cheaper
):
    """A foreground of larger contrast under a gray mask gives the same result over a gray background."""
    target, totals = pair.driving_image, {}
    for alpha in (0.6, 1.0):
        mask = torch.full((2, 1, 32, 32), alpha)
        outputs = MixedHead(target, torch.zeros_like(target), target / alpha, mask, target)
        totals[alpha] = sum(losses(pair, outputs, head_reconstruction=weight).values()).item()
    assert (totals[0.6] < totals[1.0]) == gray_is_cheaper


def test_background_mix_metrics_error_counts_in_its_region_only(pair):
    """Heads 16 wide and 6 apart: the disoccluded region is 6 wide."""
    target, head = pair.driving_image, pair.driving_segmentation > 0
    disoccluded = ~head & (pair.background_segmentation > 0)
    assert disoccluded.sum() == 2 * 16 * 6
    metrics = background_mix_metrics(target + 0.5 * disoccluded[:, None], head[:, None].float(), pair)
    torch.testing.assert_close(metrics["disoccluded_mse"], torch.full((2,), 0.0625))
    gray = [(image[:, where] ** 2).mean() / 4 for image, where in zip(target, disoccluded, strict=True)]
    torch.testing.assert_close(metrics["disoccluded_mse/naive_composite"], torch.stack(gray))
    torch.testing.assert_close(metrics["background_mse"], torch.zeros(2))
    torch.testing.assert_close(metrics["background_mse/copy_source"], torch.full((2,), 0.0025))
    torch.testing.assert_close(metrics["mask_on_head"], torch.ones(2))
    torch.testing.assert_close(metrics["mask_on_background"], torch.zeros(2))
