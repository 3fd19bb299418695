"""All that decides what comes next in a rollout, as read from the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.rollout.following import CanaryDeployment
from orchestrator.rollout.resources.model import Wave
from orchestrator.rollout.resources.resource import Approval, Freeze, NamespaceRollout, Rollout, WaveAnalysis
from orchestrator.wording import first

REQUEST = "netpol-canary.dev/request"
VERBS = frozenset({"pause", "resume", "abort", "rollback", "supersede"})
MOST_IGNORED = 20
MOST_ID, MOST_USER = 253, 512  # characters, as a status holds an id and an actor


@dataclass(frozen=True)
class Request:
    """What a person asked for: `verb/id/user`, in an annotation of the rollout."""

    verb: str
    id: str
    user: str

    @staticmethod
    def parse(text: str) -> Request | None:
        """None for what nobody may ask for, or what a rollout's status could not note as done."""
        parts = text.split("/", 2)
        if len(parts) != 3 or parts[0] not in VERBS:
            return None
        fits = 0 < len(parts[1]) <= MOST_ID and 0 < len(parts[2]) <= MOST_USER and text.isprintable()
        return Request(parts[0], parts[1], parts[2]) if fits else None


def open_request(rollout: Rollout) -> Request | None:
    """The person's request that was not carried out yet."""
    text = (rollout.manifest["metadata"].get("annotations") or {}).get(REQUEST, "")
    request = Request.parse(text)
    return None if request is None or request.id == rollout.status.handled_request else request


def unreadable(rollout: Rollout) -> str:
    """What stands where a request would, and is none: it is ignored, and that is said; empty where there is none."""
    text = str((rollout.manifest["metadata"].get("annotations") or {}).get(REQUEST, ""))
    if not text or Request.parse(text) is not None:
        return ""
    wanted = f"VERB/ID/USER with a verb of {', '.join(sorted(VERBS))}, an id of {MOST_ID} characters at most"
    return f"the annotation {REQUEST} is no request and is ignored ({text[:60]!r}): {wanted}"


def ignored(state: State) -> tuple[str, ...]:
    """What people wrote about a rollout and nobody can read, in words; the most that a page holds of it."""
    said = (*filter(None, (unreadable(state.rollout),)), *state.unread)
    return tuple(first(said, MOST_IGNORED))


@dataclass(frozen=True)
class Watched:
    """What a worker has seen on its monotonic clock.

    `still` and `undecided` are the seconds for which it has seen an open wave get nowhere, beyond what was planned, and an
    inconclusive wave wait; `steady` says that nobody set its wall clock since it began.
    """

    still: float = 0.0
    undecided: float = 0.0
    steady: bool = True


@dataclass(frozen=True)
class State:
    """All that decides what comes next.

    `namespaces` has the records by place. `lacking` says what a wave that would open has no capacity for, `unread` which
    approvals cannot be read; `watched` is what the worker that asks has seen of it, None for who looks at it once. `followed` is
    the canary deployment that it goes with.
    """

    rollout: Rollout
    namespaces: Mapping[str, NamespaceRollout] = field(default_factory=dict)
    analyses: Mapping[int, WaveAnalysis] = field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    lacking: str = ""
    watched: Watched | None = None
    unread: tuple[str, ...] = ()
    followed: CanaryDeployment | None = None

    def own(self) -> State:
        """Without what an earlier rollout of the same name left, which the API server has not collected yet."""
        return replace(
            self,
            namespaces={n: r for n, r in self.namespaces.items() if r.belongs(self.rollout)},
            analyses={n: a for n, a in self.analyses.items() if a.belongs(self.rollout)},
            approvals=tuple(a for a in self.approvals if a.belongs(self.rollout)),
        )

    def wave_names(self, wave: int) -> list[str]:
        """The namespaces that change and are judged with a wave: its own, and those of waves that were opened with it."""
        return list(dict.fromkeys(n for each in self._together(wave) for n in each.namespace_names))

    def wave_places(self, wave: int) -> list[str]:
        """What is written with a wave, in that order."""
        return [place for each in self._together(wave) for place in each.places]

    def _together(self, wave: int) -> list[Wave]:
        return [self.rollout.spec.waves[number] for number in self.rollout.status.together(wave)]

    def known(self, places: Iterable[str]) -> list[NamespaceRollout]:
        """What is recorded of places, without those of which nothing is."""
        return [self.namespaces[n] for n in places if n in self.namespaces]

    def in_wave(self, wave: int) -> list[NamespaceRollout]:
        return self.known(self.wave_places(wave))

    def touched(self) -> list[str]:
        """The places of every wave that was opened."""
        opened = self.rollout.spec.waves[: self.rollout.status.waves_started]
        return [place for wave in opened for place in wave.places]

    def promoted(self) -> WaveAnalysis | None:
        """The analysis of what was promoted last."""
        status = self.rollout.status
        return self.analyses.get(status.led_by(status.wave - 1))

    def request(self) -> Request | None:
        """The person's request that was not carried out yet."""
        return open_request(self.rollout)
