import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from facegan.geometry.landmarks import (
    CLOSED_CONTOURS,
    EDGES,
    FLIP_INDICES,
    JAW,
    LEFT_BROW,
    MESH_INDICES,
    NOSE_BASE,
    NOSE_BRIDGE,
    OPEN_CONTOURS,
    RIGHT_BROW,
    denormalize_points,
    draw_gaussians,
    flip_landmarks,
    interocular_center,
    landmarks_from_mesh,
    normalize_points,
)
from synthetic_heads.face.canonical_face import canonical_mesh

seeds = st.integers(0, 2**31 - 1)


def random_points(seed, faces=2):
    return torch.rand(faces, 68, 2, generator=torch.Generator().manual_seed(seed)) * 1.8 - 0.9


def drawn_by_hand(points, size, sigma):
    """The definition, pixel by pixel and landmark by landmark."""
    picture = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            x, y = (2 * column + 1) / size - 1, (2 * row + 1) / size - 1
            for px, py in points:
                picture[row, column] += np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2))
    return picture


def test_contours_hold_every_landmark_once_and_their_edges():
    contours = OPEN_CONTOURS + CLOSED_CONTOURS
    assert sorted(index for line in contours for index in line) == list(range(68))
    assert len(EDGES) == len(set(EDGES)) == 31 + 32
    degrees = np.bincount(np.ravel(EDGES), minlength=68)
    ends = {index for line in OPEN_CONTOURS for index in (line[0], line[-1])}
    assert {index for index in range(68) if degrees[index] == 1} == ends
    assert (degrees <= 2).all()
    assert {(36, 41), (41, 36)} & set(EDGES)
    assert not {(16, 17), (30, 31), (35, 36)} & set(EDGES)


def test_mesh_indices_are_unique():
    assert len(MESH_INDICES) == len(set(MESH_INDICES)) == 68
    assert 0 <= min(MESH_INDICES) <= max(MESH_INDICES) < 468


def test_flip_landmarks_symmetrical_face_is_unchanged():
    face = landmarks_from_mesh(canonical_mesh().vertices)
    mirrored = face[list(FLIP_INDICES)] * [-1, 1]
    np.testing.assert_allclose(mirrored, face, atol=1e-3)


def test_landmark_scheme_has_standard_order():
    """The person's right is on the left of the picture, y runs down."""
    face = landmarks_from_mesh(canonical_mesh().vertices)
    assert (np.diff(face[list(JAW), 0]) > 0)[2:-2].all()
    assert face[8, 1] == face[:, 1].max()
    for line in (RIGHT_BROW + LEFT_BROW, NOSE_BASE):
        assert (np.diff(face[list(line), 0]) > 0).all()
    assert (np.diff(face[list(NOSE_BRIDGE), 1]) > 0).all()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46), (51, 57), (62, 66), (51, 62), (66, 57)):
        assert face[upper, 1] < face[lower, 1]
    for left, right in ((36, 39), (39, 42), (42, 45), (48, 60), (60, 64), (64, 54)):
        assert face[left, 0] < face[right, 0]


def test_interocular_center_is_between_eyes():
    points = np.zeros((3, 68, 2), np.float32)
    points[:, 36:42] = [1, 5]
    points[:, 42:48] = [2, 7]
    np.testing.assert_array_equal(interocular_center(points), [[1.5, 6]] * 3)


