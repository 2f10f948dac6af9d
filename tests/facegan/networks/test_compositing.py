"""Masking and compositing."""

import torch

from facegan.networks.compositing import (
    alpha_composite,
    fill_hole,
    mask_background,
    mask_head,
    mask_predicted_head,
)


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_mask_head_and_background_partition_image():
    image = noise(2, 3, 4, 4)
    labels = torch.randint(3, (2, 4, 4), generator=torch.Generator().manual_seed(0))
    head, background = mask_head(image, labels), mask_background(image, labels)
    torch.testing.assert_close(head + background, image)
    assert not (head * background).any()
    for batch, row, column in labels.nonzero():
        assert torch.equal(head[batch, :, row, column], image[batch, :, row, column])
        assert not background[batch, :, row, column].any()


def test_mask_predicted_head_weights_by_probability():
    face, logits = noise(2, 3, 4, 4), 3 * noise(2, 3, 4, 4, seed=1)
    weights = logits.exp()
    expected = face * ((weights[:, 1] + weights[:, 2]) / weights.sum(dim=1))[:, None]
    torch.testing.assert_close(mask_predicted_head(face, logits), expected)
    sure = torch.zeros(2, 3, 4, 4)
    sure[:, 0, :, :2], sure[:, 2, :, 2:] = 100, 100
    torch.testing.assert_close(mask_predicted_head(face, sure), mask_head(face, sure.argmax(dim=1)))


def test_alpha_composite_interpolates():
    foreground, background = noise(1, 3, 2, 2), noise(1, 3, 2, 2, seed=1)
    mask = torch.tensor([0.0, 1.0, 0.25, 0.5]).view(1, 1, 2, 2)
    mixed = alpha_composite(foreground, mask, background)
    assert torch.equal(mixed[..., 0, 0], background[..., 0, 0])
    assert torch.equal(mixed[..., 0, 1], foreground[..., 0, 1])
    torch.testing.assert_close(mixed[..., 1, 0], 0.25 * foreground[..., 1, 0] + 0.75 * background[..., 1, 0])


def test_fill_hole_without_hole_is_unchanged():
    image = noise(2, 3, 60, 60)
    assert torch.equal(fill_hole(image), image)


def test_fill_hole_one_color_continues():
    """Also where the hole reaches the border."""
    image = torch.tensor([0.5, -0.25, 1.0]).view(1, 3, 1, 1).expand(2, 3, 60, 60).clone()
    labels = torch.zeros(2, 60, 60)
    labels[0, 20:45, 10:50], labels[1, 30:, 25:] = 1, 2
    torch.testing.assert_close(fill_hole(mask_background(image, labels)), image)


def test_fill_hole_keeps_pixels_beyond_margin_and_blends_sides():
    image = torch.full((1, 3, 120, 120), -0.5)
    image[..., 60:] = 0.5
    labels = torch.zeros(1, 120, 120)
    labels[:, 40:80, 40:80] = 1
    filled = fill_hole(mask_background(image, labels))
    kept = torch.ones(120, 120, dtype=torch.bool)
    kept[38:82, 38:82] = False
    assert torch.equal(filled[..., kept], image[..., kept])
    left, middle, right = filled[0, 0, 60, 42], filled[0, 0, 60, 59:61].mean(), filled[0, 0, 60, 77]
    assert left < -0.3 < middle < 0.3 < right


def test_fill_hole_everything_removed_is_zero():
    assert not fill_hole(torch.zeros(1, 3, 33, 33)).any()
