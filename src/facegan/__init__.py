"""FACEGAN: facial attribute controllable reenactment (Tripathy, Kannala, Rahtu, WACV 2021)."""

__version__ = "0.1.0"
