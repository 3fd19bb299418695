"""What each kind of policy comes to for the pods of a scope, and for all others."""

import pytest
from written import plain

from orchestrator.policy.narrow.narrowed_kinds import KINDS
from orchestrator.policy.narrow.scopes import NARROWED_FROM, Scope, Unnarrowable, means_beside_pods, split
from orchestrator.policy.schemas.policy_kinds import POLICY_KINDS

CANARY = Scope(frozenset({"shop"}), {"matchLabels": {"track": "canary"}})
WAVE = Scope(frozenset({"shop", "bank"}))
LABELLED = Scope(selector={"matchLabels": {"track": "canary"}})
EVERYTHING, NOTHING = Scope(), Scope(namespaces=frozenset())
CILIUM, CALICO = "cilium.io/v2", "projectcalico.org/v3"
RULES, OTHERS = {"ingress": [{}]}, {"policyTypes": ["Ingress"]}


def part(whole, name, **spec):
    """What a policy is narrowed to: a name and some of its spec."""
    meta = {**whole["metadata"], "name": name, "annotations": {NARROWED_FROM: whole["metadata"]["name"]}}
    return {**whole, "metadata": meta, "spec": {**whole["spec"], **spec}}


def of_kubernetes(selector, rules):
    return plain("NetworkPolicy", "shop/db", {"podSelector": selector, **rules}, labels={"team": "red"})


def asks(key, operator, *values):
    return {
        "matchExpressions": [{"key": key, "operator": operator, **({"values": [*values]} if values else {})}]
    }


def test_a_network_policy_has_a_part_for_the_scope_and_one_for_the_rest():
    own = {"matchLabels": {"app": "db"}}
    old, new = of_kubernetes(own, RULES), of_kubernetes(own, OTHERS)
    assert split([old], [new], CANARY) == [
        part(old, "db", podSelector={**own, **asks("track", "NotIn", "canary")}),
        part(new, "db--canary", podSelector={"matchLabels": {"app": "db", "track": "canary"}}),
    ]


def test_what_is_outside_is_a_part_for_each_requirement_and_no_pod_is_in_two():
    old = of_kubernetes({}, RULES)
    scope = Scope(selector={"matchLabels": {"a": "1"}, **asks("b", "Exists")})
    assert split([old], [], scope) == [
        part(old, "db", podSelector=asks("a", "NotIn", "1")),
        part(old, "db--rest-2", podSelector={"matchLabels": {"a": "1"}, **asks("b", "DoesNotExist")}),
    ]


@pytest.mark.parametrize("kind", ["AdminNetworkPolicy", "ClusterNetworkPolicy"])
def test_a_policy_of_the_cluster_is_narrowed_by_namespaces_at_the_same_priority(kind):
    spec = {"priority": 7, "subject": {"namespaces": {"matchLabels": {"team": "red"}}}}
    old = plain(kind, "guard", spec | ({"tier": "Admin"} if kind.startswith("Cluster") else {}))
    named = asks("kubernetes.io/metadata.name", "In", "bank", "shop")
    new = {**old, "spec": {**old["spec"], "egress": []}}
    rest, some = split([old], [new], WAVE)
    assert rest == part(
        old,
        "guard",
        subject={
            "namespaces": {
                "matchLabels": {"team": "red"},
                **asks("kubernetes.io/metadata.name", "NotIn", "bank", "shop"),
            }
        },
    )
    assert some == part(
        new, "guard--canary", subject={"namespaces": {"matchLabels": {"team": "red"}, **named}}
    )


def test_the_subject_of_pods_in_namespaces_keeps_both():
    subject = {
        "pods": {"namespaceSelector": asks("team", "Exists"), "podSelector": {"matchLabels": {"app": "db"}}}
    }
    old = plain("AdminNetworkPolicy", "guard", {"priority": 7, "subject": subject})
    here = {"matchLabels": {"kubernetes.io/metadata.name": "shop"}, **asks("team", "Exists")}
    away = {
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["shop"]},
            {"key": "team", "operator": "Exists"},
        ]
    }
    other = {"matchLabels": {"app": "db"}, **asks("track", "NotIn", "canary")}
    assert split([old], [], CANARY) == [
        part(
            old,
            "guard",
            subject={"pods": {"namespaceSelector": away, "podSelector": {"matchLabels": {"app": "db"}}}},
        ),
        part(old, "guard--rest-2", subject={"pods": {"namespaceSelector": here, "podSelector": other}}),
    ]


def test_a_baseline_is_narrowed_only_where_one_is_enough():
    old = plain("BaselineAdminNetworkPolicy", "default", {"subject": {"namespaces": {}}})
    new = {**old, "spec": {**old["spec"], "ingress": []}}
    with pytest.raises(Unnarrowable, match=r"BaselineAdminNetworkPolicy/default cannot be .* one alone"):
        split([old], [new], WAVE)
    assert split([old], [new], EVERYTHING) == [new]
    assert split([old], [], WAVE)[0]["spec"]["subject"]["namespaces"] == asks(
        "kubernetes.io/metadata.name", "NotIn", "bank", "shop"
    )


