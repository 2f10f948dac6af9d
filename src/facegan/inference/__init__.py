"""Using a trained model: animating a picture."""

from facegan.inference.analyze import analyze
from facegan.inference.animator import Animator, Source
from facegan.inference.pictures import read_picture, write_picture
from facegan.inference.reenact import Summary, reenact
from facegan.inference.writer import VideoWriter

__all__ = [
    "Animator",
    "Source",
    "Summary",
    "VideoWriter",
    "analyze",
    "read_picture",
    "reenact",
    "write_picture",
]
