"""Preparation of data sets of face crops from videos."""

from facegan.preparation.prepare import prepare_videos
from facegan.preparation.prepare_config import PrepareConfig
from facegan.preparation.shard_writer import ShardWriter, write_description
from facegan.preparation.sources import (
    DataSource,
    VideoClip,
    find_faceforensics,
    find_ijbc,
    find_photos,
    find_videos,
)
from facegan.preparation.splits import split_identities
from facegan.preparation.summary import Summary

__all__ = [
    "DataSource",
    "PrepareConfig",
    "ShardWriter",
    "Summary",
    "VideoClip",
    "find_faceforensics",
    "find_ijbc",
    "find_photos",
    "find_videos",
    "prepare_videos",
    "split_identities",
    "write_description",
]
