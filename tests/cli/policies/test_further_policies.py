"""Policies of Cilium and Calico in the commands that work on manifests."""

import json

import pytest

WORKLOADS = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
""" + "".join(
    f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec: {{containers: [{{name: c, image: c, ports: [{{containerPort: 5432}}]}}]}}
"""
    for name in ("web", "db", "job")
)
CILIUM = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: db}
spec:
  endpointSelector: {matchLabels: {app: db}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: CLIENT}}]
      toPorts: [{ports: [{port: "5432", protocol: TCP}]}]
  egress:
    - toCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]
"""
CALICO = """\
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: db}
spec:
  selector: app == 'db'
  types: [Ingress, Egress]
  ingress:
    - action: Allow
      protocol: TCP
      source: {selector: app == 'CLIENT'}
      destination: {ports: [5432]}
  egress:
    - action: Allow
      destination: {nets: [10.0.0.0/8], notNets: [10.1.0.0/16]}
"""
BOTH = pytest.mark.parametrize(
    ("text", "name"), [(CILIUM, "CiliumNetworkPolicy shop/db"), (CALICO, "Calico NetworkPolicy shop/db")]
)


@pytest.fixture
def folder(tmp_path):
    def make(name, text, client="web"):
        (tmp_path / name / "shop").mkdir(parents=True)
        (tmp_path / name / "shop" / "workloads.yaml").write_text(WORKLOADS)
        (tmp_path / name / "shop" / "policy.yaml").write_text(text.replace("CLIENT", client))
        return str(tmp_path / name)

    return make


@BOTH
def test_reach_has_their_connections_and_cuts_addresses_where_they_do(netpol, folder, text, name):
    done = netpol("reach", folder("a", text), "-o", "json")
    rows = {(c["from"], c["to"]): c["ports"] for c in json.loads(done.out)["connections"]}
    db = "shop/db[Deployment]"
    assert {f: p for (f, t), p in rows.items() if t == db} == {"shop/web[Deployment]": "TCP 5432"}
    out = {t for f, t in rows if f == db}
    assert out == {"10.0.0.0-10.0.255.255[External]", "10.2.0.0-10.255.255.255[External]"}
    assert "not analysed" not in done.err


@BOTH
def test_why_names_the_rule_with_its_file_and_line(netpol, folder, text, name):
    asked = ("why", folder("a", text), "--to", "shop/db", "--port", "5432", "--from")
    yes, no = netpol(*asked, "shop/web"), netpol(*asked, "shop/job")
    line = text[: text.index("CLIENT")].count("\n") + (1 if text is CILIUM else -1)
    assert yes.code == 0 and f"{name} ingress[0]" in yes.out and f"shop/policy.yaml:{line})" in yes.out
    assert no.code == 1 and f"{name}" in no.out


@BOTH
def test_diff_names_what_opens_and_what_is_cut(netpol, folder, text, name):
    done = netpol("diff", folder("a", text), folder("b", text, "job"), "-o", "json")
    found = {(c["change"], c["from"]) for c in json.loads(done.out)["changes"]}
    assert found == {("gained", "shop/job[Deployment]"), ("lost", "shop/web[Deployment]")}


def test_the_same_intent_in_both_apis_changes_no_connection(netpol, folder):
    done = netpol("diff", folder("a", CILIUM), folder("b", CALICO))
    assert done.code == 0 and "no connection changes" in done.out.lower(), done.out


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        (CILIUM.replace("ingress:", "ingres:"), 6, "spec.ingres: unknown field"),
        (CALICO.replace("app == 'db'", "app = 'db'"), 5, "spec.selector"),
    ],
)
def test_what_is_wrong_in_them_is_named_at_its_line(netpol, folder, text, at, said):
    done = netpol("reach", folder("a", text))
    assert done.code == 2 and said in done.err and len(done.err.splitlines()) == 1
    found = netpol("lint", folder("b", text))
    assert f"policy.yaml:{at}" in found.out and said in found.out


@BOTH
def test_what_they_protect_is_not_shown_as_open_to_any_pod(netpol, folder, text, name):
    done = netpol("reach", folder("a", text), "--exposure", "-o", "json")
    assert {e["to"] for e in json.loads(done.out)["exposure"]} == {
        "shop/web[Deployment]",
        "shop/job[Deployment]",
    }
    assert "1 policy of further APIs is asked about pods without labels alone" in done.err


def test_a_set_that_changes_changes_connections(netpol, folder, tmp_path):
    rule = CALICO[: CALICO.index("  egress:")].replace("app == 'CLIENT'", "role == 'partner'")
    sets = [
        f"""---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {{name: partners, namespace: shop, labels: {{role: partner}}}}
