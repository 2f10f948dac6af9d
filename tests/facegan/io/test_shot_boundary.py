"""Cuts are found, and nothing else is taken for one."""

import numpy as np
import pytest
from tests.facegan.io.video_files import quadrants, write_video

from facegan.io.shot_boundary import ShotBoundaryDetector
from facegan.io.video_reader import VideoReader
from facegan.perception.face_tracker import CentroidTracker


def shots(path, every=1):
    video = VideoReader(path)
    return [video.shot_index for _ in video.frames(every)]


def moved(image, step):
    return np.roll(image, step, axis=1)


def test_shot_boundary_cut_is_detected(head_frames, tmp_path):
    images = [frame.image for frame in head_frames[0] * 3] + [frame.image for frame in head_frames[1] * 3]
    path = write_video(tmp_path / "cut.mp4", images, crf="12")
    assert shots(path) == [0] * 12 + [1] * 12
    assert shots(path, every=5) == [0, 0, 0, 1, 1]


def test_shot_boundary_camera_motion_is_no_cut(tmp_path):
    images = [moved(quadrants(96, 128), 3 * number) for number in range(40)]
    assert shots(write_video(tmp_path / "pan.mp4", images, crf="12"))[-1] == 0


@pytest.mark.parametrize("brightness", [0.9, 1.1])
def test_shot_boundary_light_change_is_no_cut(brightness):
    image = quadrants().astype(np.float32)
    detector = ShotBoundaryDetector()
    frames = [image] * 5 + [image * brightness] * 5
    assert not any(detector.update(frame.clip(0, 255).astype(np.uint8)) for frame in frames)


def test_tracker_reset_opens_new_tracks():
    tracker = CentroidTracker()
    place, size = np.array([[50.0, 50.0]]), np.array([40.0])
    assert tracker.assign(place, size, 0.0) == [0]
    assert tracker.assign(place, size, 0.04) == [0]
    tracker.reset()
    assert tracker.assign(place, size, 0.08) == [1]
