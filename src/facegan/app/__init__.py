"""The web page."""

from facegan.app.serve import LOCAL_HOSTS, ServerConfig, serve

__all__ = ["LOCAL_HOSTS", "ServerConfig", "serve"]
