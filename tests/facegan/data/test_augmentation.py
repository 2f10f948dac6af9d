import math

import cv2
import numpy as np
import pytest
import torch

from facegan.data import Augmentation, FaceCrops, TrainingPairs, normalize_images, read_pair
from facegan.data.augmentation import flip_pair
from facegan.data.face_pair import FacePair
from facegan.geometry.landmarks import denormalize_points, draw_gaussians, normalize_points
from facegan.geometry.motion import edit_motion, flip_motion, motion_to_openface
from facegan.perception import FaceAnalyzer
from synthetic_heads import render, sample_identity

SOURCE = ("source_image", "source_segmentation", "source_landmarks", "source_motion")


@pytest.fixture(scope="module")
def pair(prepared):
    return read_pair(FaceCrops(prepared, "train"), 0, 12)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def unchanged(one, other, but=()):
    return all(
        getattr(other, name) is value or torch.equal(value, getattr(other, name))
        for name, value in one._asdict().items()
        if name not in but
    )


def affine(given, seed=0, bound=0.1, **more):
    return Augmentation(0, 0, affine_strength=bound, **more)(given, seeded(seed))


def placed(changed, before):
    """The 2×3 matrix that took the landmarks where they are, in pixels."""
    points, moved = (denormalize_points(some.numpy(), 64) for some in (before, changed))
    homogeneous = np.c_[points, np.ones(68)]
    matrix, residual = np.linalg.lstsq(homogeneous, moved, rcond=None)[:2]
    assert residual.max() < 1e-4
    return matrix.T


def test_flip_pair_flips_images_landmarks_and_motion_alike(pair):
    """Mirrored landmarks, drawn, are the flip_pair drawing; the face is still where they are."""
    flipped = flip_pair(pair)
    for role in ("source", "driving"):
        for name in (f"{role}_image", f"{role}_segmentation"):
            assert torch.equal(getattr(flipped, name), getattr(pair, name).flip(-1))
        points = getattr(flipped, f"{role}_landmarks")
        drawn = draw_gaussians(points[None], 64, 0.04)
        before = draw_gaussians(getattr(pair, f"{role}_landmarks")[None], 64, 0.04)
        torch.testing.assert_close(drawn, before.flip(-1))
        assert points[36, 0] < points[45, 0]  # the person's right eye stays on the left
        motion = flip_motion(getattr(pair, f"{role}_motion"))
        torch.testing.assert_close(getattr(flipped, f"{role}_motion"), motion)
    assert unchanged(flip_pair(flipped), pair)


def test_augmentation_flips_with_given_probability(pair):
    always, never = Augmentation(flip=1, color=0), Augmentation(flip=0, color=0)
    assert unchanged(always(pair, seeded()), flip_pair(pair))
    assert unchanged(never(pair, seeded()), pair)
    sometimes, generator = Augmentation(flip=0.3, color=0), seeded()
    flips = sum(unchanged(sometimes(pair, generator), flip_pair(pair)) for _ in range(200))
    assert 40 < flips < 80


def test_augmentation_color_changes_all_images_alike(pair):
    """With one picture on both sides, both sides stay the same picture."""
    twins = pair._replace(driving_image=pair.source_image)
    augmentation = Augmentation(flip=0, color=0.3)
    generator = seeded()
    changes = []
    for _ in range(10):
        changed = augmentation(twins, generator)
        assert torch.equal(changed.source_image, changed.driving_image)
        changes.append((changed.source_image - pair.source_image).abs().mean().item())
    assert max(changes) > 0.05
    assert len(set(changes)) == 10


def test_augmentation_color_keeps_shapes_ranges_and_other_fields(pair):
    changed = Augmentation(flip=0, color=0.5)(pair, seeded(1))
    images = ("source_image", "driving_image", "background_image")
    for name in images:
        picture = getattr(changed, name)
        assert picture.shape == (3, 64, 64)
        assert picture.dtype == torch.float32
        assert -1 <= picture.min() <= picture.max() <= 1
    assert unchanged(changed._replace(**{name: getattr(pair, name) for name in images}), pair)


def test_augmentation_does_not_change_given_pair(pair):
    before = FacePair(*(value.clone() for value in pair))
    Augmentation(flip=1, color=0.5)(pair, seeded())
    assert unchanged(pair, before)


