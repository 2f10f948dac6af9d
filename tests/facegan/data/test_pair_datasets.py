import pickle

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch.utils.data import DataLoader, Subset

from facegan.data import Augmentation, FaceCrops, FacePair, TrainingPairs, ValidationPairs, read_pair
from facegan.geometry.landmarks import draw_gaussians
from facegan.geometry.motion import POSE_SCALE

NUMBERS = {"source_landmarks", "source_motion", "driving_landmarks", "driving_motion"}


@pytest.fixture(scope="module")
def crops(prepared):
    return FaceCrops(prepared, "train")


def given(pair):
    """Names of the fields that are not None."""
    return {name for name, value in pair._asdict().items() if value is not None}


def whose(crops, points):
    """Index of the crop with these landmarks."""
    (index,) = np.flatnonzero((crops.landmarks == points.numpy()).all(axis=(1, 2)))
    return int(index)


def test_read_pair_returns_fields_of_two_crops(crops):
    pair = read_pair(crops, 3, 7)
    assert given(pair) == set(FacePair._fields)
    for role, index in (("source", 3), ("driving", 7)):
        assert torch.equal(getattr(pair, f"{role}_image"), crops.picture(index))
        assert torch.equal(getattr(pair, f"{role}_segmentation"), crops.segmentation(index))
        np.testing.assert_array_equal(getattr(pair, f"{role}_landmarks"), crops.landmarks[index])
        np.testing.assert_array_equal(getattr(pair, f"{role}_motion"), crops.motion[index])


def test_read_pair_in_one_track_aligns_background(crops):
    """The background of synthetic heads is static; the crop windows follow the face."""
    aligned, as_it_is = [], []
    for driver in range(1, 20):
        pair = read_pair(crops, 0, driver)
        behind = pair.driving_segmentation == 0
        for name, errors in (("background", aligned), ("source", as_it_is)):
            seen = behind & (getattr(pair, f"{name}_segmentation") == 0)
            # Beyond the source's crop nothing is known.
            seen[:6], seen[-6:], seen[:, :6], seen[:, -6:] = False, False, False, False
            errors.append(
                (getattr(pair, f"{name}_image") - pair.driving_image).square().mean(dim=0)[seen].mean().item()
            )
    assert np.mean(aligned) < 0.4 * np.mean(as_it_is)


def test_read_pair_of_two_tracks_keeps_background(crops):
    pair = read_pair(crops, 0, 25)
    assert crops.track[0] != crops.track[25]
    assert torch.equal(pair.background_image, pair.source_image)
    assert torch.equal(pair.background_segmentation, pair.source_segmentation)


def test_pairs_without_images_have_numbers_only(crops):
    assert given(read_pair(crops, 0, 1, roles=())) == NUMBERS
    assert given(TrainingPairs(crops, roles=())[0]) == NUMBERS
    assert given(ValidationPairs(crops, 3, roles=())[0]) == NUMBERS


def test_read_pair_landmarks_are_on_face(crops):
    """Drawn at the size of the picture, they light up what is labeled face, not what is not."""
    pair = read_pair(crops, 0, 25)
    for role in ("source", "driving"):
        drawn = draw_gaussians(getattr(pair, f"{role}_landmarks")[None], crops.size)[0, 0]
        on_face = getattr(pair, f"{role}_segmentation") == 1
        assert drawn[on_face].sum() > 0.7 * drawn.sum()


def test_training_pairs_use_every_crop_with_another_of_its_track(crops):
    pairs = TrainingPairs(crops, roles=())
    assert len(pairs) == len(crops) == 40
    for index in range(len(pairs)):
        pair = pairs[index, 1000 + index]
        assert whose(crops, pair.driving_landmarks) == index
        source = whose(crops, pair.source_landmarks)
        assert source != index
        assert crops.track[source] == crops.track[index]


def test_training_pairs_draw_all_sources_of_track(crops):
    pairs = TrainingPairs(crops, roles=())
    drawn = [whose(crops, pairs[5, seed].source_landmarks) for seed in range(300)]
    track = set(np.flatnonzero(crops.track == crops.track[5]).tolist())
    assert set(drawn) == track - {5}
    assert max(drawn.count(source) for source in track) < 50


def test_training_pairs_of_single_crop_use_it_twice(crops):
    class Lone:
        track = np.array([1, 0, 1])
        landmarks = crops.landmarks[:3]
        motion = crops.motion[:3]

        def __len__(self):
            return 3

    pair = TrainingPairs(Lone(), roles=())[1]
    assert torch.equal(pair.source_landmarks, pair.driving_landmarks)


def drawn_sources(pairs, crops, driver, times=200):
    return {whose(crops, pairs[driver, seed].source_landmarks) for seed in range(times)}


def angle(crops, one, other):
    rotations = [Rotation.from_euler("XYZ", crops.motion[index, 17:] * POSE_SCALE) for index in (one, other)]
    return np.degrees((rotations[0].inv() * rotations[1]).magnitude())


