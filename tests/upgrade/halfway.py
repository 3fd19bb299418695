"""Freezes all that stands in a cluster where an engine of a version stopped in the middle of a wave.

`python tests/upgrade/halfway.py v0.1.0` writes v0.1.0/halfway/cluster.yaml anew.
"""

import sys
from pathlib import Path

import structlog
import yaml

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import on_path  # noqa: E402, F401


def cluster():
    """Namespaces, policies and Leases before the resources that name them."""
    from stage import Stage, work

    from orchestrator.context import NAMESPACE, POLICY
    from orchestrator.engine.lease import LEASE
    from orchestrator.ports import Kind
    from orchestrator.rollout.resources import model as m
    from orchestrator.rollout.resources.resource import MODELS

    stage = Stage()
    before = stage.names()
    work(stage.context(), "gone", stop=lambda: stage.names() != before)
    kinds = (NAMESPACE, POLICY, LEASE, *(Kind(m.API_VERSION, kind) for kind in MODELS))
    return [obj for kind in kinds for obj in stage.cluster.list(kind)]


def freeze(folder):
    """Write halfway/cluster.yaml below a version's folder."""
    path = folder / "halfway" / "cluster.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump_all(cluster(), sort_keys=False))


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].startswith("v"):
        sys.exit("which version? for example: python tests/upgrade/halfway.py v0.1.0")
    # what happens is no news here
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    freeze(HERE / sys.argv[1])
