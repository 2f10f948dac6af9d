"""Every result is marked as made by a machine, and the marks can be found again."""

from facegan.provenance.detect import Findings, verify
from facegan.provenance.manifest import Manifest, ManifestClaim
from facegan.provenance.provenance_writer import ProvenanceConfig, ProvenanceWriter

__all__ = ["Findings", "Manifest", "ManifestClaim", "ProvenanceConfig", "ProvenanceWriter", "verify"]
