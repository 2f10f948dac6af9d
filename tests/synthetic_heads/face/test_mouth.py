from dataclasses import replace

import cv2
import numpy as np
import pytest

from synthetic_heads import render, sample_identity
from synthetic_heads.conventions import MOTION_NAMES, NUM_MOTION_PARAMS
from synthetic_heads.face.canonical_face import LIPS_LOWER, LIPS_UPPER
from synthetic_heads.face.expression import JAW_JOINT
from synthetic_heads.face.mouth import Mouth, lips_rim
from synthetic_heads.face.skull import fine_face

SEEDS = (1, 3, 4, 5)


def vector(**units):
    values = np.zeros(NUM_MOTION_PARAMS, np.float32)
    for name, value in units.items():
        values[MOTION_NAMES.index(name)] = value
    return values


def inside(frame):
    """The pixels between the lips, and the skin's brightness."""
    mask = np.zeros(frame.image.shape[:2], np.uint8)
    # A pixel off the edge, which lips overhang.
    cv2.fillPoly(mask, [np.rint(frame.landmarks[60:]).astype(np.int32)], 1)
    mask = cv2.erode(mask, np.ones((3, 3), np.uint8))
    columns, rows = np.rint(frame.landmarks[[29, 30, 2, 14]]).astype(int).T
    return frame.image[mask > 0].astype(int), frame.image[rows, columns].mean()


def move(mouth, rig, **units):
    """Vertices of each part."""
    values = vector(**units)
    vertices = mouth.deform(fine_face().apply(rig.deform(values)), float(values[MOTION_NAMES.index("AU26")]))
    sizes = [len(part.vertices) for part in mouth.parts()]
    assert len(vertices) == sum(sizes)
    return np.split(vertices, np.cumsum(sizes)[:-1])


def test_lip_rim_runs_over_upper_lip():
    loop = lips_rim().tolist()
    assert loop[::4] == [*LIPS_UPPER[3], *LIPS_LOWER[3][-2:0:-1]]
    assert len(set(loop)) == len(loop) == 80


@pytest.mark.parametrize("number", range(0, 24, 4))
def test_jaw_moves_only_lower_teeth_and_tongue(rigs, number):
    rig = rigs[number]
    mouth = Mouth(rig)
    cavity, upper, lower, tongue = move(mouth, rig)
    wide, upper_after, lower_after, tongue_after = move(mouth, rig, AU25=1, AU26=1)
    np.testing.assert_array_equal(upper, upper_after)
    assert (lower_after[:, 1] - lower[:, 1] > 0.5).all()
    assert (tongue_after[:, 1] - tongue[:, 1]).mean() > 0.5
    # A turn about the joints, which slide: teeth keep their shape.
    before, after = (np.linalg.norm(np.diff(row, axis=0), axis=1) for row in (lower, lower_after))
    np.testing.assert_allclose(before, after, atol=1e-4)
    assert JAW_JOINT[2] > lower[:, 2].min()
    rim = rig.neutral[[13, 14]].mean(axis=0)
    # All is behind the lips, and the mouth is closed at its back.
    assert min(part[:, 2].min() for part in (upper, lower, tongue)) > rim[2]
    around = len(lips_rim())
    assert np.ptp(cavity[-around:], axis=0).max() < 1e-5
    assert cavity[-1, 2] > tongue[:, 2].min()
    np.testing.assert_array_equal(
        wide[:around], fine_face().apply(rig.deform(vector(AU25=1, AU26=1)))[lips_rim()]
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_open_mouth_shows_teeth_and_cavity(seed):
    frame = render(replace(sample_identity(seed), beard=None), vector(AU25=1, AU26=1))
    pixels, skin = inside(frame)
    bright = pixels.mean(axis=1)
    assert len(pixels) > 100
    assert (bright < 0.35 * skin).mean() > 0.2
    # Teeth: brighter than the rest by far, and nearly without color.
    teeth = (bright > 90) & (np.ptp(pixels, axis=1) < 60)
    assert 0.05 < teeth.mean() < 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_closed_mouth_shows_no_interior(seed):
    identity = replace(sample_identity(seed), beard=None)
    closed, opened = (render(identity, vector(**units)) for units in ({}, {"AU25": 1, "AU26": 1}))
    assert len(inside(closed)[0]) < 0.1 * len(inside(opened)[0])
    seam = np.rint(closed.landmarks[[61, 62, 63, 65, 66, 67]]).astype(int)
    skin = inside(closed)[1]
    shown = np.array([closed.image[y - 2 : y + 3, x].mean(axis=1) for x, y in seam])
    # The line between the lips is darker than they are, but no hole, and no tooth shines through.
    assert shown.min() > 0.12 * skin
    assert shown.max() < 1.25 * skin
