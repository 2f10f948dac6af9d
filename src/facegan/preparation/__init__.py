"""From videos to a data set of face crops."""

from facegan.preparation.clip import Settings
from facegan.preparation.crop import Crop
from facegan.preparation.prepare import Summary, plan, prepare_videos
from facegan.preparation.sources import Clip, Source, find_faceforensics, find_ijbc, find_videos
from facegan.preparation.splits import split_identities
from facegan.preparation.tracker import CentroidTracker
from facegan.preparation.video import VideoReader
from facegan.preparation.writer import SCHEMA, ShardWriter, write_description

__all__ = [
    "SCHEMA",
    "CentroidTracker",
    "Clip",
    "Crop",
    "Settings",
    "ShardWriter",
    "Source",
    "Summary",
    "VideoReader",
    "find_faceforensics",
    "find_ijbc",
    "find_videos",
    "plan",
    "prepare_videos",
    "split_identities",
    "write_description",
]
