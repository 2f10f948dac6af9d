"""From videos to a data set of face crops."""

from facegan.preparation.crop_tracks import Settings
from facegan.preparation.prepare import Summary, plan, prepare_videos
from facegan.preparation.shard_writer import SCHEMA, ShardWriter, write_description
from facegan.preparation.sources import Clip, Source, find_faceforensics, find_ijbc, find_videos
from facegan.preparation.splits import split_identities

__all__ = [
    "SCHEMA",
    "Clip",
    "Settings",
    "ShardWriter",
    "Source",
    "Summary",
    "find_faceforensics",
    "find_ijbc",
    "find_videos",
    "plan",
    "prepare_videos",
    "split_identities",
    "write_description",
]
