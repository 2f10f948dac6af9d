"""Detect faces, their landmarks, action units and pose; parse them; embed identities."""

from facegan.perception.face_analyzer import Face, FaceAnalyzer
from facegan.perception.face_parser import FaceParser
from facegan.perception.identity_embedder import IdentityEmbedder

__all__ = ["Face", "FaceAnalyzer", "FaceParser", "IdentityEmbedder"]
