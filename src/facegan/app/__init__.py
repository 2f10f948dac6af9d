"""The web page."""

from facegan.app.serve import LOCAL_HOSTS, serve

__all__ = ["LOCAL_HOSTS", "serve"]
