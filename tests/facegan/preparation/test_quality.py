"""What is wrong with a crop, of drawn heads that are spoilt on purpose."""

import cv2
import numpy as np
import pytest
from tests.facegan.io.video_files import write_video
from tests.facegan.preparation.small import prepare_small

from facegan.errors import InputError
from facegan.perception import FaceParser
from facegan.preparation import find_videos
from facegan.preparation.quality import covered, fingerprint, sharpness


@pytest.mark.parametrize("person", range(3))
def test_blur_lowers_sharpness_and_light_does_not(heads, person):
    frame = heads[person][0]
    sharp = sharpness(frame.image, frame.mesh)
    blurred = [sharpness(cv2.GaussianBlur(frame.image, (0, 0), sigma), frame.mesh) for sigma in (1, 2, 4)]
    assert sharp > blurred[0] > blurred[1] > blurred[2]
    assert blurred[2] < 0.3 * sharp
    dark = (frame.image * 0.6).astype(np.uint8)
    assert sharpness(dark, frame.mesh) == pytest.approx(sharp, rel=0.1)


def test_a_face_of_one_color_has_no_sharpness(heads):
    assert sharpness(np.full((128, 128, 3), 90, np.uint8), heads[0][0].mesh) == 0


def test_what_covers_the_face_is_measured(heads):
    frame = heads[0][0]
    with FaceParser() as parser:
        labels = parser(frame.image, frame.mesh)
    assert covered(labels, frame.mesh) < 0.1
    half = labels.copy()
    half[int(frame.landmarks[:, 1].mean()) :] = 0
    assert 0.3 < covered(half, frame.mesh) < 0.7


def test_a_copy_has_the_same_fingerprint(heads):
    first, second = (fingerprint(frame.image) for frame in heads[0][:2])
    assert np.abs(first - fingerprint(heads[0][0].image)).mean() == 0
    assert np.abs(first - second).mean() > 0.5


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"max_angle": 4}, "extreme pose"),
        ({"min_sharpness": 1e9}, "blurred"),
        ({"min_change": 0.5}, "near-duplicate"),
    ],
)
def test_every_rejection_has_its_reason(heads, tmp_path, setting, reason):
    images = [frame.image for frame in heads[0] for _ in range(2)]
    write_video(tmp_path / "videos/ann/talk.mp4", images, crf="8")
    write_video(tmp_path / "videos/bob/talk.mp4", [frame.image for frame in heads[1]], crf="8")
    source = find_videos(tmp_path / "videos")
    whole = prepare_small(source, tmp_path / "whole")
    if reason == "blurred":
        with pytest.raises(InputError, match=f"{whole.total.crops} × blurred"):
            prepare_small(source, tmp_path / "data", **setting)
        return
    summary = prepare_small(source, tmp_path / "data", **setting)
    rejected = summary.rejected[reason]
    assert rejected > 0
    assert summary.total.crops + rejected + summary.rejected["short track"] == whole.total.crops
