"""What waves were judged by, as the API tells it: metrics, probes and connections."""

from datetime import datetime

from pydantic import Field

from orchestrator.record.view import LinkChange, WaveState, WaveView
from orchestrator.rollout.resources.model import Answer as Seen
from orchestrator.rollout.resources.model import MeasurementPhase
from orchestrator.server.api.answers import Answer, Number, Page, fields_of


class Measurement(Answer):
    """One value beside what it is compared with, null where there is none."""

    time: datetime
    phase: MeasurementPhase
    value: Number
    baseline: Number
    control: Number = Field(description="The control group's.")
    message: str


class Metric(Answer):
    """One metric in one namespace, with its limits."""

    metric: str
    kind: str
    namespace: str
    query: str
    minimum: Number
    maximum: Number
    min_ratio: Number = Field(description="The lowest share of the baseline that is good.")
    max_increase: Number = Field(description="How far it may rise above the baseline.")
    decides: bool = Field(description="Whether it has a say, or is recorded only.")
    measurements: list[Measurement]


class ProbeAnswer(Answer):
    """One connection that was tried before and after the change."""

    name: str
    role: str = Field(description="Why it was chosen.")
    source: str
    destination: str
    port: int
    protocol: str
    check: str
    before: Seen
    after: Seen
    expected: Seen
    long_lived: Seen | None = Field(description="What became of a connection that was kept open meanwhile.")
    good: bool | None = Field(description="null where it proves nothing yet.")
    message: str


class Connection(Answer):
    """One connection that the wave opens, cuts or alters."""

    source: str
    destination: str
    before: str = Field(description="The ports that were open; `none` for none.")
    after: str
    change: LinkChange
    because: list[str] = Field(description="The rules that decide it, with file and commit.")
    probed: str
    seen: str = Field(description="What traffic showed.")
    alarm: str
    broken: bool


class WaveEvidence(Answer):
    """What one wave was judged by, and the verdict."""

    number: int
    state: WaveState
    verdict: MeasurementPhase
    reason: str
    watched: list[str] = Field(description="The namespaces that were watched.")
    control_group: list[str] = Field(description="Those that they are compared with.")
    metrics: list[Metric]
    probes: list[ProbeAnswer]
    connections: list[Connection]
    alarms: list[str]
    suspects: list[str]
    notes: list[str]


class Evidence(Page):
    """The evidence of a rollout, wave by wave; waves that have not begun have none."""

    rollout: str
    items: list[WaveEvidence]


def wave_evidence(wave: WaveView) -> WaveEvidence:
    """All that is kept of it."""
    metrics = [{**fields_of(Metric, curve), "measurements": curve.points} for curve in wave.curves]
    more = {"metrics": metrics, "probes": wave.attempts, "connections": wave.links}
    return WaveEvidence.model_validate({**fields_of(WaveEvidence, wave), **more})
