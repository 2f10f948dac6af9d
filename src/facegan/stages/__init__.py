"""The four training stages, a LightningModule and its DataModule each, and their callbacks."""

from facegan.stages.background_mix_stage import BackgroundMixData, BackgroundMixStage
from facegan.stages.callbacks.action_unit_grid_logger import ActionUnitGridLogger
from facegan.stages.callbacks.image_logger import ImageLogger
from facegan.stages.callbacks.progress_bar import ProgressBar
from facegan.stages.callbacks.throughput_logger import ThroughputLogger
from facegan.stages.callbacks.video_logger import VideoLogger
from facegan.stages.checkpoints import AtomicCheckpointIO
from facegan.stages.joint_stage import JointData, JointStage
from facegan.stages.landmark_transform_stage import LandmarkTransformData, LandmarkTransformStage
from facegan.stages.reenact_stage import ReenactData, ReenactStage

__all__ = [
    "ActionUnitGridLogger",
    "AtomicCheckpointIO",
    "BackgroundMixData",
    "BackgroundMixStage",
    "ImageLogger",
    "JointData",
    "JointStage",
    "LandmarkTransformData",
    "LandmarkTransformStage",
    "ProgressBar",
    "ReenactData",
    "ReenactStage",
    "ThroughputLogger",
    "VideoLogger",
]
