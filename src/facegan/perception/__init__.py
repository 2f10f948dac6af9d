"""What can be seen in a picture: faces, their parts, whose they are."""

from facegan.perception.face import Face, FaceAnalyzer
from facegan.perception.identity import IdentityEmbedder
from facegan.perception.parsing import FaceParser

__all__ = ["Face", "FaceAnalyzer", "FaceParser", "IdentityEmbedder"]
