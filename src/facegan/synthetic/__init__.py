"""The built-in talking head: pictures and videos whose ground truth is exactly known."""

from facegan.synthetic.clips import sample_motion, synthesize
from facegan.synthetic.head import Identity, sample_identity
from facegan.synthetic.render import Frame, render

__all__ = ["Frame", "Identity", "render", "sample_identity", "sample_motion", "synthesize"]