@pytest.mark.parametrize("seed", range(6))
def test_augmentation_affine_moves_landmarks_with_image(pair, seed):
    """Gaussians drawn at the moved landmarks are the moved drawing of Gaussians."""
    sigma = 0.08
    drawn = draw_gaussians(pair.source_landmarks[None], 64, sigma)[0, 0] / 8
    picture = (drawn * 2 - 1).clamp(-1, 1).expand(3, -1, -1)
    changed = affine(pair._replace(source_image=picture), seed, 0.05)
    matrix = placed(changed.source_landmarks, pair.source_landmarks)
    scale = math.sqrt(np.linalg.det(matrix[:, :2]))
    expected = draw_gaussians(changed.source_landmarks[None], 64, sigma * scale)[0, 0] / 8
    seen = (changed.source_image[0] + 1) / 2
    error, shift = (expected.clamp(max=1) - seen).abs()[4:-4, 4:-4], (drawn - seen).abs()[4:-4, 4:-4]
    assert error.max() < 0.03
    assert shift.max() > 0.1


@pytest.mark.parametrize("seed", range(4))
def test_augmentation_affine_moves_labels_to_nearest_pixel(pair, seed):
    changed = affine(pair, seed)
    matrix = placed(changed.source_landmarks, pair.source_landmarks)
    back = np.linalg.inv(np.vstack((matrix, [0, 0, 1])))
    columns, rows = np.meshgrid(np.arange(64), np.arange(64))
    places = back @ np.stack((columns.ravel(), rows.ravel(), np.ones(64 * 64)))
    x, y = (np.clip(np.rint(part), 0, 63).astype(int) for part in places[:2])
    expected = pair.source_segmentation.numpy()[y, x].reshape(64, 64)
    labels = changed.source_segmentation.numpy()
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) <= {0, 1, 2}
    # OpenCV rounds halves of a pixel by its own grid.
    assert (labels == expected).mean() > 0.98
    assert (labels == pair.source_segmentation.numpy()).mean() < 0.98


def test_augmentation_affine_stays_in_bounds(pair):
    generator, changes = seeded(), Augmentation(0, 0, affine_strength=0.1)
    before = pair.source_landmarks
    moved = [changes(pair, generator).source_landmarks for _ in range(300)]
    matrices = [placed(after, before) for after in moved]
    linear = np.array(matrices)[:, :, :2]
    scales = np.sqrt(np.linalg.det(linear))
    turns = np.degrees(np.arctan2(linear[:, 1, 0], linear[:, 0, 0]))
    middle = np.array(matrices) @ [31.5, 31.5, 1] - 31.5
    assert 0.8 <= scales.min() < 0.83 < 1.17 < scales.max() <= 1.2
    assert -11.47 <= turns.min() < -10 < 10 < turns.max() <= 11.47
    assert 5 < np.abs(middle).max() <= 6.4 + 0.51


def test_augmentation_affine_rotates_pose_as_detected():
    person = sample_identity(4)
    size, wanted = 192, {"yaw": 10, "pitch": -6, "roll": 4}
    drawn = render(person, edit_motion(torch.zeros(20), wanted).numpy(), size).image
    with FaceAnalyzer(single_images=True) as analyzer:
        (face,) = analyzer(drawn)
        picture = torch.from_numpy(drawn).permute(2, 0, 1)
        labels = torch.zeros(size, size, dtype=torch.uint8)
        points = torch.from_numpy(normalize_points(face.landmarks, size))
        motion = torch.from_numpy(face.motion)
        given = FacePair(points, motion, points, motion, picture, labels)
        turns = []
        for seed in range(8):
            changed = Augmentation(0, 0, affine_strength=0.12)(given, seeded(seed))
            image = np.ascontiguousarray(changed.source_image.permute(1, 2, 0).numpy())
            (seen,) = analyzer(image)
            _, told = motion_to_openface(changed.source_motion)
            off = np.degrees(told.numpy() - seen.angles)
            assert np.abs(off[2]) < 2
            assert np.abs(off[:2]).max() < 5
            moved = denormalize_points(changed.source_landmarks.numpy(), size)
            eyes = np.linalg.norm(moved[45] - moved[36])
            assert np.linalg.norm(moved - seen.landmarks, axis=1).mean() < 0.08 * eyes
            turns.append(math.degrees(told[2]) - math.degrees(face.angles[2]))
    assert min(turns) < -4 < 4 < max(turns)


