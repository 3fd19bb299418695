"""`import --cluster` takes policies of every API, and names what it may not list."""

import yaml
from cni_policies import calico, cilium
from stage import Stage
from written import policy, written

from orchestrator.errors import Forbidden

STANDING = (
    written("Namespace", "kube-system"),
    policy("pay/web", "{podSelector: {}}"),
    cilium("pay/web", "{endpointSelector: {}, ingress: [{}]}"),
    cilium("baseline", "{endpointSelector: {}, ingress: [{}]}"),
    calico("pay/other", "{selector: all()}"),
    calico("pay/knp.default.web", "{selector: all()}"),
    cilium("kube-system/own", "{endpointSelector: {}, ingress: [{}]}"),
    written("BaselineAdminNetworkPolicy", "default", "{subject: {namespaces: {}}}"),
)


def stage():
    made = Stage()
    for text in STANDING:
        made.cluster.create(yaml.safe_load(text))
    return made


def documents(path):
    return [(o["kind"], o["metadata"]) for o in yaml.safe_load_all(path.read_text())]


def test_policies_of_every_api_are_taken_those_of_the_cluster_into_a_folder_of_their_own(cli, tmp_path):
    to = tmp_path / "policies"
    done = cli(stage())("import", "--cluster", "--to", str(to))
    assert (done.code, done.out) == (0, f"6 policies written to {to}\n"), done.err
    found = {p.relative_to(to).as_posix() for p in to.rglob("*.yaml")}
    assert found == {
        "cart/old.yaml",
        "pay/web.yaml",
        "pay/other.yaml",
        "_cluster/baseline.yaml",
        "_cluster/default.yaml",
    }
    assert [kind for kind, _ in documents(to / "pay/web.yaml")] == ["NetworkPolicy", "CiliumNetworkPolicy"]
    assert documents(to / "_cluster/baseline.yaml") == [
        ("CiliumClusterwideNetworkPolicy", {"name": "baseline"})
    ]
    assert (
        "the source has to list in spec.kinds:" in done.err
        and "CiliumNetworkPolicy (cilium.io/v2)" in done.err
    )
    assert "strategy.clusterWide" in done.err


def test_of_some_namespaces_nothing_of_the_whole_cluster_is_taken(cli, tmp_path):
    done = cli(stage())("import", "--cluster", "--only", "pay", "--to", str(tmp_path / "p"))
    assert done.code == 0 and {p.name for p in (tmp_path / "p").iterdir()} == {"pay"}
    assert "strategy.clusterWide" not in done.err


def test_a_kind_that_may_not_be_listed_is_named_and_the_others_are_taken(cli, tmp_path):
    made = stage()
    listed = made.cluster.list

    def refusing(kind, *args, **more):
        if kind.kind == "CiliumNetworkPolicy":
            raise Forbidden("ciliumnetworkpolicies.cilium.io is forbidden")
        return listed(kind, *args, **more)

    made.cluster.list = refusing
    done = cli(made)("import", "--cluster", "--to", str(tmp_path / "p"))
    assert done.code == 0 and (tmp_path / "p/_cluster/baseline.yaml").exists()
    assert "not taken: CiliumNetworkPolicy (cilium.io/v2): it may not be read" in done.err
    assert "ciliumnetworkpolicies.cilium.io is forbidden" in done.err
