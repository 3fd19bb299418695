"""`convert` at the command line: written, refused with place and field, and the same by `diff`."""

import pytest
import yaml
from cni_policies import calico, cilium, tier
from written import deployed, policy, written

APPS = "".join(deployed(f"shop/{name}") for name in ("web", "db", "job")) + deployed("bank/till")
WEB = policy(
    "shop/db",
    "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress], "
    "ingress: [{from: [{podSelector: {matchLabels: {app: web}}}, {namespaceSelector: {}, podSelector: {matchLabels: {app: till}}}], "
    "ports: [{port: 5432}]}], "
    "egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}], ports: [{port: 80, endPort: 90}, {port: 53, protocol: UDP}]}]}",
)
CLOSED = policy("shop/closed", "{podSelector: {}, policyTypes: [Ingress]}")


@pytest.fixture
def folder(tmp_path):
    def make(name, policies, workloads=APPS):
        (tmp_path / name / "shop").mkdir(parents=True)
        (tmp_path / name / "shop/policies.yaml").write_text(policies)
        if workloads:
            (tmp_path / name / "workloads.yaml").write_text(workloads)
        return tmp_path / name

    return make


@pytest.mark.parametrize("target", ["cilium", "calico"])
def test_a_migration_there_and_back_is_neutral_by_diff(netpol, folder, tmp_path, target):
    before, there, back = folder("before", WEB + CLOSED), tmp_path / "there", tmp_path / "back"
    done = netpol("convert", str(before), "--to", target, "--into", str(there))
    assert done.code == 0, done.err
    assert done.out == f"2 policies written to {there}\n"
    assert "no connection changes among 4 workloads and " in done.err
    kinds = {
        o["apiVersion"].partition("/")[0]
        for o in yaml.safe_load_all((there / "shop/policies.yaml").read_text())
    }
    assert kinds == {{"cilium": "cilium.io", "calico": "projectcalico.org"}[target]}
    (there / "workloads.yaml").write_text(APPS)
    for one, other in ((before, there), (there, before)):
        done = netpol("diff", str(one), str(other))
        assert (done.code, done.out) == (0, "no connection changes\n")
    assert netpol("convert", str(there), "--to", "networkpolicy", "--into", str(back)).code == 0
    assert [*yaml.safe_load_all((back / "shop/policies.yaml").read_text())][1]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
    }
    (back / "workloads.yaml").write_text(APPS)
    assert netpol("diff", str(before), str(back)).out == "no connection changes\n"


REFUSED = [
    (cilium("shop/db", "{endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.example}]}]}"), "networkpolicy", "spec.egress[0].toFQDNs[0]"),
    (cilium("shop/db", "{endpointSelector: {}, ingressDeny: [{fromEntities: [all]}]}"), "networkpolicy", "spec.ingressDeny[0]"),
    (cilium("shop/db", "{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [all]}]}"), "networkpolicy", "spec.ingress[0]"),
    (cilium("shop/db", "{endpointSelector: {}, ingress: [{fromEntities: [cluster]}]}"), "networkpolicy", "spec.ingress[0].fromEntities[0]"),
    (cilium("db", "{endpointSelector: {}, ingress: [{}]}"), "networkpolicy", "spec.endpointSelector"),
    (cilium("shop/db", "{endpointSelector: {}, egress: [{icmps: [{fields: [{type: 8}]}]}]}"), "networkpolicy", "spec.egress[0].icmps[0].fields[0]"),
    (cilium("shop/db", "{endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: a}}]}]}"), "calico", "spec.egress[0].toServices[0]"),
    (cilium("shop/db", "{endpointSelector: {}, egress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]}]}"), "calico", "spec.egress[0].toPorts[0].rules"),
    (calico("shop/db", "{tier: edge, selector: all()}") + tier("edge", "{order: 1}"), "cilium", "spec.tier"),
    (calico("shop/db", "{selector: all(), ingress: [{action: Pass}]}"), "cilium", "spec.ingress[0].action"),
    (calico("shop/db", "{selector: app contains 'd'}"), "networkpolicy", "spec.selector"),
    (calico("shop/db", "{selector: all(), ingress: [{action: Deny, source: {selector: app == 'web'}}, {action: Allow}]}"), "networkpolicy", "spec.ingress[0]"),
    (calico("shop/db", "{selector: all(), ingress: [{action: Allow, source: {selector: app == 'web'}}, {action: Deny}, {action: Allow}]}"), "cilium", "spec.ingress[1]"),
    (calico("shop/db", "{selector: all(), egress: [{action: Allow, destination: {services: {name: a, namespace: shop}}}]}"), "cilium", "spec.egress[0].destination.services"),
    (policy("shop/db", "{podSelector: {matchLabels: {pod-template-hash: a}}}"), "cilium", "spec.podSelector"),
    (policy("shop/db", "{podSelector: {}}"), "anp", "spec.podSelector"),
    (written("AdminNetworkPolicy", "a", "{priority: 1, subject: {namespaces: {}}, egress: [{action: Pass, to: [{namespaces: {}}]}]}"), "cilium", "spec.subject"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "target", "field"), REFUSED)
