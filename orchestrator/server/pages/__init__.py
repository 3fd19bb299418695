"""The web pages: `install(app, parts)` is all that the server needs."""

from orchestrator.server.pages.mount import install

__all__ = ["install"]