def test_a_policy_of_cilium_keeps_its_sources_and_stays_one_object():
    spec = {"endpointSelector": {"matchLabels": {"any:app": "db"}}, "ingress": [{}]}
    old = plain("CiliumNetworkPolicy", "shop/db", spec, version=CILIUM)
    scope = Scope(selector={"matchLabels": {"app": "db", "track": "canary"}})
    rest, some = split([old], [{**old, "spec": {**spec, "ingress": [{"toPorts": []}]}}], scope)
    assert rest == part(
        old, "db", endpointSelector={"matchLabels": {"any:app": "db"}, **asks("k8s:track", "NotIn", "canary")}
    )
    assert some["spec"]["endpointSelector"] == {"matchLabels": {"any:app": "db", "k8s:track": "canary"}}


def test_each_spec_of_cilium_is_narrowed_and_those_outside_are_of_one_object():
    specs = [{"endpointSelector": {"matchLabels": {"app": app}}, "ingress": [{}]} for app in ("db", "web")]
    old = plain("CiliumClusterwideNetworkPolicy", "all", version=CILIUM, specs=specs)
    (rest,) = split([old], [], CANARY)
    space = "io.kubernetes.pod.namespace"
    assert [spec["endpointSelector"] for spec in rest["specs"]] == [
        selector
        for app in ("db", "web")
        for selector in (
            {"matchLabels": {"app": app}, **asks(f"k8s:{space}", "NotIn", "shop")},
            {"matchLabels": {"app": app, f"k8s:{space}": "shop"}, **asks("k8s:track", "NotIn", "canary")},
        )
    ]


def test_ciliums_own_endpoints_stay_outside():
    old = plain(
        "CiliumClusterwideNetworkPolicy", "all", {"endpointSelector": {}, "ingress": [{}]}, version=CILIUM
    )
    scope = Scope(selector=asks("track", "NotIn", "stable"))
    rest, some = split([old], [{**old, "spec": {**old["spec"], "ingress": [{}, {}]}}], scope)
    space = {"key": "k8s:io.kubernetes.pod.namespace"}
    track = {"key": "k8s:track", "operator": "NotIn", "values": ["stable"]}
    assert some["spec"]["endpointSelector"] == {"matchExpressions": [{**space, "operator": "Exists"}, track]}
    assert rest["specs"][0]["endpointSelector"] == {
        "matchExpressions": [{**space, "operator": "DoesNotExist"}]
    }
    assert means_beside_pods(old) == "Cilium's health and ingress endpoints"


@pytest.mark.parametrize("staged", ["", "Staged"])
def test_a_policy_of_calico_says_both_in_its_selector(staged):
    spec = {"order": 10, "selector": "app == 'db' || app == 'web'"}
    old = plain(f"{staged}NetworkPolicy", "shop/db", spec, version=CALICO)
    new = {**old, "spec": {**spec, "types": ["Egress"]}}
    assert split([old], [new], Scope(selector={"matchLabels": {"track": "canary", "app": "db"}})) == [
        part(old, "db", selector="(app == 'db' || app == 'web') && !(app == 'db' && track == 'canary')"),
        part(new, "db--canary", selector="(app == 'db' || app == 'web') && app == 'db' && track == 'canary'"),
    ]


def test_host_endpoints_stay_outside_of_every_scope():
    old = plain("GlobalNetworkPolicy", "all", {"selector": "app != 'x'"}, version=CALICO)
    new = {**old, "spec": {**old["spec"], "order": 3}}
    assert [obj["spec"]["selector"] for obj in split([old], [new], WAVE)] == [
        "app != 'x' && projectcalico.org/namespace not in {'bank', 'shop'}",
        "app != 'x' && projectcalico.org/namespace in {'bank', 'shop'}",
    ]
    assert [obj["spec"]["selector"] for obj in split([old], [new], LABELLED)] == [
        "app != 'x' && !(has(projectcalico.org/namespace) && track == 'canary')",
        "app != 'x' && has(projectcalico.org/namespace) && track == 'canary'",
    ]
    assert means_beside_pods(old) == "host endpoints"