spec: {{nets: [{net}]}}
"""
        for net in ("198.51.100.0/24", "203.0.113.0/24")
    ]
    done = netpol("diff", *(folder(str(n), rule + one) for n, one in enumerate(sets)), "-o", "json")
    found = {(c["change"], c["from"]) for c in json.loads(done.out)["changes"]}
    assert found == {
        ("lost", "198.51.100.0-198.51.100.255[External]"),
        ("gained", "203.0.113.0-203.0.113.255[External]"),
    }


TIERED = """\
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: security.deny-web}
spec: {tier: security, selector: all(), types: [Ingress]}
"""
SECURITY = """\
---
apiVersion: projectcalico.org/v3
kind: Tier
metadata: {name: security}
spec: {order: 100}
"""
BASELINE = """\
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec:
  subject: {namespaces: {}}
  ingress: [{action: Deny, from: [{namespaces: {}}]}]
"""
ASKED = ("--from", "shop/web", "--to", "shop/db", "--port", "5432")


def test_policies_of_a_tier_that_is_elsewhere_are_named(folder, netpol):
    for text, named in (
        (TIERED, True),
        (TIERED + SECURITY, False),
        (TIERED.replace("tier: security, ", ""), False),
    ):
        done = netpol("why", folder(f"tiers-{len(text)}", text), *ASKED)
        told = "1 GlobalNetworkPolicy (projectcalico.org/v3): no Tier security is here"
        assert (f"not analysed: {told}" in done.err) is named
        assert done.code == (0 if named else 1)


@pytest.mark.parametrize("cni", ["cilium", "generic"])
def test_what_cilium_does_not_enforce_is_named_where_the_profile_says_it_is_the_one(folder, netpol, cni):
    path = folder(f"baseline-{cni}", BASELINE)
    told = "1 BaselineAdminNetworkPolicy (policy.networking.k8s.io/v1alpha1): Cilium does not enforce it: default"
    for command in (("why", path, *ASKED), ("reach", path, "-o", "json")):
        done = netpol(*command, "--cni", cni)
        assert (f"not analysed: {told}" in done.err) is (cni == "cilium")
    assert (told in json.loads(done.out)["notAnalysed"]) is (cni == "cilium")
    beside = folder(f"beside-{cni}", BASELINE + "---\n" + CILIUM.replace("CLIENT", "web"))
    err = netpol("why", beside, *ASKED, "--cni", cni).err
    assert err.count("BaselineAdminNetworkPolicy") == 1


def test_cluster_wide_policies_that_the_agent_is_not_told_to_enforce_are_named(folder, netpol):
    wall = BASELINE.replace("BaselineAdmin", "Cluster").replace("v1alpha1", "v1alpha2")
    wall = wall.replace("spec:", "spec:\n  tier: Baseline\n  priority: 1").replace(
        "name: default", "name: wall"
    )
    config = (
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\n"
        'data: {enable-k8s-cluster-network-policy: "VALUE"}\n'
    )
    named = "not analysed: 1 ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2): Cilium's agent does not enforce it unless"
    for value, cni, told in (
        ("false", "cilium", True),
        ("true", "cilium", False),
        ("false", "generic", False),
    ):
        path = folder(f"wall-{value}-{cni}", wall + config.replace("VALUE", value))
        done = netpol("why", path, *ASKED, "--cni", cni)
        assert (named in done.err) is told, done.err
        assert done.code == (0 if told else 1)
