"""Using a trained model: moving a picture by another face or by numbers."""

from facegan.inference.analyze import analyze
from facegan.inference.animator import Animator, Source
from facegan.inference.batch import Outcome, reenact_all
from facegan.inference.control import Control, parse_settings
from facegan.inference.edit import edit, edit_frames, edit_grid, write_edit
from facegan.inference.pictures import read_picture, write_picture
from facegan.inference.provenance import Claim, Marker, Marks
from facegan.inference.reenact import Summary, reenact
from facegan.inference.scene import Look
from facegan.inference.writer import VideoWriter

__all__ = [
    "Animator",
    "Claim",
    "Control",
    "Look",
    "Marker",
    "Marks",
    "Outcome",
    "Source",
    "Summary",
    "VideoWriter",
    "analyze",
    "edit",
    "edit_frames",
    "edit_grid",
    "parse_settings",
    "read_picture",
    "reenact",
    "reenact_all",
    "write_edit",
    "write_picture",
]
