"""Cookies that hold a sealed text: named and flagged for the strictest a browser knows, cut to its limits."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from orchestrator.errors import Refused

# A browser keeps 4096 bytes a cookie, name and attributes included; a proxy takes 8 KiB a header line by default.
CHUNK, MOST_CHUNKS = 3600, 2


@dataclass(frozen=True)
class SealedCookie:
    """One cookie of this name, in one part or two."""

    name: str
    secure: bool

    def _part(self, number: int) -> str:
        # RFC 6265bis: a browser takes __Host- only with Secure, Path=/ and no Domain, so no neighbour can set it.
        return f"{'__Host-' if self.secure else ''}netpol-canary-{self.name}.{number}"

    def read(self, cookies: Mapping[str, str]) -> str:
        """The sealed text; empty where there is none."""
        parts = []
        for number in range(MOST_CHUNKS):
            part = cookies.get(self._part(number), "")
            parts.append(part)
            if len(part) < CHUNK:
                break
        return "".join(parts)

    def write(self, response: Response, sealed: str, seconds: int) -> None:
        """For at most so many seconds. Raises Refused where it does not fit."""
        if len(sealed) > CHUNK * MOST_CHUNKS:
            most = CHUNK * MOST_CHUNKS * 9 // 16
            raise Refused(
                f"the token is too large for a session: about {most} bytes fit; have fewer groups in it"
            )
        for number in range(MOST_CHUNKS):
            part = sealed[number * CHUNK : (number + 1) * CHUNK]
            self._set(response, number, part, max(0, seconds) if part else 0)

    def clear(self, response: Response) -> None:
        """Take it back."""
        for number in range(MOST_CHUNKS):
            self._set(response, number, "", 0)

    def _set(self, response: Response, number: int, value: str, seconds: int) -> None:
        response.set_cookie(
            self._part(number),
            value,
            max_age=seconds,
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )
