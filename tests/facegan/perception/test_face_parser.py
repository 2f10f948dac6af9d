import cv2
import numpy as np
import pytest
import torch

from facegan.geometry.motion import NUM_MOTION_PARAMS, edit_motion
from facegan.geometry.segmentation import BACKGROUND, FACE, HAIR
from facegan.perception import FaceAnalyzer, FaceParser, assets
from facegan.perception.face_parser import FACE_OVAL, keep_face_component, labels_from_person_mask
from synthetic_heads import render, sample_identity

SIZE = 192
GRAY = np.full((96, 96, 3), 128, np.uint8)
SHOWN = ({}, {"yaw": 20}, {"roll": 15}, {"AU26": 0.9, "pitch": 8})


def overlap(ours, theirs):
    return (ours & theirs).sum() / (ours | theirs).sum()


@pytest.fixture(scope="module")
def heads():
    """Drawn heads with the mesh that is seen in them."""
    frames = [
        render(sample_identity(seed), edit_motion(torch.zeros(NUM_MOTION_PARAMS), values).numpy(), SIZE)
        for seed in range(3)
        for values in SHOWN
    ]
    with FaceAnalyzer(single_images=True) as analyzer:
        return [(frame, analyzer(frame.image)[0].mesh) for frame in frames]


@pytest.fixture(scope="module")
def parser():
    with FaceParser() as parser:
        yield parser


def check(parser, heads):
    faces, whole, right = [], [], []
    for frame, mesh in heads:
        labels = parser(frame.image, mesh)
        assert labels.shape == (SIZE, SIZE)
        assert labels.dtype == np.uint8
        assert set(np.unique(labels)) <= {BACKGROUND, FACE, HAIR}
        faces.append(overlap(labels == FACE, frame.segmentation == FACE))
        right.append((frame.segmentation[labels == FACE] == FACE).mean())
        whole.append(overlap(labels > BACKGROUND, frame.segmentation > BACKGROUND))
    assert min(faces) > 0.7
    assert min(whole) > 0.7
    return faces, whole, right


def test_parse_labels_match_ground_truth(parser, heads):
    check(parser, heads)


def test_parse_person_mask_and_landmarks_give_labels(heads, monkeypatch):
    """Without the multiclass model; the mesh ends before the ears and below the hairline."""
    monkeypatch.setattr(assets, "is_available", lambda name: False)
    with FaceParser() as parser:
        assert not parser.multiclass
        faces, whole, right = check(parser, heads)
        assert np.mean(faces) > 0.8
        assert np.min(right) > 0.96
        assert np.mean(whole) > 0.85


@pytest.fixture
def mesh():
    """A mesh of which the outline alone counts: a circle of radius 20 about (48, 56)."""
    angle = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    mesh = np.zeros((478, 3), np.float32)
    mesh[list(FACE_OVAL), 0] = 48 + 20 * np.sin(angle)
    mesh[list(FACE_OVAL), 1] = 56 - 20 * np.cos(angle)
    return mesh


def test_parse_face_is_inside_of_outline(mesh):
    rows, columns = np.indices((96, 96))
    distance = np.hypot(columns - 48, rows - 56)
    for person in (np.ones((96, 96), bool), np.zeros((96, 96), bool)):
        labels = labels_from_person_mask(person, GRAY, mesh)
        assert (labels[distance < 18.5] == FACE).all()
        assert (labels[distance > 21.5] != FACE).all()


def test_parse_hair_is_remaining_person_around_head(mesh):
    assert not (labels_from_person_mask(np.zeros((96, 96), bool), GRAY, mesh) == HAIR).any()
    hair = labels_from_person_mask(np.ones((96, 96), bool), GRAY, mesh) == HAIR
    assert hair[14, 48]  # hair stands higher above the face than the chin is below its middle
    assert hair[56, 25]
    assert hair[56, 71]
    assert not hair[76:].any()  # below the chin
    assert not hair[:8].any()
    assert not hair[:40, :8].any()
    assert not hair[:40, 88:].any()
    half = np.zeros((96, 96), bool)
    half[:, :48] = True
    np.testing.assert_array_equal(labels_from_person_mask(half, GRAY, mesh) == HAIR, hair & half)


def test_parse_collar_is_background_and_long_hair_is_hair(mesh):
    """Both reach as far up beside the chin; only their colors differ."""
    image = np.full((96, 96, 3), (200, 160, 140), np.uint8)  # skin
    image[:50] = (60, 40, 20)  # hair above the eyes
    image[50:, 68:] = (60, 40, 20)  # falls on one side
    image[64:, :32] = (220, 30, 30)  # a collar stands on the other
    rows, columns = np.indices((96, 96))
    image[np.hypot(columns - 48, rows - 56) < 20] = (200, 160, 140)
    labels = labels_from_person_mask(np.ones((96, 96), bool), image, mesh)
    assert (labels[68:84, 72:76] == HAIR).all()
    assert (labels[68:, :30] == BACKGROUND).all()
    assert (labels[80:, 40:56] == BACKGROUND).all()


def test_parse_bald_head_has_no_hair_below_eyes(mesh):
    """A tight person mask: only what is beside the cheeks, the ears, belongs to the head."""
    rows, columns = np.indices((96, 96))
    person = (np.hypot(columns - 48, rows - 56) < 22) | (rows > 74)
    labels = labels_from_person_mask(person, GRAY, mesh)
    assert (labels[rows > 77] == BACKGROUND).all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_parse_labels_rotate_with_head(mesh, quarters):
    """Seen upside down, hair is on the other side of the chin."""
    turned = mesh.copy()
    for _ in range(quarters):  # a quarter anticlockwise, as numpy.rot90 turns the picture
        turned[:, 0], turned[:, 1] = turned[:, 1].copy(), 95 - turned[:, 0]
    person = np.ones((96, 96), bool)
    straight = labels_from_person_mask(person, GRAY, mesh)
    assert (labels_from_person_mask(person, GRAY, turned) != np.rot90(straight, quarters)).mean() < 0.02


@pytest.mark.parametrize("shift", [-60, 70, 500])
def test_parse_face_beyond_border_keeps_labels(mesh, shift):
    labels = labels_from_person_mask(np.ones((96, 96), bool), GRAY, mesh + shift)
    assert labels.shape == (96, 96)


def test_parse_component_apart_from_face_is_background(mesh):
    person = np.zeros((96, 96), bool)
    person[10:86, 10:86] = True
    labels = labels_from_person_mask(person, GRAY, mesh)
    apart = labels.copy()
    free = np.argwhere(cv2.dilate((labels > 0).astype(np.uint8), np.ones((5, 5))) == 0)
    row, column = free[0]
    apart[row, column] = HAIR
    np.testing.assert_array_equal(keep_face_component(apart, mesh), labels)
    np.testing.assert_array_equal(keep_face_component(labels, mesh), labels)


def test_parse_without_face_is_background(mesh):
    assert not keep_face_component(np.full((96, 96), HAIR, np.uint8), mesh + 500).any()
