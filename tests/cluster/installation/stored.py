"""Objects as an older version stored them, written to a real API server with their status."""

from pathlib import Path

import yaml
from patience import ENOUGH, eventually

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import Busy, NotFound

FROZEN = Path(__file__).parents[2] / "upgrade"


def open_rollout(plane):
    """A rollout that waits for an approval, with one namespace written; its name."""
    api = connect(plane.kubeconfig, timeout=ENOUGH)
    documents = yaml.safe_load_all((FROZEN / "v0.1.0/waiting.yaml").read_text())
    (rollout,) = [d for d in documents if d["kind"] == "PolicyRollout"]
    meta = {k: rollout["metadata"][k] for k in ("name", "namespace", "labels", "finalizers")}

    def made():
        try:  # a new kind is served a moment after it is there
            return api.create({**rollout, "metadata": meta})
        except (Busy, NotFound):
            return None

    api.replace_status({**eventually(made), "status": rollout["status"]})
    return meta["name"]


def rolled_back(plane, name):
    """The same, once everything is restored."""
    from reading import ROLLOUT, found

    api = connect(plane.kubeconfig, timeout=ENOUGH)
    standing = found(plane, ROLLOUT, name, "netpol-canary")
    api.replace_status({**standing, "status": {**standing["status"], "phase": "RolledBack"}})
