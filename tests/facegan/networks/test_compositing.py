"""Masking and compositing."""

import torch

from facegan.networks.compositing import alpha_composite, mask_background, mask_head, mask_predicted_head


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
