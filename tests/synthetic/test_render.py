import numpy as np
import pytest
import torch

from facegan import motion
from facegan.errors import InputError
from facegan.perception.action_units import BLENDSHAPES
from facegan.perception.face import FaceAnalyzer
from facegan.synthetic import render, sample_identity, sample_motion

SIZE = 192


def pose(**values):
    return motion.edit(torch.zeros(motion.SIZE), values).numpy()


@pytest.fixture(scope="module")
def analyzer():
    with FaceAnalyzer(single_images=True) as analyzer:
        yield analyzer


def see(analyzer, image):
    faces = analyzer(image, 0.0)
    assert len(faces) == 1
    return faces[0]


def test_same_seed_draws_the_same_and_another_seed_somebody_else():
    first, again, other = (render(sample_identity(seed), pose(AU12=0.5), 64) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.segmentation, again.segmentation)
    assert np.abs(first.image.astype(int) - other.image).mean() > 10


def test_mediapipe_finds_the_face_where_it_is_with_its_pose(analyzer):
    true, seen = [], []
    for seed in range(4):
        identity = sample_identity(seed)
        turned = [pose(yaw=yaw, pitch=pitch) for yaw in (-30, 30) for pitch in (-10, 10)]
        for vector in (*sample_motion(seed, 8, 2.0), *turned):
            frame = render(identity, vector, SIZE)
            face = see(analyzer, frame.image)
            assert np.linalg.norm(face.landmarks - frame.landmarks, axis=1).mean() < 0.025 * SIZE
            true.append(vector[17:])
            seen.append(face.angles / motion.ANGLE_SCALE)
    for wanted, got in zip(np.transpose(true), np.transpose(seen), strict=True):
        assert np.corrcoef(wanted, got)[0, 1] > 0.9
        assert 0.75 < np.polyfit(wanted, got, 1)[0] < 1.25


@pytest.mark.parametrize(
    ("unit", "blendshape"), [("AU45", "eyeBlinkLeft"), ("AU26", "jawOpen"), ("AU12", "mouthSmileRight")]
)
def test_action_units_are_seen(analyzer, unit, blendshape):
    column = BLENDSHAPES.index(blendshape)
    for seed in range(4):
        scores = [
            see(analyzer, render(sample_identity(seed), pose(**{unit: strength}), SIZE).image).blendshapes[
                column
            ]
            for strength in (0, 0.5, 1)
        ]
        assert scores[0] < scores[1] < scores[2]
        assert scores[2] - scores[0] > 0.2


def test_every_number_of_the_motion_moves_the_mesh():
    identity = sample_identity(0)
    neutral = render(identity, pose(), 64).mesh
    for index in range(motion.SIZE):
        vector = np.zeros(motion.SIZE)
        vector[index] = 0.5
        assert np.abs(render(identity, vector, 64).mesh - neutral).max() > 0.05, motion.NAMES[index]


def test_angles_have_openface_signs():
    identity = sample_identity(0)
    nose = {
        name: (frame.landmarks[30] - frame.landmarks[[0, 16]].mean(axis=0), frame.landmarks)
        for name, vector in (
            ("none", pose()),
            ("yaw", pose(yaw=20)),
            ("pitch", pose(pitch=10)),
            ("roll", pose(roll=10)),
        )
        for frame in [render(identity, vector)]
    }
    assert nose["yaw"][0][0] < nose["none"][0][0] - 5
    assert nose["pitch"][0][1] > nose["none"][0][1] + 2
    assert nose["roll"][1][45, 1] > nose["roll"][1][36, 1] + 2


def test_segmentation_agrees_with_the_landmarks():
    for seed in range(6):
        frame = render(sample_identity(seed), pose(AU26=0.6), 128)
        assert set(np.unique(frame.segmentation)) == {0, 1, 2}
        columns, rows = np.rint(frame.landmarks[27:]).astype(int).T
        assert (frame.segmentation[rows, columns] == 1).all()
        assert frame.segmentation[:5].max() == 0
        height = np.ptp(frame.landmarks[:, 1])
        assert 0.2 * 128 < height < 0.6 * 128


@pytest.mark.parametrize("size", [32, 100, 257])
def test_sizes(size):
    small, large = render(sample_identity(1), pose(), size), render(sample_identity(1), pose(), 256)
    assert small.image.shape == (size, size, 3)
    np.testing.assert_allclose((small.landmarks + 0.5) / size, (large.landmarks + 0.5) / 256, atol=1e-4)


@pytest.mark.parametrize("bad", [np.zeros(19), np.full(20, np.nan), np.zeros((1, 20))])
def test_bad_motion_is_refused(bad):
    with pytest.raises(InputError, match="20 finite numbers"):
        render(sample_identity(0), bad)


def test_tiny_picture_is_refused():
    with pytest.raises(InputError, match="too small"):
        render(sample_identity(0), pose(), 8)
