"""The renderer holds the conventions as data of its own: they must be those of facegan."""

from facegan.geometry import landmarks, motion, segmentation
from facegan.preparation.dataset_format import NUM_MESH_POINTS
from synthetic_heads import conventions


def test_conventions_of_both_packages_agree():
    assert conventions.LANDMARK_INDICES == landmarks.MESH_INDICES
    assert conventions.NUM_LANDMARKS == landmarks.NUM_LANDMARKS
    assert conventions.NUM_MESH_POINTS == NUM_MESH_POINTS
    assert conventions.ACTION_UNITS == motion.ACTION_UNITS
    assert conventions.POSE_ANGLES == motion.POSE_ANGLES
    assert conventions.MOTION_NAMES == motion.MOTION_NAMES
    assert conventions.POSE_SCALE == motion.POSE_SCALE
    for name in ("BACKGROUND", "FACE", "HAIR"):
        assert getattr(conventions, name) == getattr(segmentation, name)
