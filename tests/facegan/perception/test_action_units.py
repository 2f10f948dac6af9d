import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.geometry.motion import ACTION_UNITS
from facegan.perception.action_units import BLENDSHAPE_NAMES, blendshapes_to_action_units

SEEN_IN = {
    "AU01": ["browInnerUp"],
    "AU02": ["browOuterUpLeft", "browOuterUpRight"],
    "AU04": ["browDownLeft", "browDownRight"],
    "AU05": ["eyeWideLeft", "eyeWideRight"],
    "AU06": ["mouthSmileLeft", "mouthSmileRight", "eyeSquintLeft", "eyeSquintRight"],
    "AU07": ["eyeSquintLeft", "eyeSquintRight"],
    "AU09": ["noseSneerLeft", "noseSneerRight"],
    "AU10": ["mouthUpperUpLeft", "mouthUpperUpRight"],
    "AU12": ["mouthSmileLeft", "mouthSmileRight"],
    "AU14": ["mouthDimpleLeft", "mouthDimpleRight"],
    "AU15": ["mouthFrownLeft", "mouthFrownRight"],
    "AU17": ["mouthShrugLower"],
    "AU20": ["mouthStretchLeft", "mouthStretchRight"],
    "AU23": ["mouthPressLeft", "mouthPressRight"],
    "AU25": ["jawOpen"],
    "AU26": ["jawOpen"],
    "AU45": ["eyeBlinkLeft", "eyeBlinkRight"],
}
"""What the Facial Action Coding System describes, in the blendshapes' words."""

faces = st.lists(st.floats(0, 1, width=32), min_size=52, max_size=52).map(lambda x: np.array(x, np.float32))


def unit(blendshapes, name):
    return blendshapes_to_action_units(blendshapes)[..., ACTION_UNITS.index(name)]


def showing(strength, names):
    face = np.zeros(52, np.float32)
    face[[BLENDSHAPE_NAMES.index(name) for name in names]] = strength
    return face


def test_blendshape_names_are_complete_and_sorted():
    assert len(set(BLENDSHAPE_NAMES)) == 52
    assert set(SEEN_IN) == set(ACTION_UNITS)
    # Apart from the first, MediaPipe's shapes are in the order of the alphabet.
    assert list(BLENDSHAPE_NAMES[1:]) == sorted(BLENDSHAPE_NAMES[1:])


def test_regress_neutral_face_is_zero():
    assert not blendshapes_to_action_units(np.zeros(52, np.float32)).any()


@pytest.mark.slow
@given(faces)
def test_regress_intensities_lie_in_openface_range(blendshapes):
    intensities = blendshapes_to_action_units(blendshapes)
    assert intensities.shape == (17,)
    assert intensities.dtype == np.float32
    assert intensities.min() >= 0
    assert intensities.max() <= 5


@pytest.mark.parametrize("name", ACTION_UNITS)
def test_regress_intensity_is_proportional_to_blendshape(name):
    strengths = [0, 0.25, 0.5, 1]
    seen = unit(np.stack([showing(strength, SEEN_IN[name]) for strength in strengths]), name)
    np.testing.assert_allclose(seen, np.multiply(strengths, 5), atol=1e-6)


@pytest.mark.parametrize("name", [name for name in ACTION_UNITS if len(SEEN_IN[name]) == 2])
def test_regress_one_side_counts_half(name):
    for side in SEEN_IN[name]:
        assert unit(showing(1, [side]), name) == pytest.approx(2.5)


@pytest.mark.slow
@given(faces, st.sampled_from(range(52)), st.floats(0, 1, width=32))
def test_regress_is_monotone_except_for_closed_lips(blendshapes, index, more):
    if BLENDSHAPE_NAMES[index] == "mouthClose":
        return
    stronger = blendshapes.copy()
    stronger[index] = max(stronger[index], more)
    assert (blendshapes_to_action_units(stronger) >= blendshapes_to_action_units(blendshapes) - 1e-6).all()


def test_regress_au06_requires_cheek_squint():
    assert unit(showing(1, ["mouthSmileLeft", "mouthSmileRight"]), "AU06") == 0
    assert unit(showing(1, ["eyeSquintLeft", "eyeSquintRight"]), "AU06") == 0
    assert unit(showing(1, ["cheekSquintLeft", "cheekSquintRight"]), "AU06") == 5


def test_regress_au25_is_limited_by_closed_lips():
    assert unit(showing(0.5, ["jawOpen", "mouthClose"]), "AU25") == 0
    assert unit(showing(0.5, ["jawOpen", "mouthClose"]), "AU26") == pytest.approx(2.5)
    assert unit(showing(0.5, ["mouthLowerDownLeft", "mouthLowerDownRight"]), "AU25") == pytest.approx(2.5)


@given(faces)
def test_regress_mirrored_face_is_equal(blendshapes):
    other = {"Left": "Right", "Right": "Left"}

    def mirrored(name):
        return next((name.removesuffix(end) + other[end] for end in other if name.endswith(end)), name)

    order = [
        BLENDSHAPE_NAMES.index(name if mirrored(name) not in BLENDSHAPE_NAMES else mirrored(name))
        for name in BLENDSHAPE_NAMES
    ]
    np.testing.assert_allclose(
        blendshapes_to_action_units(blendshapes[order]), blendshapes_to_action_units(blendshapes), atol=1e-6
    )


def test_regress_batch_equals_single_faces():
    random = np.random.default_rng(0).random((2, 3, 52), np.float32)
    together = blendshapes_to_action_units(random)
    assert together.shape == (2, 3, 17)
    np.testing.assert_allclose(together[1, 2], blendshapes_to_action_units(random[1, 2]))
