"""Some pods of a namespace are compared with the others there: they serve the same clients at the same time."""

import pytest
from counting import STEP, Counters
from stage import Stage, files, policy, work

from orchestrator.ports import Kind, Sample
from orchestrator.rollout.resources import model as m

CANARY = [m.Label(key="track", value="canary")]
PODS = ("a", "b", "c", "d")


class OfPods(Counters):
    """As Counters has it, of each of four pods of cart; `hurt` are those that get other requests once cart was written."""

    hurt = ("a",)

    def _samples(self, which, at):
        self._note()
        usual, self.written = self.written, {}
        quiet = {pod: self._count("cart", which, at) for pod in PODS}
        self.written = usual
        found = {pod: self._count("cart", which, at) if pod in self.hurt else quiet[pod] for pod in PODS}
        return [
            Sample({"namespace": "cart", "pod": pod}, float(int(count)), at)
            for pod, count in found.items()
            if count is not None
        ]


def stage(metric, changed, hurt, **spec):
    given = {
        "interval_seconds": STEP,
        "baseline_seconds": 600,
        "limit_seconds": 600,
        "count": 2,
        "probes": [],
    }
    found = Stage(
        analysis={**given, "metrics": [metric]},
        deadline_seconds=3600,
        canary_pods=m.CanaryPods(match_labels=CANARY),
        **spec,
    )
    deny = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]}, "cart")
    found.repository.history[-1] = ("c" * 40, files(deny))
    for pod in PODS:
        found.pod("cart", pod)
    fresh = found.cluster.get(Kind("v1", "Pod"), "a", "cart")
    fresh["metadata"]["labels"]["track"] = "canary"
    found.cluster.replace(fresh)
    found.metrics = OfPods(found, changed, spaces=("cart",))
    found.metrics.hurt = hurt
    return found


RATIO = m.MetricSpec(name="errors", kind="ratio", errors="e", total="t", test="sequential")
VOLUME = m.MetricSpec(name="requests", kind="volume", query="t", test="sequential")


@pytest.mark.parametrize(("metric", "changed"), [(RATIO, (20.0, 0.3)), (VOLUME, (0.0, 0.0))])
def test_what_hurts_the_canary_pods_alone_is_rolled_back_from_them(metric, changed):
    found = stage(metric, changed, ("a",))
    before = found.standing()
    state = work(found.context(), "engine")
    status = state.rollout.status
    assert (status.phase, status.waves_started) == ("RolledBack", 1), status.reason
    assert "its canary pods beside the others" in status.details and found.standing() == before
    assert [w.places for w in state.rollout.spec.waves][:2] == [["cart.1"], ["cart"]]


@pytest.mark.parametrize(("metric", "changed"), [(RATIO, (20.0, 0.3)), (VOLUME, (1.0, 0.0))])
def test_what_hurts_all_pods_alike_is_not_laid_at_the_door_of_the_canary(metric, changed):
    found = stage(metric, changed, PODS)
    state = work(found.context(), "engine", stop=lambda: found.clock.now().timestamp() > began(found) + 300)
    first = state.analyses[0].status
    assert first.phase in ("Running", "Successful", "Inconclusive"), first.reason


def began(found):
    return min(r.timestamp() for r in found.metrics.written.values()) if found.metrics.written else 1e12


def test_series_whose_label_names_no_pod_of_the_namespace_are_judged_as_a_whole():
    found = stage(VOLUME, (0.0, 0.0), PODS)
    real = found.metrics._samples
    found.metrics._samples = lambda which, at: [
        Sample({**s.labels, "pod": f"ingress-{s.labels['pod']}"}, s.value, s.time) for s in real(which, at)
    ]
    state = work(found.context(), "engine")
    assert state.rollout.status.phase == "RolledBack"
    assert "canary pods" not in state.rollout.status.details


def test_what_a_canary_pod_did_that_went_is_still_its_own():
    found = stage(RATIO, (20.0, 0.3), ("a",))
    went = []

    def samples(which, at):
        if found.metrics.written and not went:
            went.append(found.remove(Kind("v1", "Pod"), "a", "cart"))
        return real(which, at)

    real, found.metrics._samples = found.metrics._samples, samples
    status = work(found.context(), "engine").rollout.status
    assert went and (status.phase, status.waves_started) == ("RolledBack", 1), status.reason
    assert "its canary pods beside the others" in status.details