@given(st.floats(-1000, 1000), st.integers(1, 2048))
def test_normalize_and_back(pixel, size):
    point = np.array([[pixel, -pixel]])
    there = normalize_points(point, size)
    assert there.dtype == np.float32
    np.testing.assert_allclose(denormalize_points(there, size), point, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_normalized_pixel_centers_are_where_grid_sample_reads(size):
    picture = torch.rand(1, 1, size, size)
    rows, columns = np.indices((size, size))
    grid = normalize_points(np.stack((columns, rows), axis=-1), size)
    sampled = functional.grid_sample(picture, torch.from_numpy(grid)[None], align_corners=False)
    torch.testing.assert_close(sampled, picture, atol=1e-5, rtol=0)


@given(seeds)
def test_flipped_twice_is_as_before(seed):
    points = random_points(seed)
    torch.testing.assert_close(flip_landmarks(flip_landmarks(points)), points, atol=0, rtol=0)


@given(seeds)
@settings(max_examples=20)
def test_flip_landmarks_mirrors_heat_map(seed):
    points = random_points(seed)
    torch.testing.assert_close(
        draw_gaussians(flip_landmarks(points), 48, 0.05), draw_gaussians(points, 48, 0.05).flip(-1)
    )


def test_flip_indices_swap_sides_and_keep_edges():
    points = random_points(0, faces=1)[0]
    mirrored = flip_landmarks(points)
    for here, there in ((36, 45), (37, 44), (41, 46), (17, 26), (48, 54), (60, 64), (0, 16), (31, 35)):
        assert mirrored[here].tolist() == [-points[there, 0].item(), points[there, 1].item()]
    for middle in (8, 27, 30, 33, 51, 62, 66, 57):
        assert mirrored[middle].tolist() == [-points[middle, 0].item(), points[middle, 1].item()]
    undirected = {frozenset(edge) for edge in EDGES}
    assert {frozenset((FLIP_INDICES[a], FLIP_INDICES[b])) for a, b in EDGES} == undirected


@pytest.mark.parametrize("size", [1, 16, 33, 64])
@pytest.mark.parametrize("sigma", [0.02, 0.1])
def test_drawing_agrees_with_its_definition(size, sigma):
    points = random_points(size)[:, :5]
    drawn = draw_gaussians(points, size, sigma)
    assert drawn.shape == (2, 1, size, size)
    for face, picture in zip(points.numpy(), drawn, strict=True):
        np.testing.assert_allclose(picture[0], drawn_by_hand(face, size, sigma), atol=2e-6)


@pytest.mark.parametrize("size", [8, 64, 255])
def test_lone_landmark_is_one_at_its_pixel(size):
    row, column = size // 3, size // 2 + 1
    points = torch.from_numpy(normalize_points(np.array([[[column, row]]]), size))
    drawn = draw_gaussians(points, size)[0, 0]
    assert drawn[row, column].item() == pytest.approx(1, abs=1e-6)
    assert divmod(drawn.argmax().item(), size) == (row, column)
    assert drawn.max() == drawn[row, column]


def test_draw_gaussians_coincident_points_add_up():
    once = random_points(1)[:, :1]
    torch.testing.assert_close(draw_gaussians(once.repeat(1, 2, 1), 32), 2 * draw_gaussians(once, 32))


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
@settings(max_examples=25)
def test_draw_gaussians_position_is_independent_of_resolution(x, y):
    for size in (32, 63, 128):
        drawn = draw_gaussians(torch.tensor([[[x, y]]]), size, 0.1)[0, 0]
        centers = (2 * torch.arange(size) + 1) / size - 1
        found = [(drawn.sum(dim=dim) @ centers / drawn.sum()).item() for dim in (0, 1)]
        assert found == pytest.approx([x, y], abs=2e-3)


@pytest.mark.parametrize("place", [1.5, -40.0, 1e8])
def test_draw_gaussians_point_outside_image_leaves_it_zero(place):
    points = torch.full((1, 1, 2), place, requires_grad=True)
    drawn = draw_gaussians(points, 32)
    drawn.sum().backward()
    assert drawn.abs().max() < 1e-6
    assert points.grad.isfinite().all()


@given(seeds)
@settings(max_examples=10)
def test_draw_gaussians_gradient_equals_finite_differences(seed):
    points = random_points(seed, faces=1)[:, :3]
    weights = torch.rand(32, 32, generator=torch.Generator().manual_seed(seed))

    def value(points):
        return (draw_gaussians(points, 32, 0.2) * weights).sum()

    (gradient,) = torch.autograd.grad(value(points.requires_grad_()), points)
    step = 1e-2
    for index in range(points.numel()):
        change = torch.zeros_like(points).view(-1)
        change[index] = step
        change = change.view_as(points)
        with torch.no_grad():
            slope = (value(points + change) - value(points - change)) / (2 * step)
        assert gradient.flatten()[index].item() == pytest.approx(slope.item(), rel=0.02, abs=0.05)


def test_draw_gaussians_descent_recovers_points():
    aim = torch.tensor([[[-0.4, -0.3], [0.35, 0.4]]])
    drawn = draw_gaussians(aim, 32, 0.2)
    points = torch.tensor([[[-0.2, -0.5], [0.1, 0.5]]], requires_grad=True)
    optimizer = torch.optim.Adam([points], lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        (draw_gaussians(points, 32, 0.2) - drawn).square().sum().backward()
        optimizer.step()
    torch.testing.assert_close(points.detach(), aim, atol=2e-3, rtol=0)


def test_mixed_precision_changes_nothing():
    points = random_points(3)
    expected = draw_gaussians(points, 64)
    with torch.autocast("cpu", torch.bfloat16):
        drawn = draw_gaussians(points, 64)
    assert drawn.dtype == torch.float32
    torch.testing.assert_close(drawn, expected, atol=0, rtol=0)
    assert draw_gaussians(points.bfloat16(), 64).dtype == torch.float32


@pytest.mark.parametrize("shape", [(68, 2), (1, 68, 3), (1, 136), (1, 1, 68, 2)])
def test_draw_gaussians_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="N×K×2"):
        draw_gaussians(torch.zeros(shape), 32)