def test_augmentation_degrades_source_only(pair):
    changed = Augmentation(0, 0, blur=2, jpeg=20, affine_strength=0.1)(pair, seeded(3))
    assert unchanged(pair, changed, SOURCE)
    for name in SOURCE:
        assert not torch.equal(getattr(changed, name), getattr(pair, name))
    assert torch.equal(changed.source_motion[:17], pair.source_motion[:17])


def test_augmentation_without_affine_changes_only_image(pair):
    changed = Augmentation(0, 0, blur=2, jpeg=20)(pair, seeded(3))
    assert unchanged(pair, changed, ("source_image",))
    assert not torch.equal(changed.source_image, pair.source_image)


def test_augmentation_of_all_roles_changes_them_alike(pair):
    """Twins stay twins, and the background moves with the driver."""
    image, labels = pair.source_image, pair.source_segmentation
    twins = FacePair(*(pair.source_landmarks, pair.source_motion) * 2, *(image, labels) * 3)
    changed = Augmentation(0, 0.2, blur=2, jpeg=20, affine_strength=0.1, augment_source_only=False)(
        twins, seeded(5)
    )
    for part in ("image", "segmentation", "landmarks", "motion"):
        source, driving = (getattr(changed, f"{role}_{part}") for role in ("source", "driving"))
        assert torch.equal(driving, source)
        assert not torch.equal(source, getattr(pair, f"source_{part}"))
    assert torch.equal(changed.background_image, changed.driving_image)
    assert torch.equal(changed.background_segmentation, changed.driving_segmentation)


def test_augmentation_flips_last(pair):
    settings = {"blur": 1.5, "jpeg": 50, "affine_strength": 0.1}
    flipped = Augmentation(1, 0.2, **settings)(pair, seeded(2))
    assert unchanged(flipped, flip_pair(Augmentation(0, 0.2, **settings)(pair, seeded(2))))


def test_augmentation_blur_stays_in_bounds(pair):
    """A lone bright point spreads by the standard deviation of the blur."""
    point = torch.full((3, 64, 64), -1.0)
    point[:, 31, 31] = 1
    generator, changes = seeded(), Augmentation(0, 0, blur=2)
    places = torch.arange(64.0)
    spreads = []
    for _ in range(100):
        light = (changes(pair._replace(source_image=point), generator).source_image[0] + 1) / 2
        column = light.sum(dim=0) / light.sum()
        spreads.append(((places - 31).square() * column).sum().sqrt().item())
    assert max(spreads) <= 2.05
    assert max(spreads) > 1.6
    assert min(spreads) < 0.4


def test_augmentation_jpeg_quality_stays_in_bounds(pair):
    picture = ((pair.source_image + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    qualities = {}
    for quality in range(30, 101):
        # albumentations gives OpenCV red as blue, and takes it back so.
        code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        qualities[cv2.imdecode(code, cv2.IMREAD_COLOR).tobytes()] = quality
    generator, changes = seeded(), Augmentation(0, 0, jpeg=40)
    found = []
    for _ in range(200):
        image = ((changes(pair, generator).source_image + 1) * 127.5).round().byte().permute(1, 2, 0)
        found.append(qualities.get(image.contiguous().numpy().tobytes()))
    assert None not in found
    assert 40 <= min(found) < 45
    assert 95 < max(found) <= 100


def test_augmentation_of_uint8_and_float_agrees(prepared):
    crops = FaceCrops(prepared, "train")
    changes = Augmentation(0.5, 0.3, blur=1, jpeg=50, affine_strength=0.1)
    floats, stored = (TrainingPairs(crops, augmentation=changes, normalize=some) for some in (True, False))
    for index in range(0, 40, 7):
        one, other = floats[index], stored[index]
        assert other.source_image.dtype == torch.uint8
        assert unchanged(one, normalize_images(other))


def test_augmentation_depends_on_generator_alone(pair):
    changes = Augmentation(0.5, 0.3, blur=1, jpeg=50, affine_strength=0.1)
    first = changes(pair, seeded(3))
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    assert unchanged(first, changes(pair, seeded(3)))
    assert not unchanged(first, changes(pair, seeded(4)))


def test_augmentation_without_images_only_flips(prepared):
    numbers = read_pair(FaceCrops(prepared, "train"), 0, 12, roles=())
    changed = Augmentation(1, 0.3, blur=1, jpeg=50, affine_strength=0.1)(numbers, seeded())
    assert unchanged(changed, flip_pair(numbers))
