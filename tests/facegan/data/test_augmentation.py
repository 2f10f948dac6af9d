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
    return set(one) == set(other) and all(torch.equal(value, other[name]) for name, value in one.items())


def test_mirrored_pair_belongs_together(pair):
    """Mirrored landmarks, drawn, are the mirrored drawing; the face is still where they are."""
    flipped = mirrored(pair)
    for role in ("source", "driving"):
        assert torch.equal(flipped[role], pair[role].flip(-1))
        assert torch.equal(flipped[f"{role}_segmentation"], pair[f"{role}_segmentation"].flip(-1))
        drawn, before = (
            draw_gaussians(some[f"{role}_landmarks"][None], 64, 0.04) for some in (flipped, pair)
        )
        torch.testing.assert_close(drawn, before.flip(-1))
        points = flipped[f"{role}_landmarks"]
        assert points[36, 0] < points[45, 0]  # the person's right eye stays on the left
        torch.testing.assert_close(flipped[f"{role}_motion"], flip_motion(pair[f"{role}_motion"]))
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
    twins = pair | {"driving": pair["source"]}
    augmentation = Augmentation(flip=0, color=0.3)
    generator = seeded()
    changes = []
    for _ in range(10):
        changed = augmentation(twins, generator)
        assert torch.equal(changed["source"], changed["driving"])
        changes.append((changed["source"] - pair["source"]).abs().mean().item())
    assert max(changes) > 0.05
    assert len(set(changes)) == 10


def test_color_leaves_shapes_ranges_and_everything_else(pair):
    changed = Augmentation(flip=0, color=0.5)(pair, seeded(1))
    for role in ("source", "driving", "background"):
        picture = changed.pop(role)
        assert picture.shape == (3, 64, 64)
        assert picture.dtype == torch.float32
        assert -1 <= picture.min() <= picture.max() <= 1
    assert same(
        changed,
        {name: value for name, value in pair.items() if name not in ("source", "driving", "background")},
    )


def test_given_pair_is_left_as_it_is(pair):
    before = {name: value.clone() for name, value in pair.items()}
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
    numbers = read_pair(FaceCrops(prepared, "train"), 0, 12, pictures=False)
    assert same(Augmentation(flip=1, color=0.5)(numbers, seeded()), mirrored(numbers))
    assert same(Augmentation(flip=0, color=0.5)(numbers, seeded()), numbers)
