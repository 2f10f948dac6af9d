from collections import Counter

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.facegan.io.video_files import write_video

from facegan.geometry.crop import EYES, SIDE
from facegan.geometry.landmarks import interocular_center
from facegan.perception.face_tracker import DESCRIPTOR_SIZE, CentroidTracker, appearance_descriptor
from facegan.preparation import PrepareConfig
from facegan.preparation.crop_tracks import prepare_clip
from facegan.preparation.face_annotator import annotate_with_detectors
from facegan.preparation.sources import VideoClip

FPS = 25


def follow(frames, sizes=None, **settings):
    """Track ids of faces given as a list of centroids for each frame."""
    tracker = CentroidTracker(**settings)
    ids = []
    for number, centroids in enumerate(frames):
        points = np.array(centroids, float).reshape(-1, 2)
        extents = np.full(len(points), 100.0) if sizes is None else np.array(sizes[number], float)
        ids.append(tracker.assign(points, extents, number / FPS))
    return ids


def test_assign_moving_face_keeps_its_id():
    assert follow([[(10 + 20 * i, 50)] for i in range(9)]) == [[0]] * 9


def test_assign_swapped_detections_keep_their_ids():
    left, right = (100, 100), (400, 100)
    assert follow([[left, right], [right, left], [left, right]]) == [[0, 1], [1, 0], [0, 1]]


def test_assign_minimizes_the_total_distance():
    # Nearest first would give the face at 60 to the track at 70 and leave the one at 100 too far away.
    assert follow([[(30, 0), (70, 0)], [(60, 0), (100, 0)]]) == [[0, 1], [0, 1]]


def test_assign_new_face_opens_a_track():
    a, b = (100, 100), (400, 100)
    assert follow([[a], [a, b], [b], [b, a], []]) == [[0], [0, 1], [1], [1, 0], []]


def test_assign_jump_opens_a_track():
    assert follow([[(100, 100)], [(149, 100)], [(250, 100)]]) == [[0], [0], [1]]


def test_assign_size_change_opens_a_track():
    assert follow([[(0, 0)]] * 4, sizes=[[100], [149], [100], [151]]) == [[0], [0], [0], [1]]


@pytest.mark.parametrize(("gap", "expected"), [(12, 0), (14, 1)])
def test_assign_track_ends_after_max_age(gap, expected):
    face = [(100, 100)]
    assert follow([face] + [[]] * (gap - 1) + [face])[-1] == [expected]


def test_assign_two_candidates_nearest_wins():
    assert follow([[(100, 100)], [(110, 100), (102, 100)]]) == [[0], [1, 0]]


def test_assign_occluded_face_is_extrapolated():
    left = [(100 + 10 * i, 100) for i in range(16)]
    right = [(250 - 10 * i, 100) for i in range(16)]
    hidden = range(6, 10)
    frames = [[a] if i in hidden else [a, b] for i, (a, b) in enumerate(zip(left, right, strict=True))]
    assert follow(frames) == [[0] if i in hidden else [0, 1] for i in range(16)]


def test_assign_leaving_and_entering_faces_differ():
    leaves, enters = [[(50 - 20 * i, 0)] for i in range(5)], [[(20 * i - 30, 0)] for i in range(5)]
    assert follow(leaves + [[]] * 4 + enters) == [[0]] * 5 + [[]] * 4 + [[1]] * 5


def in_turn(company):
    """Ids of a face of two looks in turn, three sightings each; somebody else may have been seen before."""
    tracker = CentroidTracker()
    bright, dark = (np.full((DESCRIPTOR_SIZE, DESCRIPTOR_SIZE, 3), level, np.uint8) for level in (180, 120))
    places = np.array([(100.0, 100), (500, 100)])[: 1 + company]
    tracker.assign(places, np.full(len(places), 100.0), -1 / FPS, [bright] * len(places))
    faces = [bright] * 3 + [dark] * 3 + [bright] * 3
    return [tracker.assign(places[:1], np.array([100.0]), i / FPS, [f])[0] for i, f in enumerate(faces)]


def test_assign_appearance_change_opens_a_track():
    assert in_turn(company=True) == [0, 0, 0, 2, 2, 2, 3, 3, 3]
    assert in_turn(company=False) == [0] * 9


def test_appearance_descriptor_stays_within_the_image():
    image = np.zeros((100, 100, 3), np.uint8)
    image[:, 60:] = 200
    face = np.random.default_rng(0).uniform(65, 95, (68, 2)).astype(np.float32)
    assert appearance_descriptor(image, face)[:, 2:].min() == 200
    for corner in (-500, -15, 80, 500):
        assert appearance_descriptor(image, face - 65 + corner).shape == (DESCRIPTOR_SIZE, DESCRIPTOR_SIZE, 3)


