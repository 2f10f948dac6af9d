"""What stage 2 asks of head and segmentation besides deceiving the discriminators."""

import pytest
import torch

from facegan.data import FacePair
from facegan.stages.perceptual_loss import PerceptualLoss
from facegan.stages.reenact import reenactment_terms

WEIGHTS = {
    "reconstruction_weight": 10.0,
    "perceptual_weight": 0.0,
    "segmentation_weight": 5.0,
    "overlap_weight": 0.0,
}


@pytest.fixture(scope="module")
def terms():
    """Of a head that is 0.5 too bright, with nothing known of its segmentation."""
    truth = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.5
    labels = torch.zeros(2, 32, 32, dtype=torch.long)
    labels[:, 8:24, 8:24] = 1
    labels[:, 4:8, 8:24] = 2
    pair = FacePair(*torch.empty(4, 2), driving_image=truth, driving_segmentation=labels)
    head = (truth + 0.5) * (labels > 0)[:, None]
    perceptual = PerceptualLoss("identity")
    return lambda **weights: reenactment_terms(
        head, torch.zeros(2, 3, 32, 32), pair, perceptual, WEIGHTS | weights
    )


def test_the_papers_terms_by_hand(terms):
    found = terms()
    assert sorted(found) == ["perceptual", "reconstruction", "segmentation"]
    share = 20 * 16 / 32**2
    assert found["reconstruction"].item() == pytest.approx(10 * 0.5 * share, rel=1e-5)
    assert found["segmentation"].item() == pytest.approx(5 * torch.tensor(3.0).log().item())


def test_overlap_counts_with_its_weight(terms):
    """A third of each pixel: n / 3 of the n pixels of a label and a third of the others."""
    shares = torch.tensor([1024 - 320, 256, 64]) / 1024
    overlaps = (shares / 3) / (shares + 1 / 3 - shares / 3)
    assert terms(overlap_weight=4.0)["overlap"].item() == pytest.approx(4 * (1 - overlaps.mean().item()))
