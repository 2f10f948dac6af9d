"""The built-in talking head: pictures and videos whose ground truth is exactly known."""

from synthetic_heads.identity import Identity, sample_identity
from synthetic_heads.motion.trajectory import RHYTHMS, Movement, sample_motion
from synthetic_heads.render import Frame, render
from synthetic_heads.scene import Camera, Scene, sample_scene
from synthetic_heads.truth import GroundTruth

__all__ = [
    "RHYTHMS",
    "Camera",
    "Frame",
    "GroundTruth",
    "Identity",
    "Movement",
    "Scene",
    "render",
    "sample_identity",
    "sample_motion",
    "sample_scene",
]
