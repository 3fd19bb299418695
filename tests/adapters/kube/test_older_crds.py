"""A CRD of ours that is older than the program refuses its fields: whoever reads that is told what to do about it."""

import loopback
import pytest
from kubernetes.dynamic.resource import Resource

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import Invalid

SAID = 'PolicySource in version "v1alpha1" cannot be handled as a PolicySource: strict decoding error: unknown field "spec.new"'
HINT = "`netpol-canary crds | kubectl apply --server-side --force-conflicts -f -`"
OURS, THEIRS = "netpol-canary.dev/v1alpha1", "networking.k8s.io/v1"


class Refusing(loopback.Answering):
    """Takes no field that it does not know, as an API server with fieldValidation=Strict."""

    def do_GET(self):
        self.whole(200, {"kind": "APIGroupList", "groups": [], "versions": [], "gitVersion": "v1.34.0"})

    def do_POST(self):
        self.whole(400, {"kind": "Status", "reason": "BadRequest", "message": self.server.message})

    do_PUT = do_POST


@pytest.fixture
def wrote(tmp_path, monkeypatch):
    """What comes of writing an object of a group in each way."""

    def tried(version, message=SAID):
        group, _, name = version.partition("/")
        known = Resource("apis", group, name, "PolicySource", namespaced=True, name="policysources")
        obj = {"apiVersion": version, "kind": "PolicySource", "metadata": {"name": "x", "namespace": "y"}}
        with loopback.serving(Refusing, message=message) as server:
            cluster = connect(loopback.kubeconfig(tmp_path / "kubeconfig", server.url, token="t"))
            monkeypatch.setattr(cluster, "_resource", lambda kind: known)
            for write in (cluster.create, cluster.replace, cluster.replace_status):
                with pytest.raises(Invalid) as refused:
                    write(obj)
                yield refused.value

    return tried


VALUE = 'spec.strategy.cni: Unsupported value: "antrea": supported values: "auto", "calico"'


@pytest.mark.parametrize("said", [SAID, VALUE])
def test_every_write_of_ours_says_how_to_upgrade_the_crds(wrote, said):
    for error in wrote(OURS, said):
        assert (error.status, error.reason) == (400, "BadRequest")
        assert str(error).startswith(said) and HINT in str(error)


def test_another_problem_and_others_objects_stay_as_they_are(wrote):
    assert [str(e) for e in wrote(OURS, "spec.git: Required value")] == ["spec.git: Required value"] * 3
    assert [str(e) for e in wrote(THEIRS)] == [SAID] * 3
