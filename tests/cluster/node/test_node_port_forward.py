"""A connection to a pod's port through the API server and the node's kubelet, with the rights of config/rbac and no others."""

from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from node_scene import PORT, NodeScene
from people import person

from orchestrator.adapters.kube.cluster import connect
from orchestrator.cli.ui.pages_pod import pages_pods
from orchestrator.errors import Forbidden, NotFound

pytestmark = [pytest.mark.cluster, pytest.mark.node]
SECONDS = 20.0
RBAC = "rbac.authorization.k8s.io"
PEOPLE = Path(__file__).parents[3] / "config" / "rbac" / "people.yaml"


@pytest.fixture
def node_shop(node, tmp_path):
    found = NodeScene(node, tmp_path)
    found.furnish()
    yield found
    found.clear()


def answer(end, path="/"):
    with end:
        end.settimeout(SECONDS)
        found = b""
        with suppress(OSError):  # where nobody listens, it is over before anything is said
            end.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            while part := end.recv(65536):
                found += part
    return found


def test_a_pod_of_a_service_answers_by_it(node, node_shop):
    cluster = connect(node.plane.kubeconfig)
    (pod,) = pages_pods(cluster, "alpha", "app")
    assert pod.port == PORT
    for _ in range(2):
        assert answer(cluster.port_forward(pod.name, "alpha", pod.port, SECONDS)).startswith(b"HTTP/1.1 200")
    assert answer(cluster.port_forward(pod.name, "alpha", 8081, SECONDS)) == b""
    with pytest.raises(NotFound, match="nobody"):
        cluster.port_forward("nobody", "alpha", PORT, SECONDS)


def test_the_role_of_config_rbac_is_enough_and_needed(node, node_shop, tmp_path):
    (role,) = (
        o for o in yaml.safe_load_all(PEOPLE.read_text()) if o["metadata"]["name"] == "netpol-canary-pages"
    )
    carol = connect(person(node.plane, tmp_path, "carol").kubeconfig)
    with pytest.raises(Forbidden):
        pages_pods(carol, "alpha", "app")
    cluster, place = connect(node.plane.kubeconfig), {"name": "pages", "namespace": "alpha"}
    bound = {
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "pages"},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "carol"}],
    }
    cluster.create({**role, "metadata": place})
    cluster.create({"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": place, **bound})
    (pod,) = pages_pods(carol, "alpha", "app")
    assert answer(carol.port_forward(pod.name, "alpha", pod.port, SECONDS)).startswith(b"HTTP/1.1 200")
