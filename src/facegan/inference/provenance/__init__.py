"""Marks that say: made by a machine."""

from facegan.inference.provenance.marker import Claim, Marker, Marks

__all__ = ["Claim", "Marker", "Marks"]
