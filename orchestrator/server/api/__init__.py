"""`/api/v1`: what the pages show, as JSON for those who build on it; read-only, and with the reader's own rights."""

from orchestrator.server.api.api_mount import install

__all__ = ["install"]