def test_what_the_target_cannot_say_is_refused_by_file_line_and_field(
    netpol, folder, tmp_path, text, target, field
):
    """The policy stands in line 2 of its file, and what is refused below, all in the line of `spec`."""
    done = netpol("convert", str(folder("p", text)), "--to", target, "--into", str(tmp_path / "out"))
    assert done.code == 2 and not (tmp_path / "out").exists() and done.out == ""
    told, last = done.err.splitlines()
    assert "shop/policies.yaml:5: " in told and f" {field}: " in told
    assert f"1 field that --to {target} cannot say: nothing is written" in last


def test_every_field_that_cannot_be_said_is_named_at_once(netpol, folder):
    text = cilium(
        "shop/a",
        "{endpointSelector: {}, egressDeny: [{toEntities: [all]}], egress: [{toFQDNs: [{matchName: a.b}]}]}",
    )
    done = netpol("convert", str(folder("p", text)), "--to", "networkpolicy")
    assert done.code == 2 and len(done.err.splitlines()) == 3


def test_without_workloads_pods_are_made_up(netpol, folder):
    done = netpol("convert", str(folder("p", WEB, workloads="")), "--to", "cilium")
    assert (
        done.code == 0
        and "no connection changes among 8 pods made up of the labels that the policies name" in done.err
    )
    (made,) = yaml.safe_load_all(done.out)
    assert made["spec"]["egress"] == [
        {
            "toCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}],
            "toPorts": [
                {
                    "ports": [
                        {"port": "80", "endPort": 90, "protocol": "TCP"},
                        {"port": "53", "protocol": "UDP"},
                    ]
                }
            ],
        }
    ]


def test_a_translation_that_would_change_a_connection_is_refused_with_it(netpol, folder, tmp_path):
    """Calico's networks cover pods, those of Cilium do not: here the pods' addresses are known."""
    pods = "".join(
        written(
            "Pod",
            f"shop/{name}",
            "{containers: [{name: c, image: c}]}",
            f"labels: {{app: {name}}}",
            status=f"{{podIP: 10.0.0.{n}}}",
        )
        for n, name in enumerate(("web", "db"), 1)
    )
    text = cilium(
        "shop/web", "{endpointSelector: {matchLabels: {app: web}}, egress: [{toCIDR: [10.0.0.0/8]}]}"
    )
    done = netpol("convert", str(folder("p", text, pods)), "--to", "calico", "--into", str(tmp_path / "out"))
    assert done.code == 2 and not (tmp_path / "out").exists()
    assert "opened" in done.err and "shop/web[Pod]" in done.err and "shop/db[Pod]" in done.err
    assert "would change 3 connections: nothing is written" in done.err


def test_denials_of_cilium_come_first_in_calico(netpol, folder):
    text = cilium(
        "shop/db",
        "{endpointSelector: {}, ingressDeny: [{fromEndpoints: [{matchLabels: {app: job}}]}], ingress: [{fromEntities: [all]}]}",
    )
    done = netpol("convert", str(folder("p", text)), "--to", "calico")
    assert done.code == 0, done.err
    deny, allow = yaml.safe_load_all(done.out)
    assert (deny["metadata"]["name"], deny["spec"]["order"]) == ("db-deny", 500)
    assert (allow["metadata"]["name"], allow["spec"]["order"]) == ("db", 1000)


def test_a_policy_for_the_cluster_that_names_namespaces_is_written_into_each(netpol, folder, tmp_path):
    text = calico(
        "db",
        "{namespaceSelector: \"projectcalico.org/name in {'shop', 'bank'}\", selector: all(), types: [Ingress]}",
    )
    out = tmp_path / "out"
    done = netpol("convert", str(folder("p", text)), "--to", "networkpolicy", "--into", str(out))
    assert done.code == 0, done.err
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.yaml")) == [
        "bank/db.yaml",
        "shop/db.yaml",
    ]


def test_a_policy_of_a_folder_or_of_all_stays_where_it_is(netpol, tmp_path):
    root = tmp_path / "p"
    for place in ("shop", "_shared"):
        (root / place).mkdir(parents=True)
        (root / place / "a.yaml").write_text(policy("a", "{podSelector: {}, policyTypes: [Ingress]}"))
    (root / "apps.yaml").write_text(APPS)
    done = netpol("convert", str(root), "--to", "cilium", "--into", str(tmp_path / "out"))
    assert done.code == 0, done.err
    made = yaml.safe_load((tmp_path / "out/_shared/a.yaml").read_text())
    assert "namespace" not in made["metadata"] and made["spec"]["ingress"] == [{}]


