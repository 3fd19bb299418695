"""A metric may name a preset instead of a query; what it says itself wins."""

import pytest

from orchestrator.analysis.queries.catalog import PRESETS
from orchestrator.analysis.queries.presets import expand, expanded
from orchestrator.analysis.queries.providers import provider_of
from orchestrator.errors import BadInput
from orchestrator.rollout.resources import model as m

TEXT_BOUND = 1024


def metric(name="x", **fields):
    return m.MetricSpec(name=name, **fields)


def test_a_preset_gives_the_queries_and_a_limit_to_a_metric_that_has_none():
    found = expand(metric(preset="istio"))
    assert found.kind == "ratio" and 'reporter="source"' in found.errors and found.max_increase == 0.02
    volume = expand(metric(preset="istio", kind="volume"))
    assert 'reporter=~"destination|waypoint"' in volume.query and volume.min_ratio == 0.5
    assert expand(metric(preset="up")).kind == "scrape"


def test_a_sequential_metric_gets_raw_counters_by_pod_and_no_threshold():
    found = expand(metric(preset="linkerd", test="sequential"))
    assert found.total.startswith("sum by (namespace, pod)") and "increase" not in found.total
    assert found.max_increase is None
    assert expand(metric(preset="linkerd", kind="volume", test="sequential")).min_ratio == 0.5


def test_what_the_metric_says_itself_wins():
    found = expand(metric(preset="istio", kind="ratio", errors="mine", maximum=0.1, provider="other"))
    assert (found.errors, found.maximum, found.max_increase) == ("mine", 0.1, None)
    assert found.provider == "other" and "istio_requests_total" in found.total


def test_expanding_twice_changes_nothing_and_a_metric_without_a_preset_stays_as_it_is():
    plain = metric("plain", query="q")
    plan = m.Analysis(metrics=[metric("flows", preset="hubble"), plain, metric("ready", preset="pods-ready")])
    once = expanded(plan)
    assert expanded(once) == once
    assert once.metrics[1] == plain


def test_a_frozen_metric_outlives_its_preset():
    frozen = metric(preset="gone", kind="ratio", errors="a", total="b")
    assert expand(frozen) == frozen


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"preset": "itsio"}, r"analysis.metrics\[x\].preset: there is no preset itsio; take one of istio,"),
        ({"preset": "up", "kind": "ratio"}, "the preset up has no ratio; take kind scrape"),
        ({"preset": "pods-ready", "test": "sequential"}, "no history for a sequential test"),
    ],
)
def test_a_preset_that_cannot_be_meant_is_bad_input(fields, said):
    with pytest.raises(BadInput, match=said):
        expand(metric(**fields))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_fits_the_resource_and_asks_for_the_namespaces_of_the_wave(name):
    for kind in PRESETS[name].kinds:
        for test in ("threshold", "sequential") if PRESETS[name].provider == "prometheus" else ("threshold",):
            found = expand(metric(preset=name, kind=kind, test=test))
            sent = [q for q in (found.query, found.errors, found.total) if q]
            assert sent and all("$namespaces" in q and len(q) <= TEXT_BOUND for q in sent)
            assert m.MetricSpec.model_validate(found.model_dump()) == found


def test_presets_of_the_kubernetes_api_name_its_provider_which_needs_no_settings():
    found = expand(metric(preset="pods-ready"))
    assert (found.provider, found.kind, found.min_ratio) == ("kubernetes", "value", 0.5)
    assert provider_of(m.Analysis(), "kubernetes").type == "kubernetes"


def test_prometheus_is_a_provider_by_its_own_settings_and_others_by_the_list():
    own = m.Prometheus(url="http://p:9090", timeout_seconds=3)
    other = m.Provider(name="web", type="http", url="http://w")
    plan = m.Analysis(prometheus=own, providers=[other])
    assert provider_of(plan, "prometheus").timeout_seconds == 3
    assert provider_of(plan, "web") == other
    assert provider_of(plan, "nobody") is None and provider_of(m.Analysis(), "prometheus") is None


def test_two_providers_of_one_name_are_bad_input():
    plan = m.Analysis(
        prometheus=m.Prometheus(url="http://p"), providers=[m.Provider(name="prometheus", url="http://q")]
    )
    with pytest.raises(BadInput, match="two providers are called prometheus"):
        provider_of(plan, "prometheus")
