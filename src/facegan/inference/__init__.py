"""Use of a trained model: reenactment, editing by motion parameters, analysis of faces."""

from facegan.inference.animator import Animator, Source
from facegan.inference.batch_reenactment import BatchResult, reenact_all
from facegan.inference.csv_analysis import analyze
from facegan.inference.face_editing import edit, edit_frames, edit_grid, write_edit
from facegan.inference.frame_composer import FrameComposer, RenderConfig
from facegan.inference.motion_transfer import MotionTransfer, MotionTransferConfig
from facegan.inference.video_reenactment import ReenactmentSummary, reenact

__all__ = [
    "Animator",
    "BatchResult",
    "FrameComposer",
    "MotionTransfer",
    "MotionTransferConfig",
    "ReenactmentSummary",
    "RenderConfig",
    "Source",
    "analyze",
    "edit",
    "edit_frames",
    "edit_grid",
    "reenact",
    "reenact_all",
    "write_edit",
]
