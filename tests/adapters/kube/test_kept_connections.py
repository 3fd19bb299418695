"""How the API server is asked: reads once more where a kept connection was closed, and resources of the server alone."""

import hashlib
import json
import tempfile

import kubernetes
import loopback
import pytest

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import Unreachable
from orchestrator.ports import Kind

POD = Kind("v1", "Pod")
RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        {
            "name": "pods",
            "singularName": "pod",
            "namespaced": True,
            "kind": "Pod",
            "verbs": ["get", "list", "create"],
        }
    ],
}
DISCOVERY = {
    "/version": {"major": "1", "minor": "34"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": []},
    "/apis/apiregistration.k8s.io/v1": {"kind": "APIResourceList", "groupVersion": "", "resources": []},
    "/api/v1": RESOURCES,
}


class Closing(loopback.Answering):
    """Closes without an answer what `server.closes` says, by method and how often it was asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.split("?")[0]
        if path in DISCOVERY:
            self.whole(200, DISCOVERY[path])
            return
        self.server.asked.append(self.command)
        self.server.paths.append(path)
        if self.server.asked.count(self.command) <= self.server.closes:
            self.close_connection = True
            return
        self.whole(200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []})


@pytest.fixture
def server(tmp_path):
    with loopback.serving(Closing, asked=[], paths=[], closes=0) as found:
        found.cluster = connect(loopback.kubeconfig(tmp_path / "config", found.url), timeout=30)
        yield found


def test_a_read_whose_connection_is_closed_unanswered_is_asked_once_more(server):
    server.closes = 1
    assert server.cluster.list(POD, "pay") == [] and server.asked == ["GET", "GET"]


def test_a_read_that_is_never_answered_ends_with_the_second_time(server):
    server.closes = 5
    with pytest.raises(Unreachable):
        server.cluster.list(POD, "pay")
    assert server.asked == ["GET", "GET"]


def test_a_write_whose_connection_is_closed_unanswered_is_not_sent_again(server):
    server.closes = 1
    with pytest.raises(Unreachable):
        server.cluster.create(
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "pay"}}
        )
    assert server.asked == ["POST"]


def test_which_resources_there_are_is_read_from_no_file_that_others_may_write(server, tmp_path, monkeypatch):
    """The library keeps them in the shared temporary folder, under a name that follows from the server's address."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "shared"))
    (tmp_path / "shared").mkdir()
    name = hashlib.md5(server.url.encode(), usedforsecurity=False).hexdigest()
    planted = tmp_path / "shared" / f"osrcp-{name}.json"
    evil = {"api": {"": {"v1": {"resources": [{**RESOURCES["resources"][0], "name": "secrets"}]}}}}
    planted.write_text(
        json.dumps({"library_version": kubernetes.__version__, "version": {}, "resources": evil})
    )
    before = planted.read_text()
    assert server.cluster.list(POD, "pay") == []
    assert planted.read_text() == before and [p.name for p in planted.parent.iterdir()] == [planted.name]
    assert server.paths == ["/api/v1/namespaces/pay/pods"]
