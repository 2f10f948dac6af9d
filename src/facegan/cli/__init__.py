"""The command line."""

from facegan.cli.main import main

__all__ = ["main"]
