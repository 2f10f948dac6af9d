"""Sources of videos and their identities."""

from facegan.preparation.sources.data_source import DataSource, LabeledImage, VideoClip
from facegan.preparation.sources.faceforensics import find_faceforensics
from facegan.preparation.sources.ijbc import find_ijbc
from facegan.preparation.sources.photos import find_photos
from facegan.preparation.sources.videos import find_videos

__all__ = [
    "DataSource",
    "LabeledImage",
    "VideoClip",
    "find_faceforensics",
    "find_ijbc",
    "find_photos",
    "find_videos",
]
