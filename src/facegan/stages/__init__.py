"""The four training stages: a LightningModule and its DataModule each."""

from facegan.stages.background_mix import BackgroundMixData, BackgroundMixStage
from facegan.stages.callbacks.action_unit_grid_logger import ActionUnitGridLogger
from facegan.stages.callbacks.image_logger import ImageLogger
from facegan.stages.callbacks.progress import Progress
from facegan.stages.callbacks.video_logger import VideoLogger
from facegan.stages.checkpoints import Checkpoints, SafeCheckpointIO
from facegan.stages.joint import JointData, JointStage
from facegan.stages.landmark_transform import LandmarkTransformData, LandmarkTransformStage
from facegan.stages.reenact import ReenactData, ReenactStage

__all__ = [
    "ActionUnitGridLogger",
    "BackgroundMixData",
    "BackgroundMixStage",
    "Checkpoints",
    "ImageLogger",
    "JointData",
    "JointStage",
    "LandmarkTransformData",
    "LandmarkTransformStage",
    "Progress",
    "ReenactData",
    "ReenactStage",
    "SafeCheckpointIO",
    "VideoLogger",
]
