"""Command line interface."""

from facegan.cli.main import main

__all__ = ["main"]
