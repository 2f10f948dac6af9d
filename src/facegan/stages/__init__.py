"""The four training stages: a LightningModule and its DataModule each."""

from facegan.stages.background_mix import BackgroundMixData, BackgroundMixStage
from facegan.stages.checkpoints import Checkpoints, SafeCheckpointIO
from facegan.stages.joint import JointData, JointStage
from facegan.stages.landmark_transform import LandmarkTransformData, LandmarkTransformStage
from facegan.stages.panels import Panels
from facegan.stages.progress import Progress
from facegan.stages.reenact import ReenactData, ReenactStage
from facegan.stages.sweep import Sweep
from facegan.stages.track_video import TrackVideo

__all__ = [
    "BackgroundMixData",
    "BackgroundMixStage",
    "Checkpoints",
    "JointData",
    "JointStage",
    "LandmarkTransformData",
    "LandmarkTransformStage",
    "Panels",
    "Progress",
    "ReenactData",
    "ReenactStage",
    "SafeCheckpointIO",
    "Sweep",
    "TrackVideo",
]
