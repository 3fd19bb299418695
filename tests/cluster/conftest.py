"""The scene that the end-to-end tests share."""

import os

import node as real
import pytest
from clearing import cleared
from node_scene import NodeScene
from place import Place

NODE_WANTED = "NETPOL_CANARY_NODE"


@pytest.fixture(scope="session")
def node(tmp_path_factory):
    """A node with pods, packets, a policy agent and Prometheus; skipped where this machine cannot have one."""
    lacking = "a control plane of our own (KUBECONFIG names another)" if os.environ.get("KUBECONFIG") else ""
    lacking = lacking or real.missing()
    if lacking and os.environ.get(NODE_WANTED):
        pytest.fail(f"{NODE_WANTED} is set, but a node needs {lacking}")
    if lacking:
        pytest.skip(f"a node needs {lacking}")
    with real.node(tmp_path_factory.mktemp("node")) as found:
        yield found


@pytest.fixture
def node_shop(node, tmp_path):
    """A NodeScene: the shop on a real node, with traffic and without policies."""
    found = NodeScene(node, tmp_path)
    found.furnish()
    found.calling()
    yield found
    found.clear()


@pytest.fixture
def place(plane):
    """A namespace and its source on the API server."""
    found = Place(plane)
    yield found
    cleared(plane, found.name)


@pytest.fixture(scope="session")
def watched(plane, harness, tmp_path_factory):
    """The module scene.py, and Prometheus scraping the traffic process."""
    import scene as module

    with module.watching(plane, harness, tmp_path_factory.mktemp("prometheus")) as url:
        yield module, url


@pytest.fixture
def scene(plane, watched, tmp_path):
    module, url = watched
    found = module.Scene(plane, tmp_path, url)
    found.furnish()
    yield found
    found.clear()


@pytest.fixture
def shop(scene):
    """A scene with the first policies in force and traffic since."""
    scene.settled()
    return scene
