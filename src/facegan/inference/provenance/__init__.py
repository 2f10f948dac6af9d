"""Every result is marked as made by a machine, and the marks can be found again."""

from facegan.inference.provenance.manifest import Claim, Manifest
from facegan.inference.provenance.marks import Marker, Marks
from facegan.inference.provenance.verify import Findings, verify

__all__ = ["Claim", "Findings", "Manifest", "Marker", "Marks", "verify"]
