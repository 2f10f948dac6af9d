import numpy as np
import pytest
import torch

from facegan.data import Augmentation, FaceCrops, read_pair
from facegan.data.augmentation import mirrored
from facegan.geometry.landmarks import draw_gaussians
from facegan.geometry.motion import flip_motion


@pytest.fixture(scope="module")
def pair(prepared):
    return read_pair(FaceCrops(prepared, "train"), 0, 12)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def same(one, other):
    return all(
        value is other_value or torch.equal(value, other_value)
        for value, other_value in zip(one, other, strict=True)
    )


def test_mirrored_pair_belongs_together(pair):
    """Mirrored landmarks, drawn, are the mirrored drawing; the face is still where they are."""
    flipped = mirrored(pair)
    for role in ("source", "driving"):
        for name in (f"{role}_image", f"{role}_segmentation"):
            assert torch.equal(getattr(flipped, name), getattr(pair, name).flip(-1))
        points = getattr(flipped, f"{role}_landmarks")
        drawn = draw_gaussians(points[None], 64, 0.04)
        before = draw_gaussians(getattr(pair, f"{role}_landmarks")[None], 64, 0.04)
        torch.testing.assert_close(drawn, before.flip(-1))
        assert points[36, 0] < points[45, 0]  # the person's right eye stays on the left
        motion = flip_motion(getattr(pair, f"{role}_motion"))
        torch.testing.assert_close(getattr(flipped, f"{role}_motion"), motion)
    assert same(mirrored(flipped), pair)


def test_both_or_none_are_mirrored(pair):
    always, never = Augmentation(flip=1, color=0), Augmentation(flip=0, color=0)
    assert same(always(pair, seeded()), mirrored(pair))
    assert same(never(pair, seeded()), pair)
    sometimes, generator = Augmentation(flip=0.3, color=0), seeded()
    flips = sum(same(sometimes(pair, generator), mirrored(pair)) for _ in range(200))
    assert 40 < flips < 80


def test_color_changes_source_and_driver_alike(pair):
    """With one picture on both sides, both sides stay the same picture."""
    twins = pair._replace(driving_image=pair.source_image)
    augmentation = Augmentation(flip=0, color=0.3)
    generator = seeded()
    changes = []
    for _ in range(10):
        changed = augmentation(twins, generator)
        assert torch.equal(changed.source_image, changed.driving_image)
        changes.append((changed.source_image - pair.source_image).abs().mean().item())
    assert max(changes) > 0.05
    assert len(set(changes)) == 10


def test_color_leaves_shapes_ranges_and_everything_else(pair):
    changed = Augmentation(flip=0, color=0.5)(pair, seeded(1))
    images = ("source_image", "driving_image", "background_image")
    for name in images:
        picture = getattr(changed, name)
        assert picture.shape == (3, 64, 64)
        assert picture.dtype == torch.float32
        assert -1 <= picture.min() <= picture.max() <= 1
    assert same(changed._replace(**{name: getattr(pair, name) for name in images}), pair)


def test_given_pair_is_left_as_it_is(pair):
    before = [value.clone() for value in pair]
    Augmentation(flip=1, color=0.5)(pair, seeded())
    assert same(pair, before)


def test_generator_alone_decides(pair):
    """Neither the global states nor what was changed before: workers and resumed runs draw the same."""
    augmentation = Augmentation(flip=0.5, color=0.3)

    def changed(seed, state=0):
        torch.manual_seed(state)
        np.random.seed(state)  # noqa: NPY002
        return augmentation(pair, seeded(seed))

    first = changed(3)
    assert same(changed(3, 1), first)
    assert not same(changed(4), first)
    assert same(Augmentation(flip=0.5, color=0.3)(pair, seeded(3)), first)


def test_pair_without_pictures(prepared):
    numbers = read_pair(FaceCrops(prepared, "train"), 0, 12, load_images=False)
    assert same(Augmentation(flip=1, color=0.5)(numbers, seeded()), mirrored(numbers))
    assert same(Augmentation(flip=0, color=0.5)(numbers, seeded()), numbers)
