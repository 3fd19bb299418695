"""What proves who asks, where that changes while this process runs: made for each request, and anew once it is refused."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Outgoing(NamedTuple):
    """A request before it is sent."""

    method: str
    url: str
    content_type: str
    body: bytes


class Identity(Protocol):
    """Proves who asks. Its errors are IdentityErrors of one line, without a secret."""

    def headers(self, request: Outgoing) -> Mapping[str, str]:
        """What the request carries besides."""

    def renewed(self, status: int, used: Mapping[str, str]) -> bool:
        """Whether asking once more may help after such an answer to these headers; then they are not given again."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show of what was given lately."""
