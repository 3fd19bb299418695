"""What traffic shows on the connections of the diff, where a source names a query for flows."""

import math
from datetime import datetime

from orchestrator.analysis.agreement import plain
from orchestrator.analysis.queries.query import resolve
from orchestrator.context import Context
from orchestrator.errors import MetricError
from orchestrator.measure.kept_measurements import provider
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import built
from orchestrator.rollout.resources.resource import WaveAnalysis

ENDS = ("source_namespace", "source_workload", "destination_namespace", "destination_workload")
DROPPED = ("dropped", "denied", "drop")


def seen(
    ctx: Context, plan: m.Analysis, analysis: WaveAnalysis, at: datetime, waited: float
) -> tuple[list[m.ObservedFlow] | None, list[str]]:
    """The flows between the ends of the diff's connections in the last `waited` seconds, at most `windowSeconds`.

    None where the query failed, and why.
    """
    if not plan.flows.query:
        return [], []
    source = provider(ctx, plan, plan.flows.provider)
    if isinstance(source, str):
        return None, [f"flows: {source}"]
    window = max(1, min(plan.window_seconds, int(waited)))
    wanted = {(plain(e.source), plain(e.destination)) for e in analysis.spec.edges}
    found: dict[tuple[str, str], m.ObservedFlow] = {}
    for query in resolve(plan.flows.query, analysis.spec.watched, window):
        try:
            samples = source.query(query, at)
        except MetricError as error:
            return None, [f"flows: {error} (query: {query})"[:1000]]
        for sample in samples:
            space, name, to_space, to_name = (sample.labels.get(label, "") for label in ENDS)
            ends = (f"{space}/{name}", f"{to_space}/{to_name}")
            if ends not in wanted or not math.isfinite(sample.value):
                continue
            flow = found.setdefault(ends, built(m.ObservedFlow, source=ends[0], destination=ends[1]))
            if sample.labels.get("verdict", "").lower() in DROPPED:
                flow.dropped += sample.value
            else:
                flow.forwarded += sample.value
    return list(found.values()), []
