"""What a wave tries: the diff's connections, controls, observers, and a sample with a stated chance to miss."""

import math

import pytest
from written import plain

from orchestrator.policy.author.probing import Sides, choose, miss_chance, sample_size
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.connections import table
from orchestrator.policy.workloads.fleet import fleet

CALLERS = {"web": ["web"], "all": ["web", "cart", "other"]}


def pod(space, name, *ports, labels=None):
    declared = [{"name": n, "containerPort": p, "protocol": "UDP" if n == "dns" else "TCP"} for n, p in ports]
    spec = {"containers": [{"name": "c", "ports": declared}]}
    return plain("Pod", f"{space}/{name}", spec, {"app": name, **(labels or {})})


def allow(space, name, callers, port=None, types=("Ingress",)):
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": c}}} for c in callers]
    rule = {"from": peers, **({"ports": [{"port": port}]} if port else {})}
    spec = {"podSelector": {}, "policyTypes": list(types), "ingress": [rule] if callers else []}
    return plain("NetworkPolicy", f"{space}/{name}", spec)


PODS = [
    pod("web", "web", ("http", 8080)),
    pod("cart", "cart", ("http", 8080)),
    pod("other", "other", ("http", 8080)),
    pod("pay", "pay", ("http", 8080), ("metrics", 9090)),
    pod("dev", "dev", ("http", 8080)),
    pod("monitoring", "prometheus", ("http", 9090)),
    pod("kube-system", "coredns", ("dns", 53), labels={"k8s-app": "kube-dns"}),
]


def chosen(before, after, most=100, share=0.1, miss=0.05):
    old, new = (fleet([Document(o, "x.yaml", 1) for o in [*PODS, *some]]) for some in (before, after))
    touched = frozenset({"pay"})
    apart = table(new, None, touched=frozenset({"web", "cart", "other"}))
    sides = Sides(old, new, *(table(f, None, touched=touched) for f in (old, new)), apart, touched)
    return choose(sides, changes(old, new), "seed", most, share, miss)


def names(found, role):
    return {
        (a.src.pod.name, a.dst.pod.name, a.port, a.before, a.expect) for a in found.attempts if a.role == role
    }


BEFORE = [allow("pay", "callers", ["web", "cart", "monitoring"])]
AFTER = [allow("pay", "callers", ["web", "other", "monitoring"])]


def test_every_connection_that_is_cut_or_opened_is_tried_with_what_must_be_seen():
    edges = names(chosen(BEFORE, AFTER), "edge")
    assert ("cart", "pay", 8080, "reach", "blocked") in edges
    assert ("other", "pay", 8080, "blocked", "reach") in edges
    assert not any(src == "web" for src, *_ in edges)


def test_one_control_must_pass_and_one_must_not():
    found = chosen(BEFORE, AFTER)
    ((_, _, _, *answers),) = names(found, "mustPass")
    assert answers == ["reach", "reach"]
    blocked = names(found, "mustNotPass")
    assert blocked and all(a[3:] == ("blocked", "blocked") for a in blocked)


def test_without_any_denied_connection_it_says_that_enforcement_cannot_be_checked():
    found = chosen([], [allow("pay", "callers", ["web"])])
    assert not names(found, "mustNotPass")
    assert any("whether anything is enforced cannot be checked" in n for n in found.notes)


def test_the_ways_on_which_the_cluster_is_seen_must_stay_even_where_the_change_cuts_them():
    found = chosen(BEFORE, [allow("pay", "callers", ["web"])])
    assert ("prometheus", "pay", 9090, "reach", "reach") in names(found, "observer")
    resolving = [a for a in found.attempts if a.check == "dns"]
    assert [(a.src.pod.name, a.port, a.protocol) for a in resolving] == [("pay", 53, "UDP")]


def test_a_port_that_annotations_tell_prometheus_to_read_is_one_of_these_ways():
    told = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
    PODS[3]["metadata"]["annotations"] = told
    try:
        found = chosen(BEFORE, [allow("pay", "callers", ["web"])])
    finally:
        del PODS[3]["metadata"]["annotations"]
    assert ("prometheus", "pay", 8080, "reach", "reach") in names(found, "observer")


def test_what_matters_most_comes_first_and_what_is_left_out_is_said():
    found = chosen(BEFORE, AFTER, most=3)
    assert len(found.attempts) == 3
    assert any("more connections are not tried: at most 3 are" in n for n in found.notes)


