"""What the rollout needs from the outside, as small protocols.

`adapters/` implements them on real parts, `sandbox/` in memory; one contract test runs on both.
Manifests are plain dicts from file to API server: no typed round trip drops a field.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

Manifest = dict[str, Any]


class Kind(NamedTuple):
    """A resource type, as manifests name it."""

    api_version: str
    kind: str

    def means(self, obj: Manifest) -> bool:
        """Whether an object is of it: other groups have kinds of the same name."""
        return bool(obj["kind"] == self.kind and obj["apiVersion"] == self.api_version)


class Event(NamedTuple):
    """One change that a watch saw: ADDED, MODIFIED or DELETED, and the object as it then stood."""

    type: str
    obj: Manifest


class Cluster(Protocol):
    """The Kubernetes API. All methods raise ApiError (see errors.py) or Unreachable."""

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Manifest:
        """One object; NotFound where it is absent."""

    def list(self, kind: Kind, namespace: str | None = None, labels: str = "") -> list[Manifest]:
        """All objects of a kind, which say it themselves, in one namespace or in all; `labels` is a label selector string."""

    def create(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        """POST with strict field validation; Conflict where the name is taken."""

    def replace(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        """PUT of the whole object; needs metadata.resourceVersion; Conflict where that is stale."""

    def replace_status(self, obj: Manifest, *, dry_run: bool = False) -> Manifest:
        """PUT of the status subresource; needs metadata.resourceVersion."""

    def delete(
        self,
        kind: Kind,
        name: str,
        namespace: str | None,
        *,
        uid: str,
        resource_version: str,
        dry_run: bool = False,
    ) -> None:
        """DELETE with preconditions; Conflict where they fail, NotFound where it is gone."""

    def watch(
        self, kind: Kind, namespace: str | None = None, labels: str = "", *, since: str = "", seconds: float
    ) -> Iterator[Event]:
        """Changes after the resourceVersion `since`, for at most `seconds`.

        Where `since` is empty, what stands now comes first, as ADDED. Gone where `since` is too old.
        """

    def log(self, name: str, namespace: str, *, lines: int = 0, limit_bytes: int = 65536) -> str:
        """What a pod of one container has written so far, or its last `lines`; NotFound without the pod."""

    def user(self) -> tuple[str, tuple[str, ...]]:
        """Name and groups of whoever calls (SelfSubjectReview)."""


MOST_COMMITS = 200


@dataclass(frozen=True)
class Commit:
    """A Git commit: full id, author and committer and co-authors as `Name <mail>`, subject.

    `files` are those below the source's path that it touched, relative to it; `time` is when it was committed, by
    the committer's clock, None where that is unreadable.
    """

    id: str
    people: tuple[str, ...]
    subject: str
    files: tuple[str, ...] = ()
    time: datetime | None = None


class Files(dict[str, bytes]):
    """Files by path; `passed` says what was passed over among them, empty where nothing was.

    `below` stands before a path where people read it: a file is named from its repository's root.
    """

    passed: str = ""
    below: str = ""


class PolicyRepository(Protocol):
    """Where policies come from. Raises BadInput for what the repository holds, RepositoryError otherwise."""

    def resolve(self, ref: str = "") -> str:
        """The full commit id of a branch, tag or commit; of the source's branch where empty."""

    def files(self, revision: str) -> Mapping[str, bytes]:
        """The files below the source's path at a commit, by path relative to it; bounded in size."""

    def commits(self, since: str, until: str) -> Sequence[Commit]:
        """The commits after `since` (may be empty) up to `until` that touch the path, newest first, MOST_COMMITS at most."""


@dataclass(frozen=True)
class Sample:
    """One value of one series at one time; NaN is possible."""

    labels: Mapping[str, str]
    value: float
    time: datetime


class MetricSource(Protocol):
    """Numbers. Raises MetricError; an empty answer is an empty list."""

    def query(self, expression: str, at: datetime) -> list[Sample]:
        """The instant value of an expression at a time."""

    def query_range(self, expression: str, start: datetime, end: datetime, step: float) -> list[Sample]:
        """The values on a grid from `start` to `end`, both included, `step` seconds apart."""


