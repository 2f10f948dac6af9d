"""The web page."""

from facegan.app.serve import LOCAL, serve

__all__ = ["LOCAL", "serve"]
