import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from facegan.errors import InputError
from facegan.geometry.motion import (
    ACTION_UNIT_GRID_DEGREES,
    ACTION_UNIT_GRID_INTENSITIES,
    ACTION_UNITS,
    MOTION_NAMES,
    NUM_MOTION_PARAMS,
    POSE_ANGLES,
    build_action_unit_grid,
    edit_motion,
    flip_motion,
    motion_from_openface,
    motion_to_openface,
    rotate_in_plane,
    rotation_matrix,
)

vectors = st.lists(st.floats(-10, 10, width=32), min_size=20, max_size=20).map(torch.tensor)


def test_twenty_names_in_openfaces_order():
    assert len(MOTION_NAMES) == len(set(MOTION_NAMES)) == NUM_MOTION_PARAMS == 20
    assert list(ACTION_UNITS) == sorted(ACTION_UNITS)
    assert [int(name[2:]) for name in ACTION_UNITS] == [
        *(1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
    ]
    assert MOTION_NAMES[17:] == POSE_ANGLES == ("pitch", "yaw", "roll")


@given(vectors)
def test_to_openface_and_back(vector):
    intensities, angles = motion_to_openface(vector)
    assert (intensities.shape, angles.shape) == ((17,), (3,))
    torch.testing.assert_close(motion_from_openface(intensities, angles), vector)


def test_scales():
    intensities, angles = torch.full((2, 17), 5.0), torch.tensor([[0.7, -0.35, 0.0]] * 2)
    vector = motion_from_openface(intensities, angles)
    torch.testing.assert_close(vector, torch.tensor([[1.0] * 17 + [1.0, -0.5, 0.0]] * 2))
    assert not motion_from_openface(torch.zeros(17), torch.zeros(3)).any()


@given(vectors)
def test_flipped_twice_is_as_before(vector):
    assert torch.equal(flip_motion(flip_motion(vector)), vector)


@given(vectors)
def test_flip_turns_yaw_and_roll_round_and_nothing_else(vector):
    flipped = flip_motion(vector[None])[0]
    assert flipped[18:].tolist() == (-vector[18:]).tolist()
    assert flipped[:18].tolist() == vector[:18].tolist()


def test_edit_sets_units_as_they_are_and_angles_in_degrees():
    vector = torch.rand(2, 20)
    before = vector.clone()
    edited = edit_motion(vector, {"AU12": 0.8, "yaw": 15})
    assert torch.equal(vector, before)
    assert edited[:, MOTION_NAMES.index("AU12")].tolist() == pytest.approx([0.8, 0.8])
    _, angles = motion_to_openface(edited)
    assert angles[:, 1].tolist() == pytest.approx([math.radians(15)] * 2)
    others = [index for index, name in enumerate(MOTION_NAMES) if name not in ("AU12", "yaw")]
    assert torch.equal(edited[:, others], before[:, others])


@given(st.dictionaries(st.sampled_from(MOTION_NAMES), st.floats(-1, 1, width=32)))
def test_edit_motion_openface_round_trip(values):
    intensities, angles = motion_to_openface(edit_motion(torch.zeros(20), values))
    read = torch.cat((intensities / 5, torch.rad2deg(angles)))
    expected = torch.tensor([values.get(name, 0.0) for name in MOTION_NAMES])
    torch.testing.assert_close(read, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["AU99", "Yaw", "", "AU1"])
def test_edit_motion_unknown_name_is_one_line(name):
    with pytest.raises(InputError, match=f"unknown motion '{name}': choose from AU01, .*, roll$"):
        edit_motion(torch.zeros(20), {"AU12": 0.5, name: 1.0})


motions = st.lists(st.floats(-1, 1), min_size=20, max_size=20).map(torch.tensor)
angles = st.floats(-60, 60)


@given(motions)
def test_head_pose_rotation_matches_angles(values):
    """As SciPy has it: intrinsic rotations about x, y and z."""
    _, head = motion_to_openface(values.double())
    expected = Rotation.from_euler("XYZ", head.numpy()).as_matrix()
    np.testing.assert_allclose(rotation_matrix(values.double()), expected, atol=1e-12)


@given(motions, angles, angles)
def test_rotate_in_plane_turns_add_up_and_keep_action_units(values, one, other):
    turned = rotate_in_plane(rotate_in_plane(values, one), other)
    torch.testing.assert_close(turned, rotate_in_plane(values, one + other), atol=1e-5, rtol=0)
    assert torch.equal(turned[:17], values[:17])
    torch.testing.assert_close(rotate_in_plane(turned, -one - other), values, atol=1e-5, rtol=0)


@given(motions, angles)
def test_rotate_in_plane_opposite_angle_is_mirrored(values, angle):
    torch.testing.assert_close(
        flip_motion(rotate_in_plane(values, angle)),
        rotate_in_plane(flip_motion(values), -angle),
        atol=1e-6,
        rtol=0,
    )


def test_rotate_in_plane_frontal_head_rolls_by_angle():
    turned = rotate_in_plane(torch.zeros(2, 20), 14)
    torch.testing.assert_close(turned, edit_motion(torch.zeros(2, 20), {"roll": 14}))


def test_build_action_unit_grid_varies_one_parameter_and_keeps_the_others():
    motion = torch.rand(20)
    grid = build_action_unit_grid(motion)
    assert grid.shape == (20, 5, 20)
    for index, name in enumerate(MOTION_NAMES):
        values = ACTION_UNIT_GRID_DEGREES if name in POSE_ANGLES else ACTION_UNIT_GRID_INTENSITIES
        assert torch.equal(grid[index], torch.stack([edit_motion(motion, {name: value}) for value in values]))
        others = [other != name for other in MOTION_NAMES]
        assert (grid[index][:, others] == motion[others]).all()
