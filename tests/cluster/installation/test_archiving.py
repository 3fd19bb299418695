"""What the archive's CronJob does, as its own service account, on a real API server."""

import json

import pytest
from clearing import OWN, cleared
from patience import ENOUGH
from people import service_account
from scene import cli

from orchestrator.adapters.kube.cluster import connect
from orchestrator.cli.demo import shop_demo
from orchestrator.errors import Forbidden
from orchestrator.record.archive import archive, states
from orchestrator.record.build import view
from orchestrator.record.report.markdown import report

pytestmark = pytest.mark.cluster


@pytest.fixture
def played(tmp_path):
    """The demo's rollback, as a state."""
    (chosen,) = [s for s in shop_demo.scenarios() if s.name == "breaks-checkout"]
    with shop_demo.repository(None) as root:
        return shop_demo.play(root, chosen, tmp_path / "cache")[0]


@pytest.fixture
def reader(plane, harness, tmp_path):
    """The cluster as the archive's service account sees it."""
    for part in ("rbac", "archive"):
        plane.run("apply", "-k", str(harness.ROOT / "config" / part))
    yield service_account(plane, tmp_path, OWN, "netpol-canary-archive")
    cleared(plane)


def written(api, state):
    """The same objects in the real cluster, with their status."""
    for item in archive(state)["items"]:
        meta = {k: item["metadata"][k] for k in ("name", "namespace", "labels") if k in item["metadata"]}
        made = api.create({**item, "metadata": meta})
        if item.get("status"):
            api.replace_status({**made, "status": item["status"]})


def test_a_reader_archives_what_a_real_server_holds(plane, played, reader, tmp_path):
    api = connect(plane.kubeconfig, timeout=ENOUGH)
    written(api, played)
    done = cli(reader, "export", "--to", str(tmp_path / "to"))
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "to").glob(f"shop/{played.rollout.name}-*.json")
    back = states(json.loads(path.read_text()))[played.rollout.name]
    now = played.rollout.status.restored_at
    assert report(view(back, now)) == report(view(played, now))
    assert back.rollout.spec.committed_at == played.rollout.spec.committed_at is not None
    with pytest.raises(Forbidden):
        connect(reader.kubeconfig, timeout=ENOUGH).create(
            {**played.rollout.manifest, "metadata": {"name": "x", "namespace": OWN}}
        )
