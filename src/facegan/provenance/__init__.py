"""Every result is marked as made by a machine, and the marks can be found again."""

from facegan.provenance.detect import Findings, verify
from facegan.provenance.manifest import Claim, Manifest
from facegan.provenance.provenance_writer import Marker, Marks

__all__ = ["Claim", "Findings", "Manifest", "Marker", "Marks", "verify"]
