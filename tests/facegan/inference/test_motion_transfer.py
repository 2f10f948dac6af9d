from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facegan.errors import InputError
from facegan.geometry.motion import MOTION_NAMES
from facegan.inference.motion_transfer import MotionTransfer, MotionTransferConfig, normalize_motion_names

SOURCE = torch.linspace(0.1, 0.3, 20)
DRIVING = torch.linspace(0.9, -0.5, 20).clamp(-0.4, 0.8)
DRIVING[:17] = DRIVING[:17].clamp(min=0)
REST = torch.full((20,), 0.05)
AU12, YAW = MOTION_NAMES.index("AU12"), MOTION_NAMES.index("yaw")


def transfer(motion=DRIVING, reference=None, **config):
    return MotionTransfer(MotionTransferConfig(**config), SOURCE, reference)(motion, 0.0)


def test_motion_transfer_by_default_returns_driving_motion():
    torch.testing.assert_close(transfer(), DRIVING)


@pytest.mark.parametrize("config", [{}, {"smooth": True}, {"only": "pose"}, {"relative": True}])
def test_motion_transfer_before_first_face_returns_source_motion(config):
    torch.testing.assert_close(transfer(None, **config), SOURCE)


def test_motion_transfer_relative_adds_change_since_reference():
    torch.testing.assert_close(transfer(REST, REST, relative=True), SOURCE)
    torch.testing.assert_close(transfer(REST + 0.1, REST, relative=True), SOURCE + 0.1)


def test_motion_transfer_relative_without_reference_uses_first_motion():
    motion_transfer = MotionTransfer(MotionTransferConfig(relative=True), SOURCE)
    motion_transfer(None, 0.0)
    torch.testing.assert_close(motion_transfer(REST, 0.04), SOURCE)
    torch.testing.assert_close(motion_transfer(REST + 0.1, 0.08), SOURCE + 0.1)


def test_motion_transfer_only_part_keeps_the_other():
    expression, pose = transfer(only="expression"), transfer(only="pose")
    torch.testing.assert_close(expression, torch.cat((DRIVING[:17], SOURCE[17:])))
    torch.testing.assert_close(pose, torch.cat((SOURCE[:17], DRIVING[17:])))


def test_motion_transfer_strength_scales_one_parameter():
    strong = transfer(strength={"yaw": 2.0})
    assert strong[YAW] == pytest.approx(2 * DRIVING[YAW].item())
    others = [i for i in range(20) if i != YAW]
    torch.testing.assert_close(strong[others], DRIVING[others])
    change = transfer(REST + 0.1, REST, relative=True, strength={"AU12": 3.0})
    assert change[AU12] == pytest.approx(SOURCE[AU12].item() + 0.3)


@given(
    st.lists(st.floats(-3, 3), min_size=20, max_size=20),
    st.booleans(),
    st.sampled_from([None, "expression", "pose"]),
    st.dictionaries(st.sampled_from(MOTION_NAMES), st.floats(-5, 5)),
    st.booleans(),
)
def test_motion_transfer_any_input_stays_in_range_and_unchanged(numbers, relative, only, strength, smooth):
    source, motion, reference = SOURCE.clone(), torch.tensor(numbers), REST.clone()
    config = MotionTransferConfig(relative=relative, only=only, strength=strength, smooth=smooth)
    motion_transfer = MotionTransfer(config, source, reference)
    for time in (0.0, 0.04):
        result = motion_transfer(motion, time)
        assert ((result[:17] >= 0) & (result[:17] <= 1)).all()
        assert result[17:].abs().max() <= 1.5
    assert torch.equal(source, SOURCE)
    assert torch.equal(reference, REST)
    assert torch.equal(motion, torch.tensor(numbers))


def test_config_describe_lists_differences():
    assert MotionTransferConfig().describe() == ()
    config = MotionTransferConfig(relative=True, only="pose", strength={"AU12": 1.5}, smooth=True)
    words = ("motion relative to the first driving face", "pose only", "AU12 × 1.5", "smoothed")
    assert config.describe() == words


def test_normalize_motion_names_ignores_case():
    values = {"AU12": 1.5, "Yaw": -20.0, "au01": 0.0}
    assert normalize_motion_names(values) == {"AU12": 1.5, "yaw": -20.0, "AU01": 0.0}
    assert MotionTransferConfig(strength={"au12": 2.0}).strength == {"AU12": 2.0}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"AU99": 1.0}, "unknown motion 'AU99'"),
        ({"": 1.0}, "unknown motion ''"),
        ({"AU12": float("nan")}, "AU12=nan is not a finite number"),
        ({"yaw": float("inf")}, "yaw=inf is not a finite number"),
    ],
)
def test_config_bad_strength_raises_input_error(values, message):
    with pytest.raises(InputError, match=message):
        MotionTransferConfig(strength=values)


def test_config_reference_without_relative_raises_input_error():
    with pytest.raises(InputError, match="ask for relative motion"):
        MotionTransferConfig(reference="neutral")
