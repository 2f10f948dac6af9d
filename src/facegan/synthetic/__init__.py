"""The built-in talking head: pictures and videos whose ground truth is exactly known."""

from facegan.synthetic.clips import synthesize
from facegan.synthetic.identity import Identity, sample_identity
from facegan.synthetic.movement.trajectory import RHYTHMS, Movement, sample_motion
from facegan.synthetic.prepare import prepare_synthetic
from facegan.synthetic.render import Frame, render
from facegan.synthetic.scene import Camera, Scene, sample_scene
from facegan.synthetic.truth import GroundTruth

__all__ = [
    "RHYTHMS",
    "Camera",
    "Frame",
    "GroundTruth",
    "Identity",
    "Movement",
    "Scene",
    "prepare_synthetic",
    "render",
    "sample_identity",
    "sample_motion",
    "sample_scene",
    "synthesize",
]
