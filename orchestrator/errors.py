"""Every error that netpol-canary raises on purpose.

NetpolCanaryError
├── BadInput            what a person gave is wrong; exit code 2, nothing was written
├── Refused             a step or a check says no, for good
├── RetryLater          not now; try again after `delay` seconds
│   └── Waiting         and nothing has gone wrong
└── PortError           something outside answered with an error, or not at all
    ├── ApiError        the API server answered with a status
    │   ├── NotFound    404
    │   ├── Conflict    409, the object changed or exists already
    │   ├── Gone        410, a watch or a continue token is too old
    │   ├── Invalid     400 and 422, the object is not acceptable
    │   ├── Forbidden   401 and 403
    │   └── Busy        429 and 5xx: again later
    ├── Unreachable     no answer: for a write, whether it happened is not known
    ├── MetricError     a metric source gave no usable answer
    ├── IdentityError   an OpenID provider gave no usable answer, or an own identity no token
    ├── DeliveryError   a Git host, a chat or a mail server did not take what it was to be told
    └── RepositoryError Git gave no usable answer
"""

import re
from dataclasses import dataclass

MOST_WORD = 300  # characters of a path or a name in a message
_WORD = re.compile(rf"\S{{{MOST_WORD + 1},}}")


class NetpolCanaryError(Exception):
    """The root of the tree above."""


def _ends(text: str) -> str:
    """Both ends of a name that is too long to be read: what is wrong with it has to be seen beside it."""
    return text if len(text) <= MOST_WORD else f"{text[: MOST_WORD // 2]}…{text[-MOST_WORD // 2 :]}"


@dataclass(frozen=True)
class Cited:
    """The text in which a mistake stands, for who draws it; `file` as people read it, line and column count from 1.

    Without a column `field` says which part is meant of `subject` (kind and name), the object that begins in the line.
    """

    text: bytes
    file: str
    line: int
    column: int = 0
    field: str = ""
    subject: str = ""


class BadInput(NetpolCanaryError):
    """What a person gave is wrong: what, where (`file:line` where there is one), what to do.

    The error itself is one line; `cited` is what a terminal shows below it.
    """

    def __init__(self, message: str, where: str = "", hint: str = "", cited: Cited | None = None) -> None:
        self.message, self.where, self.hint, self.cited = message, where, hint, cited
        text = f"{_ends(where)}: {message}" if where else message
        super().__init__(_WORD.sub(lambda m: _ends(m[0]), f"{text}; {hint}" if hint else text))


class Refused(NetpolCanaryError):
    """A rule says no; trying again changes nothing."""


class RetryLater(NetpolCanaryError):
    """Not now. `delay` is in seconds."""

    def __init__(self, reason: str, delay: float = 1.0) -> None:
        super().__init__(reason)
        self.delay = delay


class Waiting(RetryLater):
    """Not now, as planned: nothing has gone wrong."""


class PortError(NetpolCanaryError):
    """Something outside this process answered with an error, or not at all."""


class ApiError(PortError):
    """The API server's answer; `status` is the HTTP status, `reason` the Status object's reason."""

    status = 500

    def __init__(
        self, message: str, status: int | None = None, reason: str = "", retry_after: float = 0
    ) -> None:
        super().__init__(message)
        self.status = self.status if status is None else status
        self.reason, self.retry_after = reason, retry_after


class NotFound(ApiError):
    status = 404


class Conflict(ApiError):
    status = 409


class Gone(ApiError):
    status = 410


class Invalid(ApiError):
    status = 422


class Forbidden(ApiError):
    status = 403


class Busy(ApiError):
    status = 503


class Unreachable(PortError):
    """No answer came: a write may or may not have happened."""


class MetricError(PortError):
    """A metric source gave no usable answer; the message names the query."""


class IdentityError(PortError):
    """An OpenID provider gave no usable answer, or an own identity no token; never carries a secret or a token."""


class DeliveryError(PortError):
    """A receiver did not take what it was to be told. `retry_after` is in seconds, 0 where it did not say.

    `status` is the HTTP status of its answer, 0 where there was none.
    """

    def __init__(self, message: str, retry_after: float = 0, status: int = 0) -> None:
        super().__init__(message)
        self.retry_after, self.status = retry_after, status


class RepositoryError(PortError):
    """Git gave no usable answer; never carries a credential."""
