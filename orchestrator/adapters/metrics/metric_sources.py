"""Which types of provider there are, and a source for each provider of a strategy.

Other packages add a type by an entry point of the group `netpol_canary.metric_sources`: its name is the type,
its value a callable that takes `Settings` and returns a `MetricSource`.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from orchestrator.adapters.http.proof import Identity
from orchestrator.adapters.identities.provider_identities import Identities
from orchestrator.analysis.queries.providers import provider_of
from orchestrator.errors import BadInput, MetricError, NetpolCanaryError
from orchestrator.ports import Clock, Cluster, MetricSource, Sample
from orchestrator.rollout.resources import model as m

GROUP = "netpol_canary.metric_sources"
BUILT_IN = {"prometheus": "prometheus", "http": "http_json", "kubernetes": "kubernetes"}  # modules by type
MOST_KEPT = 32
KEPT = timedelta(seconds=60)  # after which a Secret that was changed is read again


@dataclass(frozen=True)
class Settings:
    """What a source is built from: the provider's settings, its Secret's data, the cluster, time, and who asks."""

    provider: m.Provider
    secret: Mapping[str, bytes] = field(repr=False)
    cluster: Cluster
    clock: Clock
    identity: Identity | None = field(default=None, repr=False)


Build = Callable[[Settings], MetricSource]


def types() -> list[str]:
    """The types that a provider may have here; those of other packages come last."""
    return [*BUILT_IN, *sorted({e.name for e in entry_points(group=GROUP)} - BUILT_IN.keys())]


def build(settings: Settings) -> MetricSource:
    """Raises BadInput for an unknown type, for one that is broken, and for settings that cannot be meant."""
    kind = settings.provider.type
    if kind in BUILT_IN:
        make: Build = import_module(f"orchestrator.adapters.metrics.{BUILT_IN[kind]}").build
        return make(settings)
    found = list(entry_points(group=GROUP, name=kind))
    where = f"the provider {settings.provider.name}"
    if not found:
        raise BadInput(f"its type {kind} is not known", where, f"take one of {', '.join(types())}")
    if len({e.value for e in found}) > 1:
        raise BadInput(f"{len(found)} packages bring its type {kind}", where, "uninstall all but one")
    return _foreign(found[0], settings, where)


def _foreign(entry: EntryPoint, settings: Settings, where: str) -> MetricSource:
    package = entry.dist.name if entry.dist else entry.value
    try:
        source = entry.load()(settings)
    except NetpolCanaryError:
        raise
    except Exception as error:
        text = f"its type {entry.name} of the package {package} does not work: {_named(error)}"
        raise BadInput(text, where, f"repair or uninstall {package}") from None
    if not all(callable(getattr(source, name, None)) for name in ("query", "query_range")):
        raise BadInput(f"its type {entry.name} of the package {package} gave no metric source", where)
    return _Foreign(source, f"the metric source {entry.name} of {package}")


@dataclass(frozen=True)
class _Foreign:
    """Implements `MetricSource` over one that we did not write: whatever it raises is a MetricError."""

    source: Any
    name: str

    def query(self, expression: str, at: datetime) -> list[Sample]:
        return self._guarded(lambda: self.source.query(expression, at))

    def query_range(self, expression: str, start: datetime, end: datetime, step: float) -> list[Sample]:
        return self._guarded(lambda: self.source.query_range(expression, start, end, step))

    def _guarded(self, ask: Callable[[], Any]) -> list[Sample]:
        try:
            found = list(ask())
        except MetricError:
            raise
        except Exception as error:
            raise MetricError(f"{self.name} failed: {_named(error)}") from None
        if not all(_whole(sample) for sample in found):
            raise MetricError(f"{self.name} answered with something that is no sample")
        return found


def _whole(sample: object) -> bool:
    """Whether it is a sample of which every part can be worked with."""
    return (
        isinstance(sample, Sample)
        and isinstance(sample.labels, Mapping)
        and all(isinstance(v, str) for v in sample.labels.values())
        and isinstance(sample.value, int | float)
        and not isinstance(sample.value, bool)
        and isinstance(sample.time, datetime)
        and sample.time.tzinfo is not None
    )


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


class Sources:
    """The sources of this process, each kept for a minute; `read(name, where)` gives a Secret's data.

    Without `identities` nothing is granted.
    """

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        read: Callable[[str, str], Mapping[str, bytes]],
        identities: Identities | None = None,
    ) -> None:
        self._cluster, self._clock, self._read = cluster, clock, read
        self._identities = identities or Identities(clock)
        self._kept: dict[str, tuple[datetime, MetricSource]] = {}
        self._lock = threading.Lock()

    def get(self, analysis: m.Analysis, name: str) -> MetricSource | None:
        """The source of that name, None where there is none. Raises BadInput, and what reading raises."""
        provider = provider_of(analysis, name)
        if provider is None:
            return None
        key, now = provider.model_dump_json(), self._clock.now()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now - kept[0] < KEPT:
            return kept[1]
        secret = self._read(provider.secret_ref, f"the provider {provider.name}, secretRef")
        identity = self._identities.get(provider, secret)
        source = build(Settings(provider, secret, self._cluster, self._clock, identity))
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = (now, source)
        return source