def test_the_choice_is_the_same_for_the_same_seed():
    assert chosen(BEFORE, AFTER) == chosen(BEFORE, AFTER)


@pytest.mark.parametrize(("share", "miss"), [(0.1, 0.05), (0.05, 0.05), (0.5, 0.01)])
def test_the_sample_is_as_large_as_the_stated_chance_asks_for(share, miss):
    size = sample_size(share, miss)
    assert (1 - share) ** size <= miss < (1 - share) ** (size - 1)
    assert miss_chance(size, 10_000, share) <= miss * 1.01
    assert miss_chance(size, 10_000, share) > miss * 0.3


def test_trying_all_misses_nothing_and_trying_none_misses_everything():
    assert miss_chance(10, 10, 0.1) == 0
    assert math.isclose(miss_chance(0, 10, 0.1), 1)


MANY = [pod(f"n{i:02}", "app", ("http", 8080), ("admin", 9000)) for i in range(30)]


def crowded(most, kept_share=0.25, cut=20):
    """Thirty namespaces change; of each, connections from twenty others are cut, and those from ten stay."""
    spaces = [f"n{i:02}" for i in range(30)]
    old = [allow(n, "in", spaces) for n in spaces]
    new = [allow(n, "in", spaces[cut:]) for n in spaces]
    fleets = [fleet([Document(o, "x.yaml", 1) for o in [*MANY, *some]]) for some in (old, new)]
    touched = frozenset(spaces)
    sides = Sides(*fleets, *(table(f, None, touched=touched) for f in fleets), {}, touched)
    return choose(sides, changes(*fleets), "seed", most, 0.1, 0.05, kept_share)


def staying(found):
    return [a for a in found.attempts if a.role == "sample"]


def test_a_stated_part_is_for_what_stays_however_much_is_cut():
    found = crowded(60)
    assert len(found.attempts) == 60
    assert len(staying(found)) == 15 and all(a.before == a.expect == "reach" for a in staying(found))
    assert len(staying(crowded(60, 0.5))) == 30


def test_every_namespace_of_the_wave_has_one_that_stays_among_the_probes_where_there_is_room():
    found = crowded(130)
    ends = {w.pod.namespace for a in staying(found) for w in (a.src, a.dst)}
    assert ends == {f"n{i:02}" for i in range(30)}
    assert not any("no unchanged connection is tried" in n for n in found.notes)


def test_namespaces_for_which_there_is_no_room_are_said():
    (said,) = (n for n in crowded(12, cut=29).notes if "no unchanged connection is tried" in n)
    assert said.startswith("of 26 namespaces that change no unchanged connection is tried: n")


def test_the_note_counts_what_is_really_tried():
    found = crowded(60)
    population = 10 * 30 - 10
    (said,) = (n for n in found.notes if "unchanged connections are tried" in n)
    assert said.startswith(f"15 of {population} unchanged connections are tried")
    assert f"{miss_chance(15, population, 0.1):.1%}" in said


def test_of_a_pair_that_differs_the_kept_ports_are_tried_beside_those_that_are_cut():
    before = [allow("pay", "callers", ["web"])]
    found = chosen(before, [allow("pay", "callers", ["web"], port=9090)])
    assert ("web", "pay", 8080, "reach", "blocked") in names(found, "edge")
    assert ("web", "pay", 9090, "reach", "reach") in names(found, "sample")


def test_a_narrowed_pair_is_tried_on_the_port_that_it_keeps_and_what_it_loses_is_expected_to_be_blocked():
    """Nothing listens on 9091 as far as is known, so that the pair is narrowed: clients must go on reaching 8080."""
    pods = [pod("web", "web", ("http", 8080)), pod("pay", "pay", ("http", 8080))]
    both = allow("pay", "callers", ["web"])
    both["spec"]["ingress"][0]["ports"] = [{"port": 8080}, {"port": 9091}]
    old, new = (
        fleet([Document(o, "x.yaml", 1) for o in [*pods, p]])
        for p in (both, allow("pay", "callers", ["web"], 8080))
    )
    touched, moved = frozenset({"pay"}), changes(old, new)
    assert {word for change in moved for word in change.words} == {"narrowed"}
    sides = Sides(old, new, *(table(f, None, touched=touched) for f in (old, new)), {}, touched)
    found = choose(sides, moved, "seed", 100, 0.1, 0.05)
    assert ("web", "pay", 8080, "reach", "reach") in names(found, "sample")
    assert ("web", "pay", 9091, "reach", "blocked") in names(found, "edge")
