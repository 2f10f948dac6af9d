from __future__ import annotations

import av
import numpy as np
import pytest
import torch
from PIL import Image

from facegan.errors import InputError
from facegan.inference.driving_video import DrivingVideo, read_driving_image, track_driving_face
from facegan.io.images import read_image
from facegan.io.video_reader import VideoReader
from synthetic_heads import render, sample_identity

pytestmark = pytest.mark.slow

EMPTY = np.full((128, 128, 3), 100, np.uint8)


def test_track_driving_face_talking_head_detects_every_frame(make_video, heads):
    tracked = list(track_driving_face(VideoReader(make_video("clip.mp4", heads))))
    assert len(tracked) == len(heads)
    assert all(frame.detected for frame in tracked)
    np.testing.assert_allclose([frame.time for frame in tracked], np.arange(len(heads)) / 25, atol=1e-6)
    motion = torch.stack([frame.motion for frame in tracked])
    assert motion.shape == (len(heads), 20)
    assert motion[:, -3:].std(dim=0).max() > 0.02


def test_track_driving_face_frames_without_face_keep_last_motion(make_video, heads):
    frames = [EMPTY] * 3 + heads[:6] + [EMPTY] * 4 + heads[6:10]
    tracked = list(track_driving_face(VideoReader(make_video("clip.mp4", frames))))
    found = [frame.detected for frame in tracked]
    assert found == [False] * 3 + [True] * 6 + [False] * 4 + [True] * 4
    assert [frame.time for frame in tracked] == pytest.approx([n / 25 for n in range(len(frames))])
    assert all(frame.motion is None for frame in tracked[:3])
    assert all(torch.equal(frame.motion, tracked[8].motion) for frame in tracked[9:13])
    assert not torch.equal(tracked[13].motion, tracked[8].motion)


def test_track_driving_face_similar_sizes_stays_with_person(make_video):
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
    video = VideoReader(make_video("two.mp4", frames))
    rolls = [frame.motion[19].item() for frame in track_driving_face(video)]
    assert max(rolls) < -0.2


def test_track_driving_face_second_face_is_never_left(make_video):
    """Also when it becomes the largest, and after it was hidden for a second."""
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
    tracked = list(track_driving_face(video, face=2))
    found = [frame.detected for frame in tracked]
    assert found[:2] == [False] * 2
    assert found[2:10] == [True] * 8
    assert not any(found[12:35])
    assert found[-1]
    assert all(frame.motion[19] > 0.2 for frame in tracked[2:])
    with pytest.raises(InputError, match=r"no face 3 in .*two\.mp4: 2 faces were found"):
        list(track_driving_face(video, face=3))


def test_driving_video_neutral_motion_has_smallest_norm(make_video):
    identity = sample_identity(5)
    motions = np.zeros((6, 20), np.float32)
    motions[:, 18] = (0.5, 0.4, 0.3, 0.0, 0.3, 0.6)
    frames = [EMPTY] * 2 + [render(identity, motion, 128).image for motion in motions]
    video = DrivingVideo(make_video("turn.mp4", frames))
    assert video.find_neutral_motion()[18] == pytest.approx(0.0, abs=0.1)
    assert next(frame for frame in video if frame.detected).motion[18] == pytest.approx(0.5, abs=0.15)


def test_track_driving_face_cut_to_larger_face_switches(make_video, heads):
    small = np.full((256, 256, 3), 128, np.uint8)
    small[:128, :128] = heads[0]
    large = np.zeros(20, np.float32)
    large[19] = -0.4
    frames = [small] * 5 + [render(sample_identity(8), large, 256).image] * 5
    tracked = list(track_driving_face(VideoReader(make_video("cut.mp4", frames))))
    assert all(frame.detected for frame in tracked)
    assert tracked[4].motion[19] > 0 > tracked[9].motion[19]


def test_track_driving_face_no_face_raises_input_error(make_video):
    tracked = track_driving_face(VideoReader(make_video("empty.mp4", [EMPTY] * 5)))
    with pytest.raises(InputError, match=r"no face in .*empty\.mp4"):
        list(tracked)


def test_read_driving_image_returns_motion(tmp_path):
    motion = np.zeros(20, np.float32)
    motion[18] = 0.4
    Image.fromarray(render(sample_identity(3), motion, 256).image).save(tmp_path / "head.png")
    found = read_driving_image(read_image(tmp_path / "head.png"), "it").motion
    assert found.shape == (20,)
    assert found[18] == pytest.approx(0.4, abs=0.15)
    with pytest.raises(InputError, match=r"no face in .*wall\.png"):
        read_driving_image(EMPTY, tmp_path / "wall.png")


def test_driving_video_iteration_equals_tracking(make_video, heads):
    path = make_video("clip.mp4", heads[:12])
    expected = list(track_driving_face(VideoReader(path)))
    frames = list(DrivingVideo(path))
    assert [frame.time for frame in frames] == [frame.time for frame in expected]
    for frame, other in zip(frames, expected, strict=True):
        assert torch.equal(frame.motion, other.motion)
        np.testing.assert_array_equal(frame.image, other.image)


def test_driving_video_without_face_raises_before_first_frame(make_video):
    with pytest.raises(InputError, match=r"no face in .*empty\.mp4"):
        next(iter(DrivingVideo(make_video("empty.mp4", [EMPTY] * 5))))


def test_driving_video_is_decoded_once(make_video, heads, monkeypatch):
    path = make_video("clip.mp4", heads[:4])
    opened, av_open = [], av.open
    monkeypatch.setattr(av, "open", lambda *args: opened.append(args) or av_open(*args))
    assert len(list(DrivingVideo(path))) == 4
    assert len(opened) == 1
