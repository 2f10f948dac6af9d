"""Several people in one picture: no track holds two of them. Drawn heads, found by MediaPipe."""

from collections import Counter

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.facegan.io.video_files import write_video

from facegan.geometry.crop import EYES, SIDE
from facegan.geometry.landmarks import interocular_center
from facegan.preparation import PrepareConfig
from facegan.preparation.crop_tracks import prepare_clip
from facegan.preparation.face_annotator import annotate_with_detectors
from facegan.preparation.sources import VideoClip

WIDTH, HEIGHT = 384, 216
LEFT, RIGHT, MIDDLE, OUTSIDE = 90, 294, 192, -70
ANN, BOB = 0, 1


def walk(frames, *stops):
    """Places (x, y, scale) on the way from stop to stop, each an x or (x, scale)."""
    stops = [stop if isinstance(stop, tuple) else (stop, 1.0) for stop in stops]
    steps = np.linspace(0, len(stops) - 1, frames)
    x, scale = (np.interp(steps, range(len(stops)), values) for values in zip(*stops, strict=True))
    return [(float(a), 104.0, float(b)) for a, b in zip(x, scale, strict=True)]


def together(**people):
    """Frames of ``ann`` and ``bob``, the farther first; None where somebody is not there."""
    numbers = {"ann": ANN, "bob": BOB}
    return [
        {numbers[name]: place for name, place in zip(people, places, strict=True) if place}
        for places in zip(*people.values(), strict=True)
    ]


def wall(shade=0):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack((90 + 60 * x / WIDTH, 110 + 40 * y / HEIGHT, 120 - 30 * x / WIDTH), -1) + shade


