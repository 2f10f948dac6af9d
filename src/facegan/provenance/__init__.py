"""Provenance: every result is marked as generated, and the marks can be detected."""

from facegan.provenance.detect import ProvenanceReport, detect_provenance
from facegan.provenance.manifest import Manifest, ManifestClaim
from facegan.provenance.provenance_writer import ProvenanceConfig, ProvenanceWriter

__all__ = [
    "Manifest",
    "ManifestClaim",
    "ProvenanceConfig",
    "ProvenanceReport",
    "ProvenanceWriter",
    "detect_provenance",
]
