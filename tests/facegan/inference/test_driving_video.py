from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from facegan.errors import InputError
from facegan.inference.driving_video import find_reference, follow, read_step
from facegan.io.images import read_image
from facegan.io.video_reader import VideoReader
from synthetic_heads import render, sample_identity

EMPTY = np.full((128, 128, 3), 100, np.uint8)


def test_every_frame_has_a_motion(make_video, heads):
    steps = list(follow(VideoReader(make_video("clip.mp4", heads))))
    assert len(steps) == len(heads)
    assert all(step.found for step in steps)
    np.testing.assert_allclose([step.time for step in steps], np.arange(len(heads)) / 25, atol=1e-6)
    motion = torch.stack([step.motion for step in steps])
    assert motion.shape == (len(heads), 20)
    assert motion[:, -3:].std(dim=0).max() > 0.02


def test_frames_without_a_face(make_video, heads):
    frames = [EMPTY] * 3 + heads[:6] + [EMPTY] * 4 + heads[6:10]
    steps = list(follow(VideoReader(make_video("clip.mp4", frames))))
    found = [step.found for step in steps]
    assert found == [False] * 3 + [True] * 6 + [False] * 4 + [True] * 4
    assert [step.time for step in steps] == pytest.approx([n / 25 for n in range(len(frames))])
    assert all(step.motion is None for step in steps[:3])
    assert all(torch.equal(step.motion, steps[8].motion) for step in steps[9:13])
    assert not torch.equal(steps[13].motion, steps[8].motion)


def test_the_same_person_is_followed(make_video):
    left, right = np.zeros(20, np.float32), np.zeros(20, np.float32)
    left[19], right[19] = -0.4, 0.4
    people = sample_identity(5), sample_identity(8)
    frames = []
    for number in range(16):
        swell = 12 * (-1) ** number
        frame = np.full((256, 512, 3), 128, np.uint8)
        for column, size in enumerate((220 + swell, 220 - swell)):
            image = render(people[column], (left, right)[column], size).image
            frame[:size, 256 * column : 256 * column + size] = image
        frames.append(frame)
    rolls = [step.motion[19].item() for step in follow(VideoReader(make_video("two.mp4", frames)))]
    assert max(rolls) < -0.2


def test_another_than_the_largest_face_is_followed(make_video):
    """Also when it becomes the largest, and after it was away for a second."""
    large, small = np.zeros(20, np.float32), np.zeros(20, np.float32)
    large[19], small[19] = -0.4, 0.4
    people = sample_identity(5), sample_identity(8)

    def frame(first, second):
        image = np.full((256, 512, 3), 128, np.uint8)
        for column, (motion, size) in enumerate(((large, first), (small, second))):
            if size:
                image[:size, 256 * column : 256 * column + size] = render(people[column], motion, size).image
        return image

    frames = [frame(230, 0)] * 2 + [frame(230, 190)] * 4 + [frame(190, 230)] * 4
    frames += [frame(230, 0)] * 25 + [frame(230, 200)] * 3
    video = VideoReader(make_video("two.mp4", frames))
    steps = list(follow(video, face=2))
    found = [step.found for step in steps]
    assert found[:2] == [False] * 2
    assert found[2:10] == [True] * 8
    assert not any(found[12:35])
    assert found[-1]
    assert all(step.motion[19] > 0.2 for step in steps[2:])
    with pytest.raises(InputError, match=r"no face 3 in .*two\.mp4: 2 faces were found"):
        list(follow(video, face=3))


def test_the_reference_is_the_first_face_or_the_calmest(make_video):
    identity = sample_identity(5)
    motions = np.zeros((6, 20), np.float32)
    motions[:, 18] = (0.5, 0.4, 0.3, 0.0, 0.3, 0.6)
    frames = [EMPTY] * 2 + [render(identity, motion, 128).image for motion in motions]
    video = VideoReader(make_video("turn.mp4", frames))
    assert find_reference(video, "first")[18] == pytest.approx(0.5, abs=0.15)
    assert find_reference(video, "neutral")[18] == pytest.approx(0.0, abs=0.1)


def test_a_cut_to_a_larger_face(make_video, heads):
    small = np.full((256, 256, 3), 128, np.uint8)
    small[:128, :128] = heads[0]
    large = np.zeros(20, np.float32)
    large[19] = -0.4
    frames = [small] * 5 + [render(sample_identity(8), large, 256).image] * 5
    steps = list(follow(VideoReader(make_video("cut.mp4", frames))))
    assert all(step.found for step in steps)
    assert steps[4].motion[19] > 0 > steps[9].motion[19]


def test_no_face_at_all(make_video):
    steps = follow(VideoReader(make_video("empty.mp4", [EMPTY] * 5)))
    with pytest.raises(InputError, match=r"no face in .*empty\.mp4"):
        list(steps)


def test_motion_of_a_picture(tmp_path):
    motion = np.zeros(20, np.float32)
    motion[18] = 0.4
    Image.fromarray(render(sample_identity(3), motion, 256).image).save(tmp_path / "head.png")
    found = read_step(read_image(tmp_path / "head.png"), "it").motion
    assert found.shape == (20,)
    assert found[18] == pytest.approx(0.4, abs=0.15)
    with pytest.raises(InputError, match=r"no face in .*wall\.png"):
        read_step(EMPTY, tmp_path / "wall.png")
