import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facegan.geometry.crop import Crop, track_side
from facegan.geometry.landmarks import interocular_center, normalize_points
from facegan.geometry.segmentation import reduce_labels

finite = st.floats(-500, 2000)


def blob(center, sigma, height=400, width=500):
    """A bright Gaussian spot at a place between the pixels."""
    rows, columns = np.indices((height, width))
    distance = (columns - center[0]) ** 2 + (rows - center[1]) ** 2
    image = 255 * np.exp(-0.5 * distance / sigma**2)
    return np.repeat(image.round().astype(np.uint8)[..., None], 3, axis=-1)


def centroid(image):
    weight = image[..., 0].astype(float)
    rows, columns = np.indices(weight.shape)
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("side", [40.0, 63.9, 64.0, 64.1, 97.3, 128.0, 150.5, 333.3])
@pytest.mark.parametrize(("x", "y"), [(200.0, 180.0), (203.37, 181.81)])
def test_pixels_and_points_agree(side, x, y):
    size = 64
    center = np.array([x + 0.31, y - 0.23])
    crop = Crop(x - 0.47 * side, y - 0.53 * side, side)
    picture = crop.cut(blob(center, sigma=0.06 * side), size)
    assert picture.shape == (size, size, 3)
    np.testing.assert_allclose(centroid(picture), crop.to_crop(center, size), atol=0.1)


def test_crop_integer_square_is_copied():
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    np.testing.assert_array_equal(Crop(20, 10, 64).cut(image, 64), image[10:74, 20:84])


def test_whole_blocks_are_averaged():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    blocks = image.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(Crop(0, 0, 64).cut(image, 16), blocks, atol=0.51)


def test_shrinking_does_not_alias():
    image = np.zeros((300, 300, 3), np.uint8)
    image[::2] = 255
    for side in (150.0, 217.3, 290.0):
        picture = Crop(3.3, 4.4, side).cut(image, 64).astype(float)
        assert np.abs(picture - 127.5).max() < 50


def test_crop_beyond_frame_repeats_border():
    image = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)
    picture = Crop(-20, 5, 32).cut(image, 32)
    np.testing.assert_array_equal(picture[:, :20], np.repeat(image[5:37, :1], 20, axis=1))


@given(
    finite,
    finite,
    st.floats(8, 3000),
    st.integers(16, 512),
    st.lists(st.tuples(finite, finite, finite), min_size=1),
)
def test_crop_coordinates_round_trip(x, y, side, size, points):
    crop = Crop(x, y, side)
    points = np.array(points)
    there = crop.to_crop(points, size)
    assert there.dtype == np.float32
    np.testing.assert_allclose(
        crop.to_frame(there, size), points, atol=2e-6 * (side + 5000) * max(1, side / size)
    )


def test_depth_is_scaled_alike():
    assert Crop(10, 20, 50).to_crop(np.array([[0.0, 0.0, 5.0]]), 100)[0, 2] == pytest.approx(10)


def test_crop_corners_map_to_square():
    crop = Crop(10, 20, 50)
    corners = crop.to_crop(np.array([[9.5, 19.5], [59.5, 69.5]]), 128)
    np.testing.assert_allclose(normalize_points(corners, 128), [[-1, -1], [1, 1]], atol=1e-6)


@given(st.integers(0, 2**32 - 1), st.floats(20, 900))
def test_crop_for_face_places_eyes(seed, side):
    points = np.random.default_rng(seed).uniform(0, 1000, (68, 2)).astype(np.float32)
    crop = Crop.around(points, side)
    eyes = normalize_points(crop.to_crop(interocular_center(points), 256), 256)
    np.testing.assert_allclose(eyes, [0, 2 * 0.42 - 1], atol=1e-4)


def test_crop_for_face_side_is_twice_median_extent():
    assert track_side(np.array([90.0, 100.0, 500.0])) == 200


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 4), st.sampled_from([5, 16]))
def test_crop_labels_are_majority_of_covered_pixels(x, y, scale, size):
    """Of whole blocks of a frame's pixels, counted; several may cover as much."""
    labels = np.random.default_rng(x).integers(0, 3, (100, 100), np.uint8)
    blocks = labels[y : y + scale * size, x : x + scale * size].reshape(size, scale, size, scale)
    counts = np.stack([(blocks == label).sum(axis=(1, 3)) for label in range(3)])
    for found in (
        Crop(x, y, scale * size).cut_labels(labels, size),
        reduce_labels(labels[y : y + scale * size, x : x + scale * size], size),
    ):
        assert (found.shape, found.dtype) == ((size, size), np.uint8)
        np.testing.assert_array_equal(np.take_along_axis(counts, found[None], 0)[0], counts.max(axis=0))


@given(st.floats(-40, 60), st.floats(-40, 60), st.floats(20, 200), st.sampled_from([16, 33, 64]))
def test_crop_labels_align_with_image(x, y, side, size):
    """A disc, but for its outline's pixels."""
    rows, columns = np.mgrid[:70, :90]
    disc = ((rows - 35) ** 2 + (columns - 45) ** 2 < 20**2).astype(np.uint8)
    crop = Crop(x, y, side)
    places = crop.to_frame(np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1), size)
    distance = np.linalg.norm(places - (45, 35), axis=-1) - 20
    clear = np.abs(distance) > 1 + side / size / np.sqrt(2)
    np.testing.assert_array_equal(crop.cut_labels(2 * disc, size)[clear], 2 * (distance < 0)[clear])
