"""A name from outside, such as one in an address of the pages, asks for the object of that name or for none."""

import loopback
import pytest
from kubernetes.dynamic.resource import Resource

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import NotFound
from orchestrator.ports import Kind

ROLLOUT = Kind("netpol-canary.dev/v1alpha1", "PolicyRollout")


class Handler(loopback.Answering):
    def do_GET(self):
        """An object, or which groups there are: none."""
        if "policyrollouts" not in self.path:
            self.whole(200, {"kind": "APIGroupList", "groups": [], "versions": [], "gitVersion": "v1.34.0"})
            return
        self.server.seen.append(self.path)
        self.whole(200, {"kind": "PolicyRollout", "metadata": {"name": "x"}})


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A cluster that knows rollouts, and the paths that it was asked for."""
    group, version = ROLLOUT.api_version.split("/")
    known = Resource("apis", group, version, ROLLOUT.kind, namespaced=True, name="policyrollouts")
    with loopback.serving(Handler, seen=[]) as server:
        cluster = connect(loopback.kubeconfig(tmp_path / "kubeconfig", server.url, token="t"))
        monkeypatch.setattr(cluster, "_resource", lambda kind: known)
        yield cluster, server.seen


@pytest.mark.parametrize(
    "name", [".", "..", "../../../../../../api/v1/namespaces/x/secrets/git", "a%2Fb", "a/log"]
)
def test_what_would_be_another_path_is_asked_of_nobody(asked, name):
    cluster, seen = asked
    for named in ((name, "ours"), ("shop", name)):
        with pytest.raises(NotFound, match="no PolicyRollout is called"):
            cluster.get(ROLLOUT, *named)
    assert seen == []


@pytest.mark.parametrize(
    ("name", "part"),
    [("shop-1.a", "shop-1.a"), ("system:node", "system%3Anode"), ("a?watch=1#b", "a%3Fwatch%3D1%23b")],
)
def test_every_other_name_is_one_part_of_the_path(asked, name, part):
    cluster, seen = asked
    cluster.get(ROLLOUT, name, "ours")
    assert seen == [f"/apis/netpol-canary.dev/v1alpha1/namespaces/ours/policyrollouts/{part}"]
