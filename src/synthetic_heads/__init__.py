"""Renderer of synthetic talking heads: images and videos whose ground truth is exactly known."""

from synthetic_heads.ground_truth_table import GROUND_TRUTH_FILE, GROUND_TRUTH_SCHEMA, GroundTruth
from synthetic_heads.identity import Identity, sample_identity
from synthetic_heads.motion.motion_sampler import MOTION_STYLES, MotionSequence, sample_motion
from synthetic_heads.render import Frame, render
from synthetic_heads.scene import Camera, Scene, sample_scene

__all__ = [
    "GROUND_TRUTH_FILE",
    "GROUND_TRUTH_SCHEMA",
    "MOTION_STYLES",
    "Camera",
    "Frame",
    "GroundTruth",
    "Identity",
    "MotionSequence",
    "Scene",
    "render",
    "sample_identity",
    "sample_motion",
    "sample_scene",
]
