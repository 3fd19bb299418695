"""What programs get: JSON in plain ASCII, and for errors problem details (RFC 9457)."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

API = "/api"
PROBLEM = "application/problem+json"


class AsciiJson(JSONResponse):
    """Escaped as far as JSON can: nothing in it moves or hides text on the terminal that it is read on."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")


def for_programs(path: str) -> bool:
    """Whether what is below this path is read by programs."""
    return path == API or path.startswith(f"{API}/")


def problem_details(status: int, detail: str, headers: Mapping[str, str] | None = None) -> AsciiJson:
    """One error. Its kind says no more than the status does, so that its type is `about:blank`."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return AsciiJson(body, status, dict(headers or {}), media_type=PROBLEM)
