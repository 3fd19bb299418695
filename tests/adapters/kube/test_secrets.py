"""Credentials come by reference, from a Secret or a directory that is laid out like one."""

import base64

import pytest

from orchestrator.adapters.kube.secrets import Secrets
from orchestrator.errors import BadInput
from orchestrator.sandbox.cluster import MemoryCluster


def test_a_secret_and_a_directory_in_its_place(tmp_path):
    cluster = MemoryCluster()
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "own"}})
    data = {"token": base64.b64encode(b"abc").decode()}
    meta = {"name": "git", "namespace": "own"}
    cluster.create({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data})
    assert Secrets(cluster, "own").read("git", "spec.git.secretRef") == {"token": b"abc"}
    assert Secrets(cluster, "own").read("", "spec.git.secretRef") == {}
    (tmp_path / "git").mkdir()
    (tmp_path / "git" / "token").write_text("from a file")
    (tmp_path / "git" / "..data").write_text("a mount's own")
    assert Secrets(cluster, "own", tmp_path).read("git", "") == {"token": b"from a file"}
    with pytest.raises(BadInput, match=r"spec.git.secretRef: there is no Secret nope in the namespace own"):
        Secrets(cluster, "own", tmp_path).read("nope", "spec.git.secretRef")
