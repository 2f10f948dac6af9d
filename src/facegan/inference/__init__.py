"""Using a trained model: moving a picture by another face or by numbers."""

from facegan.inference.analyze import analyze
from facegan.inference.animator import Animator, Source
from facegan.inference.edit import edit, edit_frames, edit_grid, write_edit
from facegan.inference.frame_composer import RenderConfig
from facegan.inference.motion_transfer import MotionTransferConfig, parse_settings
from facegan.inference.reenact import Summary, reenact
from facegan.inference.reenact_batch import Outcome, reenact_all

__all__ = [
    "Animator",
    "MotionTransferConfig",
    "Outcome",
    "RenderConfig",
    "Source",
    "Summary",
    "analyze",
    "edit",
    "edit_frames",
    "edit_grid",
    "parse_settings",
    "reenact",
    "reenact_all",
    "write_edit",
]
