from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.errors import InputError
from facegan.geometry.motion import MOTION_NAMES
from facegan.inference import MotionTransferConfig, parse_settings
from facegan.inference.motion_transfer import MotionTransfer

OWN = torch.linspace(0.1, 0.3, 20)
DRIVER = torch.linspace(0.9, -0.5, 20).clamp(-0.4, 0.8)
DRIVER[:17] = DRIVER[:17].clamp(min=0)
REST = torch.full((20,), 0.05)
AU12, YAW = MOTION_NAMES.index("AU12"), MOTION_NAMES.index("yaw")


def steer(motion=DRIVER, reference=None, **control):
    return MotionTransfer(MotionTransferConfig(**control), OWN, reference)(motion, 0.0)


def test_by_default_it_is_the_drivers_motion():
    torch.testing.assert_close(steer(), DRIVER)


def test_before_the_first_face_it_is_the_sources_own():
    for control in ({}, {"smooth": True}, {"only": "pose"}):
        torch.testing.assert_close(steer(None, **control), OWN)


def test_relative_adds_the_change():
    torch.testing.assert_close(steer(REST, REST, relative=True), OWN)
    moved = steer(REST + 0.1, REST, relative=True)
    torch.testing.assert_close(moved, OWN + 0.1)
    with pytest.raises(ValueError, match="reference"):
        steer(relative=True)


def test_only_one_part():
    expression, pose = steer(only="expression"), steer(only="pose")
    torch.testing.assert_close(expression[:17], DRIVER[:17])
    torch.testing.assert_close(expression[17:], OWN[17:])
    torch.testing.assert_close(pose[:17], OWN[:17])
    torch.testing.assert_close(pose[17:], DRIVER[17:])


def test_strength_is_a_factor_of_one_number():
    strong = steer(strength={"yaw": 2.0})
    assert strong[YAW] == pytest.approx(2 * DRIVER[YAW].item())
    keep = [i for i in range(20) if i != YAW]
    torch.testing.assert_close(strong[keep], DRIVER[keep])
    change = steer(REST + 0.1, REST, relative=True, strength={"AU12": 3.0})
    assert change[AU12] == pytest.approx(OWN[AU12].item() + 0.3)


@given(
    st.lists(st.floats(-3, 3), min_size=20, max_size=20),
    st.booleans(),
    st.sampled_from([None, "expression", "pose"]),
    st.dictionaries(st.sampled_from(MOTION_NAMES), st.floats(-5, 5)),
    st.booleans(),
)
def test_action_units_stay_in_their_range_and_inputs_as_they_were(numbers, relative, only, strength, smooth):
    own, motion, reference = OWN.clone(), torch.tensor(numbers), REST.clone()
    control = MotionTransferConfig(relative=relative, only=only, strength=strength, smooth=smooth)
    steering = MotionTransfer(control, own, reference if relative else None)
    for time in (0.0, 0.04):
        result = steering(motion, time)
        assert ((result[:17] >= 0) & (result[:17] <= 1)).all()
        assert result[17:].abs().max() <= 1.5
    assert torch.equal(own, OWN)
    assert torch.equal(reference, REST)
    assert torch.equal(motion, torch.tensor(numbers))


def test_what_differs_is_told():
    assert MotionTransferConfig().describe() == ()
    told = MotionTransferConfig(relative=True, only="pose", strength={"AU12": 1.5}, smooth=True).describe()
    assert told == ("motion relative to the driver's first face", "pose only", "AU12 × 1.5", "smoothed")


def test_settings_are_read():
    assert parse_settings(["AU12=1.5", "Yaw=-20", "au01=0"]) == {"AU12": 1.5, "yaw": -20.0, "AU01": 0.0}
    with pytest.raises(InputError, match="unknown motion 'AU99'"):
        MotionTransferConfig(strength={"AU99": 1.0})


@pytest.mark.parametrize("text", ["AU12", "AU99=1", "=1", "AU12=", "AU12=x", "AU12=nan", "yaw=inf", ""])
def test_settings_that_cannot_be_read(text):
    with pytest.raises(InputError, match="write NAME=NUMBER"):
        parse_settings([text])
