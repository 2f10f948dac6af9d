from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic_heads import sample_identity
from synthetic_heads.conventions import HAIR
from synthetic_heads.face.canonical_face import canonical_mesh
from synthetic_heads.face.skin import CORNER, SIZE, downsample_atlas, linear, paint_skin
from synthetic_heads.rendering.shading import CHANNELS

PLAIN = replace(
    sample_identity(4).skin,
    tone=(222, 172, 138),
    freckles=0.0,
    moles=0.0,
    blotches=0.2,
    wrinkles=0.1,
    stubble=0.0,
    scalp=1.0,
)


def painted(seed=0, **changes):
    return paint_skin(replace(PLAIN, **changes), np.random.default_rng(seed))


def patch(atlas, vertex, half=20):
    """The atlas around a vertex of the face, without a color's large scale."""
    column, row = np.rint(canonical_mesh().uv[vertex] * SIZE).astype(int)
    return atlas[row - half : row + half, column - half : column + half]


def test_to_linear_equals_srgb_standard():
    """IEC 61966-2-1; values as in its tables."""
    known = {0: 0.0, 1: 0.000303527, 10: 0.003035270, 11: 0.003346536, 128: 0.215860500, 188: 0.502886458,
             255: 1.0}  # fmt: skip
    np.testing.assert_allclose(linear(list(known)), list(known.values()), atol=1e-7)
    assert linear((1, 2, 3)).dtype == np.float32


@given(value=st.floats(0, 255))
def test_to_linear_is_monotone_and_inverts_srgb(value):
    light = float(linear(value))
    back = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    assert back * 255 == pytest.approx(value, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 12, 3))
def test_skin_atlas_is_valid_and_deterministic(seed):
    skin = sample_identity(seed).skin
    first, again, other = (paint_skin(skin, np.random.default_rng(number)) for number in (1, 1, 2))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert (first.atlas != other.atlas).any()
    assert first.atlas.shape == (SIZE, 2 * SIZE, CHANNELS)
    assert first.atlas.dtype == np.float32
    assert np.isfinite(first.atlas).all()
    assert first.atlas[..., :3].min() > 0
    assert first.atlas[..., :3].max() < 1
    # Shine; darkness of wrinkles.
    assert first.atlas[..., 3].min() >= 0
    assert first.atlas[..., 3].max() < 2.5
    assert first.atlas[..., 8].min() >= 0
    assert first.atlas[..., 8].max() <= 0.4
    # No slope is a cliff.
    assert np.abs(first.atlas[..., 4:8]).max() < 3
    assert first.regions.shape == first.parts.shape == (SIZE, 2 * SIZE)
    assert set(np.unique(first.regions)) == set(range(CORNER + 1))
    assert first.regions[:, SIZE:].max() == 0
    assert set(np.unique(first.parts)) <= {0, HAIR}
    assert first.parts[:, :SIZE].max() == 0


def test_skin_atlas_is_independent_of_resolution():
    whole = painted()
    small = downsample_atlas(whole)
    assert small.atlas.shape == (SIZE // 2, SIZE, CHANNELS)
    means = (atlas.mean(axis=(0, 1), dtype=float) for atlas in (small.atlas, whole.atlas))
    np.testing.assert_allclose(*means, atol=1e-6)
    np.testing.assert_array_equal(small.regions, whole.regions[::2, ::2])
    np.testing.assert_array_equal(small.parts, whole.parts[::2, ::2])


@pytest.mark.slow
@pytest.mark.parametrize("tone", [(250, 220, 200), (190, 136, 98), (92, 60, 44)])
def test_skin_atlas_has_mean_tone(tone):
    atlas = painted(tone=tone, blush=0.3).atlas
    middle = np.median(patch(atlas, 50)[..., :3].reshape(-1, 3), axis=0)
    np.testing.assert_allclose(middle, linear(tone), rtol=0.3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("amount", "low", "high", "vertex", "channel"),
    [
        ("circles", 0.0, 1.0, 230, 1),
        ("stubble", 0.0, 1.0, 199, 0),
        ("blush", 0.0, 1.0, 50, 2),
        ("liner", 0.0, 1.0, 159, 0),
        ("wrinkles", 0.0, 1.0, 206, 1),
        ("brow_density", 0.2, 1.0, 66, 0),
        ("shadow", 0.0, 1.0, 29, 0),
    ],
)
def test_skin_atlas_features_darken_their_region(amount, low, high, vertex, channel):
    before, after = (
        patch(painted(**{amount: value}).atlas, vertex, 6)[..., channel].mean() for value in (low, high)
    )
    assert after < 0.97 * before


@pytest.mark.slow
def test_skin_atlas_roots_color_skull_behind_hairline():
    black, bald, receding = (
        painted(roots=(10, 10, 10), scalp=scalp, hairline=line) for scalp, line in ((1, 0), (0, 0), (1, 20))
    )
    top = np.s_[10:60, SIZE + 120 : SIZE + 180]
    assert black.atlas[top][..., :3].max() < 0.25 * bald.atlas[top][..., :3].min()
    assert (black.parts[top] == HAIR).all()
    assert (bald.parts == 0).all()
    assert 0 < (receding.parts == HAIR).sum() < 0.95 * (black.parts == HAIR).sum()