def draw(scene, heads, backgrounds):
    """The pictures of a scene."""
    for number, (places, background) in enumerate(zip(scene, backgrounds, strict=True)):
        picture = background
        for person, (x, y, scale) in places.items():
            head = heads[person][(number // 3 + person) % 4]
            corner = np.array((x, y)) - scale * interocular_center(head.landmarks)
            move = np.column_stack((scale * np.eye(2), corner))
            mask = cv2.warpAffine((head.segmentation > 0).astype(float), move, (WIDTH, HEIGHT))[..., None]
            face = cv2.warpAffine(head.image, move, (WIDTH, HEIGHT))
            picture = mask * face + (1 - mask) * picture
        yield picture.astype(np.uint8)


class Tracks:
    """What became of a scene: of each track its frames and the people whose faces it holds."""

    def __init__(self, scene, heads, folder, backgrounds=None):
        pictures = list(draw(scene, heads, backgrounds or [wall()] * len(scene)))
        path = write_video(folder / "film.mp4", pictures, crf="14")
        settings = PrepareConfig(size=64, min_face=20)
        result = prepare_clip(VideoClip(path, "video", "video"), folder, settings, annotate_with_detectors)
        self.frames, self.people, self.seen = [], [], Counter()
        for part in result.tracks:
            rows = pq.read_table(folder / part, columns=["frame", "crop"]).to_pydict()
            people = [whose(scene[frame], crop) for frame, crop in zip(*rows.values(), strict=True)]
            self.frames.append(rows["frame"])
            self.people.append(set(people) - {None})
            self.seen.update(people)

    @property
    def pure(self):
        return all(len(people) <= 1 for people in self.people)

    def of(self, person):
        """First and last frames of the tracks of a person."""
        ours = zip(self.frames, self.people, strict=True)
        return [(frames[0], frames[-1]) for frames, people in ours if person in people]


def whose(places, crop):
    """The person at the eyes of a crop, or None where two heads are one upon the other."""
    x, y, side = crop
    eyes = np.array((x, y)) + side * np.array(EYES) - 0.5
    face = side / SIDE
    near = sorted((float(np.linalg.norm(eyes - at[:2])) / face, person) for person, at in places.items())
    return None if len(near) > 1 and near[1][0] - near[0][0] < 0.25 else near[0][1]


@pytest.mark.parametrize("frames", [15, 27, 42])
@pytest.mark.parametrize("scale", [0.85, 0.9, 1])
def test_two_people_cross(head_frames, tmp_path, frames, scale):
    ann = walk(frames, (LEFT, 0.9 * scale), (RIGHT, 0.9 * scale))
    tracks = Tracks(together(ann=ann, bob=walk(frames, RIGHT, LEFT)), head_frames, tmp_path)
    assert tracks.pure
    assert tracks.of(BOB) == [(0, frames - 1)]
    assert len(tracks.of(ANN)) <= 2  # before and after she was hidden, if that took long
    assert (tracks.of(ANN)[0][0], tracks.of(ANN)[-1][1]) == (0, frames - 1)
    assert tracks.seen[ANN] >= 0.65 * frames  # the others are those behind Bob


@pytest.mark.parametrize("stops", [(RIGHT, MIDDLE, MIDDLE, x) for x in (LEFT, RIGHT)] + [(RIGHT, LEFT)])
def test_one_stands_and_another_passes_or_stops_before_her(head_frames, tmp_path, stops):
    frames = 12 * len(stops)
    scene = together(ann=walk(frames, MIDDLE, MIDDLE), bob=walk(frames, *stops))
    tracks = Tracks(scene, head_frames, tmp_path)
    assert tracks.pure
    assert tracks.of(BOB) == [(0, frames - 1)]
    before, after = tracks.of(ANN)
    assert (before[0], after[1]) == (0, frames - 1)


def test_one_leaves_and_comes_back(head_frames, tmp_path):
    away = walk(8, LEFT, OUTSIDE) + [None] * 12 + walk(8, OUTSIDE, LEFT)
    tracks = Tracks(together(ann=away, bob=walk(28, RIGHT, RIGHT)), head_frames, tmp_path)
    assert tracks.pure
    assert tracks.of(BOB) == [(0, 27)]
    before, after = tracks.of(ANN)
    assert before[0] == 0
    assert before[1] < 8
    assert after[0] >= 20
    assert after[1] == 27


def test_both_leave_and_return_on_the_other_side(head_frames, tmp_path):
    left, right = walk(16, LEFT, LEFT, OUTSIDE), walk(16, RIGHT, RIGHT, WIDTH - OUTSIDE)
    scene = together(ann=[*left, *[None] * 12, *right[::-1]], bob=[*right, *[None] * 12, *left[::-1]])
    tracks = Tracks(scene, head_frames, tmp_path)
    assert tracks.pure
    for person in (ANN, BOB):
        before, after = tracks.of(person)
        assert (before[0], after[1]) == (0, 43)


def test_one_leaves_where_another_enters(head_frames, tmp_path):
    ann, bob = walk(8, LEFT, OUTSIDE), walk(8, OUTSIDE, LEFT)
    tracks = Tracks(together(ann=[*ann, *[None] * 10], bob=[*[None] * 10, *bob]), head_frames, tmp_path)
    assert tracks.pure
    assert len(tracks.of(ANN)) == len(tracks.of(BOB)) == 1


@pytest.mark.parametrize("shade", [0, 60])  # of the wall: from the same place, or from another
def test_a_cut_swaps_them(head_frames, tmp_path, shade):
    left, right = walk(9, LEFT, LEFT), walk(9, RIGHT, RIGHT)
    scene = together(ann=left + right, bob=right + left)
    tracks = Tracks(scene, head_frames, tmp_path, [wall()] * 9 + [wall(shade)] * 9)
    assert tracks.pure
    assert tracks.of(ANN) == tracks.of(BOB) == [(0, 8), (9, 17)]


def test_one_walks_to_the_camera(head_frames, tmp_path):
    scene = together(bob=walk(20, RIGHT, RIGHT), ann=walk(20, (LEFT, 0.8), (LEFT, 1.7)))
    tracks = Tracks(scene, head_frames, tmp_path)
    assert tracks.pure
    assert tracks.of(ANN) == tracks.of(BOB) == [(0, 19)]