def test_training_pairs_with_gap_settings_meet_them(crops):
    for settings in (
        {"min_time_gap_s": 0.3},
        {"min_pose_change_deg": 2.0},
        {"min_time_gap_s": 0.2, "min_pose_change_deg": 1.0},
    ):
        pairs = TrainingPairs(crops, roles=(), **settings)
        constrained = 0
        for driver in (2, 9, 30):
            track = np.flatnonzero(crops.track == crops.track[driver])
            wanted = {
                other
                for other in track.tolist()
                if abs(crops.time[other] - crops.time[driver]) >= settings.get("min_time_gap_s", 0)
                and angle(crops, other, driver) >= settings.get("min_pose_change_deg", 0)
                and other != driver
            }
            assert drawn_sources(pairs, crops, driver) == wanted
            constrained += len(wanted) < len(track) - 1
        assert constrained


@pytest.mark.parametrize("settings", [{"min_time_gap_s": 60.0}, {"min_pose_change_deg": 179.0}])
def test_training_pairs_without_distant_crop_use_furthest_in_time(crops, settings):
    pairs = TrainingPairs(crops, roles=(), **settings)
    for driver in (0, 7, 39):
        track = np.flatnonzero(crops.track == crops.track[driver])
        (source,) = drawn_sources(pairs, crops, driver, 20)
        assert (
            abs(crops.time[source] - crops.time[driver])
            == np.abs(crops.time[track] - crops.time[driver]).max()
        )


def test_training_pairs_depend_on_seed_alone(crops):
    pairs = TrainingPairs(crops, augmentation=Augmentation(flip=0.5, color=0.3))

    def pair(draw, state):
        torch.manual_seed(state)
        np.random.seed(state)  # noqa: NPY002
        return torch.cat([value.flatten().float() for value in pairs[draw]])

    assert torch.equal(pair((5, 1), 0), pair((5, 1), 1))
    assert not torch.equal(pair((5, 1), 0), pair((5, 2), 0))
    # With the index alone as well: a fixed pair, for a look at it.
    assert torch.equal(pair(5, 0), pair(5, 1))
    assert torch.equal(pair(5, 0), pair((5, 5), 0))


def test_training_pairs_apply_augmentation(crops):
    pairs = TrainingPairs(
        crops, augmentation=lambda pair, generator: pair._replace(driving_image=-pair.driving_image)
    )
    assert torch.equal(pairs[4].driving_image, -crops.picture(4))


@pytest.mark.parametrize("count", [1, 7, 38, 1000])
def test_validation_pairs_are_fixed_and_never_of_one_crop(crops, count):
    torch.manual_seed(count)
    pairs = ValidationPairs(crops, count)
    torch.manual_seed(count + 1)
    np.testing.assert_array_equal(pairs.indices, ValidationPairs(crops, count).indices)
    assert len(pairs) == min(count, 38)
    source, driver = pairs.indices.T
    assert (source != driver).all()
    assert len(set(driver.tolist())) == len(driver)
    np.testing.assert_array_equal(crops.track[source], crops.track[driver])
    for track in set(crops.track[source].tolist()):
        assert set(source[crops.track[source] == track].tolist()) == {np.flatnonzero(crops.track == track)[0]}


def test_validation_pairs_are_evenly_spaced(crops):
    _, driver = ValidationPairs(crops, 10).indices.T
    assert np.bincount(crops.track[driver]).tolist() == [5, 5]
    assert np.diff(driver).max() <= 6


def test_validation_pairs_read_images(crops):
    pairs = ValidationPairs(crops, 5)
    source, driver = pairs.indices[3]
    assert torch.equal(pairs[3].source_image, crops.picture(source))
    assert torch.equal(pairs[3].driving_image, crops.picture(driver))


def test_pairs_of_no_crops_are_empty(prepared):
    empty = FaceCrops(prepared, "holiday")
    assert len(TrainingPairs(empty)) == len(ValidationPairs(empty, 5)) == 0


@pytest.mark.slow
@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_training_pairs_in_worker_processes_are_equal(crops, way):
    pairs = TrainingPairs(crops, augmentation=Augmentation(flip=0.5, color=0.3))
    # Touched before: what is open here must not be shared with them.
    alone = [pairs[index] for index in range(8)]
    loader = DataLoader(Subset(pairs, range(8)), None, num_workers=2, multiprocessing_context=way)
    for one, other in zip(alone, loader, strict=True):
        assert isinstance(other, FacePair)
        assert all(torch.equal(value, other_value) for value, other_value in zip(one, other, strict=True))


def test_face_crops_when_pickled_leave_images_in_file(crops):
    """Only their place in the memory-mapped file is pickled, before and after reading."""
    crops.picture(0)
    numbers = sum(array.nbytes for array in vars(crops).values() if isinstance(array, np.ndarray))
    pickled = pickle.dumps(crops)
    assert len(pickled) < numbers + 10_000
    again = pickle.loads(pickled)
    assert torch.equal(again.picture(7), crops.picture(7))
