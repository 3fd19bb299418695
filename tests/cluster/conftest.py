"""The scene that the end-to-end tests share."""

import importlib.util
import sys

import pytest


@pytest.fixture(scope="session")
def watched(plane, harness, tmp_path_factory):
    """The module scene.py, and Prometheus scraping the traffic process."""
    spec = importlib.util.spec_from_file_location("cluster_scene", harness.HERE / "scene.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("prometheus")
    port = harness.free_port()
    command = [sys.executable, harness.HERE / "traffic.py", plane.kubeconfig, port]
    with (
        module.process(command, folder / "traffic.log"),
        module.prometheus(folder, f"127.0.0.1:{port}", harness.free_port()) as url,
    ):
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