@given(
    st.lists(st.permutations(range(4)), min_size=2, max_size=8),
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=4, max_size=4),
)
def test_assign_is_independent_of_the_order_of_faces(orders, speeds):
    start = np.array([(0, 0), (300, 0), (0, 300), (300, 300)], float)
    frames = [(start + i * np.array(speeds))[list(order)] for i, order in enumerate(orders)]
    names = {}
    for order, ids in zip(orders, follow(frames), strict=True):
        assert sorted(ids) == [0, 1, 2, 3]
        for person, id_ in zip(order, ids, strict=True):
            assert names.setdefault(person, id_) == id_


def test_assign_hundreds_of_faces():
    grid = [(200 * x, 200 * y) for x in range(15) for y in range(15)]
    assert follow([grid, [], grid[::-1]])[2] == list(range(225))[::-1]


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


@pytest.mark.slow
@pytest.mark.parametrize(("frames", "scale"), [(15, 0.9), (27, 1), (42, 0.85)])
def test_tracks_of_people_who_cross(head_frames, tmp_path, frames, scale):
    ann = walk(frames, (LEFT, 0.9 * scale), (RIGHT, 0.9 * scale))
    tracks = Tracks(together(ann=ann, bob=walk(frames, RIGHT, LEFT)), head_frames, tmp_path)
    assert tracks.pure
    assert tracks.of(BOB) == [(0, frames - 1)]
    assert len(tracks.of(ANN)) <= 2  # before and after she was hidden, if that took long
    assert (tracks.of(ANN)[0][0], tracks.of(ANN)[-1][1]) == (0, frames - 1)
    assert tracks.seen[ANN] >= 0.65 * frames  # the others are those behind Bob


@pytest.mark.slow
@pytest.mark.parametrize("stops", [(RIGHT, MIDDLE, MIDDLE, x) for x in (LEFT, RIGHT)] + [(RIGHT, LEFT)])
def test_tracks_of_a_person_who_is_occluded(head_frames, tmp_path, stops):
    frames = 12 * len(stops)
    scene = together(ann=walk(frames, MIDDLE, MIDDLE), bob=walk(frames, *stops))
    tracks = Tracks(scene, head_frames, tmp_path)
    assert tracks.pure
    assert tracks.of(BOB) == [(0, frames - 1)]
    before, after = tracks.of(ANN)
    assert (before[0], after[1]) == (0, frames - 1)


@pytest.mark.slow
def test_tracks_of_a_person_who_leaves_and_returns(head_frames, tmp_path):
    away = walk(8, LEFT, OUTSIDE) + [None] * 12 + walk(8, OUTSIDE, LEFT)
    tracks = Tracks(together(ann=away, bob=walk(28, RIGHT, RIGHT)), head_frames, tmp_path)
    assert tracks.pure
    assert tracks.of(BOB) == [(0, 27)]
    before, after = tracks.of(ANN)
    assert before[0] == 0
    assert before[1] < 8
    assert after[0] >= 20
    assert after[1] == 27


@pytest.mark.slow
def test_tracks_of_people_who_return_on_the_other_side(head_frames, tmp_path):
    left, right = walk(16, LEFT, LEFT, OUTSIDE), walk(16, RIGHT, RIGHT, WIDTH - OUTSIDE)
    scene = together(ann=[*left, *[None] * 12, *right[::-1]], bob=[*right, *[None] * 12, *left[::-1]])
    tracks = Tracks(scene, head_frames, tmp_path)
    assert tracks.pure
    for person in (ANN, BOB):
        before, after = tracks.of(person)
        assert (before[0], after[1]) == (0, 43)


@pytest.mark.slow
def test_tracks_of_a_person_who_leaves_where_another_enters(head_frames, tmp_path):
    ann, bob = walk(8, LEFT, OUTSIDE), walk(8, OUTSIDE, LEFT)
    tracks = Tracks(together(ann=[*ann, *[None] * 10], bob=[*[None] * 10, *bob]), head_frames, tmp_path)
    assert tracks.pure
    assert len(tracks.of(ANN)) == len(tracks.of(BOB)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("shade", [0, 60])  # of the wall: from the same place, or from another
def test_tracks_of_people_swapped_by_a_cut(head_frames, tmp_path, shade):
    left, right = walk(9, LEFT, LEFT), walk(9, RIGHT, RIGHT)
    scene = together(ann=left + right, bob=right + left)
    tracks = Tracks(scene, head_frames, tmp_path, [wall()] * 9 + [wall(shade)] * 9)
    assert tracks.pure
    assert tracks.of(ANN) == tracks.of(BOB) == [(0, 8), (9, 17)]


@pytest.mark.slow
def test_tracks_of_a_person_who_approaches_the_camera(head_frames, tmp_path):
    scene = together(bob=walk(20, RIGHT, RIGHT), ann=walk(20, (LEFT, 0.8), (LEFT, 1.7)))
    tracks = Tracks(scene, head_frames, tmp_path)
    assert tracks.pure
    assert tracks.of(ANN) == tracks.of(BOB) == [(0, 19)]