@pytest.mark.parametrize(
    ("kind", "spec", "beside"),
    [
        ("GlobalNetworkPolicy", {"namespaceSelector": "all()"}, ""),
        ("GlobalNetworkPolicy", {"serviceAccountSelector": "has(role)"}, ""),
        ("GlobalNetworkPolicy", {"selector": "projectcalico.org/namespace == 'shop' && app == 'x'"}, ""),
        ("GlobalNetworkPolicy", {"selector": "projectcalico.org/orchestrator == 'k8s'"}, ""),
        ("GlobalNetworkPolicy", {"selector": "has(projectcalico.org/namespace) || has(node)"}, "host endpoints"),
        ("StagedGlobalNetworkPolicy", {}, "host endpoints"),
        ("NetworkPolicy", {}, ""),
        ("CiliumNetworkPolicy", {"endpointSelector": {}}, ""),
        ("CiliumClusterwideNetworkPolicy", {"endpointSelector": {"matchLabels": {"app": "x"}}}, ""),
        ("CiliumClusterwideNetworkPolicy", {"endpointSelector": asks("app", "DoesNotExist")}, "Cilium's health and ingress endpoints"),
        ("CiliumClusterwideNetworkPolicy", {"endpointSelector": asks("reserved:ingress", "Exists")}, "Cilium's ingress endpoints"),
        ("CiliumClusterwideNetworkPolicy", {"nodeSelector": {}}, "nodes"),
        ("AdminNetworkPolicy", {"subject": {"namespaces": {}}}, ""),
    ],
)  # fmt: skip
def test_what_is_meant_beside_pods_is_said(kind, spec, beside):
    version = CILIUM if kind.startswith("Cilium") else "" if kind.startswith("Admin") else CALICO
    assert means_beside_pods(plain(kind, "one", spec, version=version)) == beside


def test_what_has_no_namespace_stays_as_it_was_under_everything_too():
    spec = {"selector": "app == 'x'"}
    old = plain("GlobalNetworkPolicy", "all", spec, version=CALICO)
    new = {**old, "spec": {**spec, "order": 3}}
    assert [obj["spec"] for obj in split([old], [new], EVERYTHING)] == [
        {"selector": "app == 'x' && !has(projectcalico.org/namespace)"},
        {"selector": "app == 'x' && has(projectcalico.org/namespace)", "order": 3},
    ]


@pytest.mark.parametrize(
    ("kind", "spec", "why"),
    [
        ("Tier", {}, "every policy that refers to it"),
        ("NetworkSet", {}, "every policy that refers to it"),
        ("GlobalNetworkSet", {}, "every policy that refers to it"),
        ("CiliumCIDRGroup", {"externalCIDRs": []}, "every policy that refers to it"),
        ("HostEndpoint", {}, "none whose pods can be narrowed"),
        ("GlobalNetworkPolicy", {"doNotTrack": True, "applyOnForward": True}, "for host endpoints alone"),
        ("GlobalNetworkPolicy", {"preDNAT": True, "applyOnForward": True}, "for host endpoints alone"),
        ("GlobalNetworkPolicy", {"selector": "app = 'x'"}, "is not valid: spec.selector"),
        ("StagedNetworkPolicy", {"stagedAction": "Delete"}, "stages the deletion"),
        ("StagedKubernetesNetworkPolicy", {"stagedAction": "Delete"}, "stages the deletion"),
        ("CiliumClusterwideNetworkPolicy", {"nodeSelector": {}, "ingress": [{}]}, "selects nodes"),
        ("CiliumClusterwideNetworkPolicy", {"endpointSelector": {"matchLabels": {"reserved:health": ""}}, "ingress": [{}]}, "selects no pods"),
        ("CiliumNetworkPolicy", {"endpointSelector": {}}, "is not valid: spec: must hold a rule"),
    ],
)  # fmt: skip
def test_what_cannot_be_narrowed_is_refused_with_its_reason(kind, spec, why):
    obj = plain(kind, "shop/one", spec, version=CILIUM if kind.startswith("Cilium") else CALICO)
    for before, after in (([obj], []), ([], [obj])):
        with pytest.raises(Unnarrowable, match=f"^.*{kind}.*/one cannot be narrowed to some pods: .*{why}"):
            split(before, after, CANARY)
    assert split([obj], [obj], CANARY) == [obj]  # unchanged, there is nothing to narrow


def test_everything_is_the_new_policies_and_nothing_the_old_ones():
    old, new = of_kubernetes({}, RULES), of_kubernetes({}, OTHERS)
    for scope, wanted in (
        (EVERYTHING, new),
        (NOTHING, old),
        (Scope(frozenset({"bank"})), old),
        (Scope(frozenset({"shop"})), new),
    ):
        assert split([old], [new], scope) == [wanted]


def test_a_staged_policy_of_kubernetes_is_narrowed_like_what_it_stages():
    old = plain(
        "StagedKubernetesNetworkPolicy", "shop/db", {"stagedAction": "Set", "podSelector": {}}, version=CALICO
    )
    (rest,) = split([old], [], CANARY)
    assert rest == part(old, "db", podSelector=asks("track", "NotIn", "canary"))


def test_every_kind_that_is_evaluated_can_be_narrowed():
    assert {(row.group, row.kind) for row in POLICY_KINDS} < {*KINDS}
