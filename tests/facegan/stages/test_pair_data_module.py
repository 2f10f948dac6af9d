"""What FacePairDataModule takes and hands on."""

import shutil

import cv2
import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from tests.facegan.stages.training_commands import curve, exact

from facegan.cli import main
from facegan.data.face_pair import ROLES
from facegan.errors import InputError
from facegan.evaluation.protocols import select_split
from facegan.stages import (
    BackgroundMixData,
    JointData,
    LandmarkTransformData,
    LandmarkTransformStage,
    ReenactData,
)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"motion_balancing": 1.5}, "motion_balancing is 1.5: it must be at most 1"),
        ({"motion_balancing": -0.1}, "motion_balancing is -0.1: it must be at least 0"),
        ({"flip": 2.0}, "flip is 2.0: it must be at most 1"),
        ({"min_time_gap_s": -1.0}, "min_time_gap_s is -1.0"),
        ({"min_pose_change_deg": float("nan")}, "min_pose_change_deg is nan"),
        ({"jpeg": 0}, "jpeg is 0: it must be at least 1"),
        ({"jpeg": 101}, "jpeg is 101: it must be at most 100"),
        ({"affine_strength": 0.5}, "affine_strength is 0.5: it must be at most 0.25"),
        ({"blur": -1.0}, "blur is -1.0"),
    ],
)
def test_data_module_impossible_value_is_refused(prepared, settings, message):
    with pytest.raises(InputError, match=message):
        ReenactData(str(prepared), **settings)


def opened(data):
    data.setup("fit")
    data.trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    data.trainer.strategy.connect(LandmarkTransformStage())
    return data


def test_batch_is_uint8_until_on_device(prepared):
    data = opened(JointData(str(prepared), batch_size=4, workers=0, color=0.3))
    batch = next(iter(data.train_dataloader()))
    assert {getattr(batch, f"{role}_image").dtype for role in ROLES} == {torch.uint8}
    arrived = data.on_after_batch_transfer(batch, 0)
    for role in ROLES:
        before, after = (getattr(some, f"{role}_image") for some in (batch, arrived))
        assert torch.equal(after, before.float().div(127.5).sub(1))
        assert after.is_contiguous()
    assert torch.equal(arrived.driving_segmentation, batch.driving_segmentation)
    # Those of validation are floats, as whoever looks at single ones has them.
    assert next(iter(data.val_dataloader()[0])).source_image.dtype == torch.float32


@pytest.mark.parametrize(
    ("module", "roles"),
    [
        (LandmarkTransformData, ()),
        (ReenactData, ("source", "driving")),
        (BackgroundMixData, ROLES),
        (JointData, ROLES),
    ],
)
def test_data_module_decodes_the_roles_of_its_stage(prepared, module, roles):
    data = opened(module(str(prepared), batch_size=4, workers=0))
    for loader in (data.train_dataloader(), data.val_dataloader()[0]):
        batch = next(iter(loader))
        decoded = {role for role in ROLES if getattr(batch, f"{role}_image") is not None}
        assert decoded == set(roles)


def test_workers_start_after_opencv_threads(prepared):
    """A forked worker has none of them, and must not wait for them."""
    large = np.zeros((2000, 2000, 3), np.uint8)
    cv2.warpAffine(large, np.eye(2, 3), (2000, 2000), flags=cv2.INTER_CUBIC)
    loader = opened(ReenactData(str(prepared), batch_size=4, workers=2)).train_dataloader()
    loader.timeout = 60
    assert sum(len(batch.source_image) for batch in loader) == 40


def test_several_roots_are_concatenated(prepared, tmp_path):
    copy = shutil.copytree(prepared, tmp_path / "copy")
    line = exact("1_landmark_transform", prepared, tmp_path / "run")
    assert main([*line, f"--data.init_args.root=[{prepared},{copy}]", "--data.init_args.batch_size=80"]) == 0
    # A batch of 80, of 40 training crops each; and a data set that cannot be read is named.
    assert curve(tmp_path / "run", "val/landmark_error")
    (copy / "dataset.json").unlink()
    with pytest.raises(InputError, match=f"{copy} is not a prepared data set"):
        ReenactData([str(prepared), str(copy)])


def test_empty_split_is_replaced_as_in_evaluation(validation_data, prepared):
    """That data set has no test split, the other one all."""
    for root, expected in ((validation_data, "val"), (prepared, "test")):
        data = ReenactData(str(root))
        data.setup("test")
        assert set(data.test.crops.split) == {expected}
        assert select_split(root, None, 4)[0] == expected


def test_motion_balancing_samples_rare_motion(prepared):
    plain, balanced = (
        opened(LandmarkTransformData(str(prepared), batch_size=40, motion_balancing=share, flip=0))
        for share in (0, 1)
    )
    (once,), (often,) = (list(data.train_dataloader()) for data in (plain, balanced))
    motions = [set(map(tuple, some.driving_motion.tolist())) for some in (once, often)]
    assert len(motions[0]) == 40
    assert len(motions[1]) < 40
    assert motions[1] < motions[0]


def test_data_module_arguments_reach_pairs(prepared):
    settings = {"min_time_gap_s": 0.4, "min_pose_change_deg": 2.0}
    for data in (LandmarkTransformData(str(prepared), **settings), ReenactData(str(prepared), **settings)):
        data.setup("fit")
        assert (data.train.min_time_gap_s, data.train.min_pose_change_deg) == (0.4, 2.0)
    data = ReenactData(str(prepared), flip=0, color=0, blur=2.0, augment_source_only=False)
    data.setup("fit")
    assert not torch.equal(data.train[3].driving_image, as_it_is(data, 3))


def as_it_is(data, index):
    return torch.from_numpy(data.train.crops.image(index)).permute(2, 0, 1)
