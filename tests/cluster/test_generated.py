"""What `generate` writes is taken by the API server as it is."""

from pathlib import Path

import pytest
from patience import ENOUGH

from orchestrator.adapters.git.directory import Directory
from orchestrator.adapters.kube.cluster import connect
from orchestrator.policy.author.generator import generate
from orchestrator.policy.definitions.services import Platform, edges
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.workloads.fleet import fleet

pytestmark = pytest.mark.cluster
APPS = Path(__file__).parents[1] / "apps"


@pytest.mark.parametrize("app", ["shop", "boutique", "bank"])
def test_generated_policies_are_accepted_strictly(plane, app):
    found = [d for n, text in Directory(APPS / app).files("").items() for d in parse(text, n)]
    known = fleet(found)
    made = generate(known, edges(found, known, Platform()))
    assert made
    cluster = connect(plane.kubeconfig, timeout=ENOUGH)
    for file in made:
        for document in parse(file.text.encode(), file.path):
            obj = document.obj
            kept = {**obj, "metadata": {**obj["metadata"], "namespace": "default"}}
            stored = cluster.create(kept, dry_run=True)
            assert stored["spec"] == obj["spec"]
