"""What stage 3 asks of mask, painted picture and result, term by term."""

import pytest
import torch

from facegan.data import FacePair
from facegan.stages.background_mix import Mixed, mixing_measures, mixing_terms
from facegan.stages.perceptual_loss import PerceptualLoss

WEIGHTS = {
    "mask_smoothness_weight": 1.0,
    "mask_norm_weight": 0.1,
    "perceptual_weight": 0.0,
    "reconstruction_weight": 10.0,
    "head_reconstruction_weight": 0.0,
}


@pytest.fixture(scope="module")
def perceptual():
    return PerceptualLoss("identity")


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 3, 32, 32, generator=generator) * 2 - 1
    segmentation = torch.zeros(2, 32, 32, dtype=torch.long)
    segmentation[:, 8:20, 8:24] = 1
    segmentation[:, 4:8, 8:24] = 2
    # The source's head stands further left.
    cut_out = segmentation.roll(-6, dims=2)
    return FacePair(
        *torch.empty(4, 2),
        driving_image=truth,
        driving_segmentation=segmentation,
        background_image=truth + 0.1,
        background_segmentation=cut_out,
    )


def made(truth, mask):
    """A painted picture that is 0.5 too bright, mixed half and half with one as much too dark."""
    painted = (truth + 0.5).requires_grad_()
    return Mixed(truth, truth - 0.5, painted, mask, truth + 0 * painted)


def test_without_its_weight_the_painted_picture_is_free(batch, perceptual):
    terms = mixing_terms(
        made(batch.driving_image, torch.full((2, 1, 32, 32), 0.5)), batch, perceptual, WEIGHTS
    )
    assert sorted(terms) == ["mask_norm", "mask_smoothness", "perceptual", "reconstruction"]
    assert terms["reconstruction"] == 0
    assert terms["mask_norm"] == pytest.approx(0.05)
    assert terms["mask_smoothness"] == 0


def test_the_painted_picture_is_held_on_the_head_alone(batch, perceptual):
    mixed = made(batch.driving_image, torch.full((2, 1, 32, 32), 0.5))
    term = mixing_terms(mixed, batch, perceptual, WEIGHTS | {"head_reconstruction_weight": 4.0})["painted"]
    head = batch.driving_segmentation > 0
    assert term.item() == pytest.approx(4 * 0.5 * head.float().mean().item(), rel=1e-5)
    term.backward()
    pulled = mixed.painted.grad.abs().sum(dim=1) > 0
    assert torch.equal(pulled, head)


@pytest.mark.parametrize(("weight", "gray_is_cheaper"), [(0.0, True), (4.0, False)])
def test_held_paint_wants_the_whole_mask(batch, perceptual, weight, gray_is_cheaper):
    """A louder paint under a gray mask gives the same result over a gray hole; only the held paint minds."""
    truth = batch.driving_image
    losses = {}
    for share in (0.6, 1.0):
        mixed = Mixed(truth, torch.zeros_like(truth), truth / share, torch.full((2, 1, 32, 32), share), truth)
        terms = mixing_terms(mixed, batch, perceptual, WEIGHTS | {"head_reconstruction_weight": weight})
        losses[share] = sum(terms.values()).item()
    assert (losses[0.6] < losses[1.0]) == gray_is_cheaper


def test_measures_tell_the_hole_from_head_and_background(batch):
    """16 wide heads 6 apart: the hole is 6 wide. What is wrong in one region shows in its measure alone."""
    truth, head = batch.driving_image, batch.driving_segmentation > 0
    hole = ~head & (batch.background_segmentation > 0)
    assert hole.sum() == 2 * 16 * 6
    measured = mixing_measures(truth + 0.5 * hole[:, None], head[:, None].float(), batch)
    torch.testing.assert_close(measured["hole_mse"], torch.full((2,), 0.0625))
    gray = [(picture[:, where] ** 2).mean() / 4 for picture, where in zip(truth, hole, strict=True)]
    torch.testing.assert_close(measured["hole_mse_of_paste"], torch.stack(gray))
    torch.testing.assert_close(measured["background_mse"], torch.zeros(2))
    torch.testing.assert_close(measured["background_mse_of_source"], torch.full((2,), 0.0025))
    torch.testing.assert_close(measured["mask_on_head"], torch.ones(2))
    torch.testing.assert_close(measured["mask_on_background"], torch.zeros(2))
