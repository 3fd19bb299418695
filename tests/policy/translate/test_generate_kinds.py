"""`generate` in the words of each API: the same connections, and names where the API has them."""

import pytest
import yaml
from made import service, workload
from written import written

from orchestrator.policy.author.generator import generate
from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.network.connection_diff import changes
from orchestrator.policy.network.connections import Range
from orchestrator.policy.schemas.acceptable import objections
from orchestrator.policy.workloads.fleet import fleet

PLAIN = (
    workload("web", env={"DB": "db.shop:5432"}, ports=[80])
    + workload("db", ports=[5432])
    + workload("job", space="bank", env={"WEB": "http://web.shop"})
    + service("web", 80)
    + service("db", 5432)
)
RICH = (
    PLAIN
    + workload("mail", env={"SMTP": "smtp.example.org:587", "BACKUP": "https://backup.example.com"})
    + workload("agent", env={"WEB": "http://web.shop"}, hostNetwork=True)
    + workload("operator", env={"API": "https://kubernetes.default.svc"}, serviceAccountName="operator")
    + written(
        "ClusterRoleBinding",
        "operator",
        subjects="[{kind: ServiceAccount, name: operator, namespace: shop}]",
        roleRef="{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}",
    )
)


def generated(text, kind):
    documents = parse(text.encode(), "app.yaml")
    alone = fleet(documents)
    needed, _ = needs(documents, alone, Platform())
    files = generate(alone, needed, Platform(), kind)
    made = [d for f in files for d in parse(f.text.encode(), f.path)]
    assert not [wrong for d in made for wrong in objections(d.obj)]
    return {f.path: f.text for f in files}, fleet([*documents, *made])


@pytest.mark.parametrize("kind", ["cilium", "calico"])
def test_the_connections_are_those_of_network_policies(kind):
    _, before = generated(PLAIN, "networkpolicy")
    files, after = generated(PLAIN, kind)
    assert not changes(before, after, profile(kind))
    assert "# db.shop:5432, env DB in app.yaml" in files["shop/web.yaml"]


def test_a_baseline_denies_among_pods_and_outwards_what_no_admin_policy_allows():
    _, before = generated(PLAIN, "networkpolicy")
    files, after = generated(PLAIN, "anp")
    found = changes(before, after)
    assert found and all(isinstance(c.src, Range) and "opened" in c.words for c in found)
    baseline = yaml.safe_load(files["default.yaml"])
    assert baseline["kind"] == "BaselineAdminNetworkPolicy" and baseline["metadata"]["name"] == "default"
    orders = [
        yaml.safe_load(text)["spec"].get("priority") for path, text in files.items() if path != "default.yaml"
    ]
    assert len(orders) == len({*orders}), "OVN-Kubernetes takes one policy a priority"


def test_cilium_names_hosts_nodes_and_the_api_server():
    files, _ = generated(RICH, "cilium")
    mail = yaml.safe_load(files["shop/mail.yaml"])["spec"]["egress"]
    assert [rule["toFQDNs"] for rule in mail] == [
        [{"matchName": "backup.example.com"}],
        [{"matchName": "smtp.example.org"}],
    ]
    dns = yaml.safe_load(files["shop/allow-dns.yaml"])["spec"]["egress"]
    assert all(
        entry["rules"] == {"dns": [{"matchPattern": "*"}]} for rule in dns for entry in rule["toPorts"]
    )
    web = yaml.safe_load(files["shop/web.yaml"])["spec"]["ingress"]
    assert {"host", "remote-node"} in [{*rule.get("fromEntities", ())} for rule in web]
    operator = yaml.safe_load(files["shop/operator.yaml"])["spec"]["egress"]
    assert [rule.get("toEntities") for rule in operator] == [["kube-apiserver"]]


def test_admin_policies_name_hosts_and_nodes_in_egress_alone():
    files, _ = generated(RICH, "anp")
    mail = yaml.safe_load(files["shop-mail.yaml"])["spec"]["egress"]
    assert {"domainNames": ["smtp.example.org"]} in [peer for rule in mail for peer in rule["to"]]
    assert (
        "nodes" not in files["shop-web.yaml"]
        and "networks" not in files["shop-web.yaml"].partition("egress")[0]
    )
