"""What each action unit is defined to do, by the rows of the face that show it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synthetic_heads.conventions import ACTION_UNITS, MOTION_NAMES, NUM_MOTION_PARAMS
from synthetic_heads.face.canonical_face import LIDS, LIPS_LOWER, LIPS_UPPER
from synthetic_heads.face.expression import Rig
from synthetic_heads.face.shape import DIRECTIONS, neutral_face
from synthetic_heads.face.skull import fine_face

RIGHT, DOWN, BACK = range(3)
CHIN, CORNER, FAR_CORNER = 152, 61, 291
INNER_BROW, OUTER_BROW, MIDDLE_BROW = 107, 70, 105
UPPER_LIP, LOWER_LIP = 0, 17
"""Edges of the red; the lips meet at 13 and 14."""


def vector(**units):
    values = np.zeros(NUM_MOTION_PARAMS, np.float32)
    for name, value in units.items():
        values[MOTION_NAMES.index(name)] = value
    return values


@pytest.fixture(params=range(0, 24, 4))
def rig(rigs, request):
    return rigs[request.param]


def moved(rig, **units):
    """Displacement of the vertices, 468×3."""
    return rig.deform(vector(**units)) - rig.neutral


def lids(face, eye):
    return (face[list(lid)] for lid in LIDS[eye])


def thickness(face):
    return face[13, DOWN] - face[UPPER_LIP, DOWN], face[LOWER_LIP, DOWN] - face[14, DOWN]


@pytest.mark.parametrize("unit", ACTION_UNITS)
def test_action_units_are_symmetric_monotone_and_zero_at_zero(rig, unit, mirrored):
    strengths = [moved(rig, **{unit: strength}) for strength in (0, 0.25, 0.5, 0.75, 1)]
    assert np.abs(strengths[0]).max() < 1e-5
    assert 0.12 < np.linalg.norm(strengths[-1], axis=1).max() < 3.5
    np.testing.assert_allclose(mirrored(strengths[-1]), strengths[-1], atol=1e-3)
    sizes = [np.linalg.norm(step) for step in strengths]
    assert (np.diff(sizes) > 0.1 * sizes[-1]).all()
    # No vertex turns round on its way.
    steps = np.diff(strengths, axis=0)
    assert (np.sum(steps[:-1] * steps[1:], axis=-1) > -1e-6).all()


def test_action_units_are_distinct(rig):
    shapes = np.array([moved(rig, **{unit: 1}).ravel() for unit in ACTION_UNITS])
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    assert (shapes @ shapes.T - np.eye(len(shapes))).max() < 0.95


def test_action_units_are_clipped_to_scale(rig):
    for unit in ACTION_UNITS:
        np.testing.assert_array_equal(rig.deform(vector(**{unit: 1.7})), rig.deform(vector(**{unit: 1})))
        np.testing.assert_array_equal(rig.deform(vector(**{unit: -0.4})), rig.deform(vector()))


def test_au45_closes_the_eyes(rigs):
    for rig in rigs:
        face = rig.deform(vector(AU45=1))
        for eye in (0, 1):
            upper, lower = lids(face, eye)
            assert np.linalg.norm(upper - lower, axis=1).max() < 0.1
            # The upper lid comes down, the lower one hardly moves.
            before_upper, before_lower = lids(rig.neutral, eye)
            assert (upper - before_upper)[4, DOWN] > 3 * abs((lower - before_lower)[4, DOWN])


@pytest.mark.parametrize("units", [{}, {"AU45": 0.5}, {"AU45": 1}, {"AU05": 1}, {"AU07": 1}])
def test_lids_stay_outside_eyeball(rigs, units):
    for rig in rigs:
        face = rig.deform(vector(**units))
        for eye, middle in enumerate(rig.eyes):
            for lid in lids(face, eye):
                # A tear duct lies beside the ball, and a lid is thicker than half a millimeter.
                assert np.linalg.norm(lid[1:-1] - middle, axis=1).min() > rig.radius - 0.05


def test_au45_overrides_other_lid_units(rig):
    for other in ("AU05", "AU06", "AU07"):
        upper, lower = lids(rig.deform(vector(**{"AU45": 1, other: 1})), 0)
        assert np.abs(upper - lower)[:, DOWN].max() < 0.15


def test_au05_opens_and_au07_narrows_eyes(rig):
    def opening(**units):
        upper, lower = lids(rig.deform(vector(**units)), 0)
        return (lower - upper)[4, DOWN]

    assert opening(AU05=1) > 1.2 * opening() > 1.5 * opening(AU07=1) > 0


def test_au26_drops_jaw_and_opens_mouth(rig):
    change = moved(rig, AU26=1)
    assert 1.2 < change[CHIN, DOWN] < 3.0
    assert change[14, DOWN] - change[13, DOWN] > 1.5
    assert np.abs(change[[13, UPPER_LIP, 37]]).max() < 0.1
    # What is above the mouth stays.
    above = rig.neutral[:, DOWN] < rig.neutral[2, DOWN]
    assert np.abs(change[above]).max() < 0.02


def test_au25_parts_lips_over_closed_jaw(rig):
    change = moved(rig, AU25=1)
    assert change[14, DOWN] - change[13, DOWN] > 0.5
    assert change[13, DOWN] < -0.05
    assert np.abs(change[CHIN]).max() < 0.05
    assert np.abs(change[CORNER]).max() < 0.15


def test_au12_pulls_lip_corners_out_and_up(rig):
    change = moved(rig, AU12=1)
    for corner, side in ((CORNER, -1), (FAR_CORNER, 1)):
        assert side * change[corner, RIGHT] > 0.6
        assert change[corner, DOWN] < -0.6
    assert np.abs(change[[CHIN, MIDDLE_BROW]]).max() < 0.1


def test_au15_pulls_lip_corners_down(rig):
    change = moved(rig, AU15=1)
    assert change[CORNER, DOWN] > 0.6
    assert abs(change[13, DOWN]) < 0.3 * change[CORNER, DOWN]


def test_brow_units_move_brows(rig):
    inner, outer, knit = (moved(rig, **{unit: 1}) for unit in ("AU01", "AU02", "AU04"))
    assert inner[INNER_BROW, DOWN] < -0.6
    assert abs(inner[OUTER_BROW, DOWN]) < 0.15
    assert outer[OUTER_BROW, DOWN] < -0.5
    assert abs(outer[INNER_BROW, DOWN]) < 0.3
    assert knit[INNER_BROW, DOWN] > 0.5
    # Towards each other: the person's right brow moves to the right of the image.
    assert knit[INNER_BROW, RIGHT] > 0.2
    for change in (inner, outer, knit):
        assert np.abs(change[[UPPER_LIP, CHIN]]).max() < 0.05


def test_cheek_and_nose_units_move_cheeks_and_nose(rig):
    cheeks, nose = moved(rig, AU06=1), moved(rig, AU09=1)
    assert (cheeks[[50, 117], DOWN] < -0.4).all()
    assert cheeks[50, BACK] < -0.2
    assert (nose[[48, 64, 98], DOWN] < -0.15).all()
    assert nose[55, DOWN] > 0.2
    assert np.abs(nose[CHIN]).max() < 0.05


def test_lip_and_chin_units_move_lips_and_chin(rig):
    raised, chin, wide, thin = (moved(rig, **{unit: 1}) for unit in ("AU10", "AU17", "AU20", "AU23"))
    assert (raised[[37, 40, UPPER_LIP], DOWN] < -0.4).all()
    assert abs(raised[14, DOWN]) < 0.15
    assert (chin[[200, LOWER_LIP], DOWN] < -0.35).all()
    assert chin[200, BACK] < -0.1
    assert wide[CORNER, RIGHT] < -0.6
    assert wide[CORNER, DOWN] > -0.05
    before, after = thickness(rig.neutral), thickness(rig.neutral + thin)
    assert np.less(after, np.multiply(0.75, before)).all()
    assert np.greater(after, 0).all()


def test_au14_draws_lip_corners_in(rig):
    change = moved(rig, AU14=1)
    assert change[CORNER, BACK] > 0.3
    assert change[CORNER, RIGHT] < -0.05
    assert abs(change[CORNER, DOWN]) < 0.4


def test_closed_lips_do_not_intersect(rig):
    for units in ({"AU17": 1}, {"AU10": 1}, {"AU12": 1}, {"AU15": 1}, {"AU23": 1}, {"AU17": 1, "AU15": 1}):
        face = rig.deform(vector(**units))
        gap = face[list(LIPS_LOWER[3]), DOWN] - face[list(LIPS_UPPER[3]), DOWN]
        assert gap.min() > -0.25, units


@pytest.mark.slow
@given(
    weights=arrays(np.float32, len(DIRECTIONS), elements=st.floats(-1.5, 1.5, width=32)),
    values=arrays(np.float32, NUM_MOTION_PARAMS, elements=st.floats(-2, 2, width=32)),
)
def test_expression_of_any_identity_is_valid(weights, values):
    rig = Rig.fit(neutral_face(weights.tolist()))
    face = rig.deform(values)
    fine = fine_face().apply(face)
    assert np.isfinite(fine).all()
    assert np.linalg.norm(face - rig.neutral, axis=1).max() < 4.5
    # Smooth between the control vertices: no spike.
    assert (fine.min(axis=0) > face.min(axis=0) - 0.5).all()
    assert (fine.max(axis=0) < face.max(axis=0) + 0.5).all()
    pose = values.copy()
    pose[len(ACTION_UNITS) :] = 0
    np.testing.assert_array_equal(rig.deform(pose), face)