def test_cluster_network_policies_become_their_forerunners(netpol, folder):
    text = written(
        "ClusterNetworkPolicy",
        "a",
        "{tier: Admin, priority: 7, subject: {namespaces: {}}, egress: [{action: Accept, to: [{pods: {podSelector: {}}}], "
        "protocols: [{tcp: {destinationPort: {range: {start: 80, end: 90}}}}, {udp: {}}]}, {action: Deny, to: [{networks: [10.0.0.0/8]}]}]}",
    )
    done = netpol("convert", str(folder("p", text)), "--to", "anp")
    assert done.code == 0, done.err
    made = yaml.safe_load(done.out)
    assert made["kind"] == "AdminNetworkPolicy" and made["spec"]["priority"] == 7
    assert made["spec"]["egress"][0]["ports"] == [
        {"portRange": {"protocol": "TCP", "start": 80, "end": 90}},
        {"portRange": {"protocol": "UDP", "start": 1, "end": 65535}},
    ]


def test_a_name_that_another_policy_has_already_is_refused(netpol, folder):
    """A NetworkPolicy and one of Cilium may share their name; two NetworkPolicies may not."""
    text = WEB + cilium("shop/db", "{endpointSelector: {}, ingress: [{fromEntities: [all]}]}")
    done = netpol("convert", str(folder("p", text)), "--to", "networkpolicy")
    assert (
        done.code == 2
        and "CiliumNetworkPolicy shop/db: metadata.name: another policy of that name" in done.err
    )


def test_names_that_a_proxy_only_reads_are_no_restriction(netpol, folder):
    rules = "rules: {dns: [{matchPattern: 'NAMES'}]}"
    text = cilium(
        "shop/db",
        f"{{endpointSelector: {{}}, egress: [{{toPorts: [{{ports: [{{port: '53', protocol: UDP}}], {rules}}}]}}]}}",
    )
    done = netpol("convert", str(folder("p", text.replace("NAMES", "*"))), "--to", "networkpolicy")
    assert done.code == 0, done.err
    assert yaml.safe_load(done.out)["spec"]["egress"] == [{"ports": [{"protocol": "UDP", "port": 53}]}]
    refused = netpol("convert", str(folder("q", text.replace("NAMES", "*.example"))), "--to", "networkpolicy")
    assert refused.code == 2 and "spec.egress[0].toPorts[0].rules" in refused.err


def test_what_no_pod_can_be_is_nobody(netpol, folder):
    text = calico(
        "shop/db",
        "{selector: all(), ingress: [{action: Allow, source: {selector: '!has(projectcalico.org/orchestrator)'}}]}",
    )
    done = netpol("convert", str(folder("p", text)), "--to", "networkpolicy")
    assert done.code == 0, done.err
    assert yaml.safe_load(done.out)["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}


def test_cluster_wide_policies_of_kubernetes_get_tiers_of_calico(netpol, folder, tmp_path):
    text = written(
        "AdminNetworkPolicy",
        "guard",
        "{priority: 7, subject: {namespaces: {}}, ingress: [{action: Allow, from: [{pods: {namespaceSelector: {}, podSelector: "
        "{matchLabels: {app: web}}}}]}, {action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 80}}]}]}",
    )
    text += written(
        "BaselineAdminNetworkPolicy",
        "default",
        "{subject: {namespaces: {}}, egress: [{action: Deny, to: [{networks: [10.0.0.0/8]}]}]}",
    )
    before, out = folder("p", text), tmp_path / "out"
    done = netpol("convert", str(before), "--to", "calico", "--into", str(out))
    assert done.code == 0 and done.out == f"2 policies written to {out}\n", done.err
    made = [*yaml.safe_load_all((out / "shop/policies.yaml").read_text())]
    assert [(o["kind"], o["metadata"]["name"]) for o in made] == [
        ("Tier", "admin"),
        ("Tier", "baseline"),
        ("GlobalNetworkPolicy", "admin.guard"),
        ("GlobalNetworkPolicy", "baseline.default"),
    ]
    (out / "workloads.yaml").write_text(APPS)
    assert netpol("diff", str(before), str(out)).out == "no connection changes\n"


def test_another_target_and_a_directory_without_policies_are_refused(netpol, folder):
    done = netpol("convert", str(folder("p", WEB)), "--to", "antrea")
    assert done.code == 2 and "take one of networkpolicy, anp, cilium, calico" in done.err
    done = netpol("convert", str(folder("q", "")), "--to", "cilium")
    assert done.code == 2 and "there is no policy here" in done.err