@dataclass(frozen=True)
class Probe:
    """One connection to try: from `namespace/workload` to the same, or to an address or host name.

    `reachable` is what should come of it; `check` is connect, http, tls or dns.
    """

    name: str
    source: str
    destination: str
    port: int
    protocol: str
    reachable: bool
    check: str = "connect"


@dataclass(frozen=True)
class ProbeResult:
    """What came of a probe; `observed` is None where it could not be tried, or silence proves nothing."""

    probe: Probe
    observed: bool | None
    message: str = ""


class Prober(Protocol):
    """Real connection attempts. Raises PortError; what cannot be tried is a result without an answer."""

    def run(self, probes: Sequence[Probe]) -> list[ProbeResult]:
        """One result a probe, in order; tried again until it is as expected, or no longer changes."""

    def hold(self, probes: Sequence[Probe], key: str) -> None:
        """Open these connections and keep them in use; does nothing where `key` is held already."""

    def held(self, key: str) -> list[ProbeResult]:
        """What became of the connections that are held under `key`; empty for none."""

    def release(self, key: str) -> None:
        """Let go of the connections held under `key`; does nothing where there are none."""


class Clock(Protocol):
    """Time, and waiting."""

    def now(self) -> datetime:
        """Now, in UTC; somebody may set it forward or back at any time."""

    def monotonic(self) -> float:
        """Seconds that nobody sets; only differences mean anything, within this process."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Notifier(Protocol):
    """Tells people; must never raise for long or block a rollback."""

    def notify(self, rollout: Manifest, reason: str, message: str, warning: bool) -> None:
        """One message about a PolicyRollout."""


@dataclass(frozen=True)
class CommitStatus:
    """One line beside a commit: `context` names it, `description` has at most 140 characters, `link` may be empty."""

    context: str
    state: Literal["pending", "success", "failure"]
    description: str
    link: str = ""


@dataclass(frozen=True)
class Reversal:
    """A pull request to `base` that takes what came from `before` to `revision` below `path` back out.

    `before` is empty for a first change: then the commit's own parent counts.
    """

    branch: str
    base: str
    path: str
    revision: str
    before: str
    title: str
    body: str


class GitHost(Protocol):
    """Where a repository is kept. Every method may be repeated, ends in bounded time, and raises DeliveryError."""

    def status(self, revision: str, wanted: Sequence[CommitStatus]) -> None:
        """Set these on a commit; what stands there already is not set again."""

    def comment(self, revision: str, marker: str, body: str) -> None:
        """The one comment with that marker, on the pull request that brought a commit; nothing where none did."""

    def revert(self, wanted: Reversal) -> None:
        """Open that pull request where there is none yet; never writes to a branch that stands."""


# Of the text of a comment that stands, and of who finds out which commit the pull request ends with now.
Stays = Callable[[str, Callable[[], str]], bool]


class Review(Protocol):
    """An open pull request, as whoever checks it sees it; may be repeated, ends in bounded time, and raises DeliveryError."""

    def keep_comment(self, marker: str, body: str, stays: Stays) -> bool:
        """Our one comment there whose text begins with the marker: made, or brought up to date; nobody else's is touched.

        One that stands is left as it is where `stays` says so of its text; then the answer is False.
        """


@dataclass(frozen=True)
class Message:
    """Plain text for people, in paragraphs. `id` is the same however often it is sent.

    `small` is what only the careful read, `link` the page about it, and `label` what is done there.
    """

    id: str
    title: str
    body: str
    severity: Literal["info", "warning", "critical"] = "info"
    small: str = ""
    link: str = ""
    label: str = ""


class Messenger(Protocol):
    """A chat, a mailbox, a pager. Ends in bounded time; raises DeliveryError, and BadInput for its settings."""

    def send(self, message: Message) -> None:
        """One message."""
