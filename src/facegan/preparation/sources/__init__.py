"""Where the videos come from, and who is in them."""

from facegan.preparation.sources.data_source import Clip, LabeledImage, Source
from facegan.preparation.sources.faceforensics import find_faceforensics
from facegan.preparation.sources.ijbc import find_ijbc
from facegan.preparation.sources.videos import find_videos

__all__ = ["Clip", "LabeledImage", "Source", "find_faceforensics", "find_ijbc", "find_videos"]
