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


def test_names():
    assert len(set(BLENDSHAPE_NAMES)) == 52
    assert set(SEEN_IN) == set(ACTION_UNITS)
    # Apart from the first, MediaPipe's shapes are in the order of the alphabet.
    assert list(BLENDSHAPE_NAMES[1:]) == sorted(BLENDSHAPE_NAMES[1:])


def test_neutral_face_shows_nothing():
    assert not blendshapes_to_action_units(np.zeros(52, np.float32)).any()


@given(faces)
def test_intensities_are_openfaces(blendshapes):
    intensities = blendshapes_to_action_units(blendshapes)
    assert intensities.shape == (17,)
    assert intensities.dtype == np.float32
    assert intensities.min() >= 0
    assert intensities.max() <= 5


@pytest.mark.parametrize("name", ACTION_UNITS)
def test_movement_is_seen_in_its_unit_in_proportion(name):
    strengths = [0, 0.25, 0.5, 1]
    seen = unit(np.stack([showing(strength, SEEN_IN[name]) for strength in strengths]), name)
    np.testing.assert_allclose(seen, np.multiply(strengths, 5), atol=1e-6)


@pytest.mark.parametrize("name", [name for name in ACTION_UNITS if len(SEEN_IN[name]) == 2])
def test_one_side_alone_counts_half(name):
    for side in SEEN_IN[name]:
        assert unit(showing(1, [side]), name) == pytest.approx(2.5)


@given(faces, st.sampled_from(range(52)), st.floats(0, 1, width=32))
def test_more_movement_never_shows_less_of_a_unit_but_closed_lips(blendshapes, index, more):
    if BLENDSHAPE_NAMES[index] == "mouthClose":
        return
    stronger = blendshapes.copy()
    stronger[index] = max(stronger[index], more)
    assert (blendshapes_to_action_units(stronger) >= blendshapes_to_action_units(blendshapes) - 1e-6).all()


def test_cheeks_are_raised_by_a_smile_that_reaches_the_eyes():
    assert unit(showing(1, ["mouthSmileLeft", "mouthSmileRight"]), "AU06") == 0
    assert unit(showing(1, ["eyeSquintLeft", "eyeSquintRight"]), "AU06") == 0
    assert unit(showing(1, ["cheekSquintLeft", "cheekSquintRight"]), "AU06") == 5


def test_lips_part_only_as_far_as_they_are_not_closed():
    assert unit(showing(0.5, ["jawOpen", "mouthClose"]), "AU25") == 0
    assert unit(showing(0.5, ["jawOpen", "mouthClose"]), "AU26") == pytest.approx(2.5)
    assert unit(showing(0.5, ["mouthLowerDownLeft", "mouthLowerDownRight"]), "AU25") == pytest.approx(2.5)


@given(faces)
def test_mirrored_face_shows_the_same(blendshapes):
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


def test_many_faces_at_once():
    random = np.random.default_rng(0).random((2, 3, 52), np.float32)
    together = blendshapes_to_action_units(random)
    assert together.shape == (2, 3, 17)
    np.testing.assert_allclose(together[1, 2], blendshapes_to_action_units(random[1, 2]))
