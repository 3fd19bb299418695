"""Freezes what a version's users have in their clusters: its CRDs, and objects of every kind as the program wrote them.

`make freeze VERSION=v0.1.0`, once, when a version goes out; what is frozen is never made again.
"""

import sys
from pathlib import Path

import yaml

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "workflows")]

import on_path  # noqa: E402, F401
from stage import OWN, Stage, work  # noqa: E402
from stand_in import Theatre  # noqa: E402

from orchestrator.ports import Kind  # noqa: E402
from orchestrator.rollout.resources import model as m  # noqa: E402
from orchestrator.rollout.resources.crd import files  # noqa: E402
from orchestrator.rollout.resources.resource import MODELS, new  # noqa: E402

HERE = Path(__file__).parent


def stages():
    """Rollouts that ended well, that were rolled back, that wait for people, and one in the middle on Argo Workflows."""
    for name, good, strategy in (
        ("good", True, {}),
        ("bad", False, {}),
        ("waiting", True, {"gates": [m.Gate(wave=1)]}),
    ):
        stage = Stage(good, **strategy)
        work(stage.context(), "engine")
        yield name, stage
    theatre = Theatre()
    begun = lambda: any(p.step == "verdict" for p in theatre.pods)  # noqa: E731
    work(theatre.stage.context(), "engine", stop=begun, **theatre.engine())
    yield "workflow", theatre.stage


def said(stage):
    """An approval and a freeze beside the rollouts."""
    rollout = stage.cluster.list(Kind(m.API_VERSION, "PolicyRollout"), OWN)[0]
    spec = m.RolloutApprovalSpec(
        rollout=rollout["metadata"]["name"],
        wave=1,
        plan_digest=rollout["spec"]["planDigest"],
        user="eve",
        comment="seen",
    )
    stage.cluster.create(new("RolloutApproval", "seen", OWN, spec))
    freeze = new("RolloutFreeze", "holidays", OWN, m.RolloutFreezeSpec(reason="holidays", sources=["shop"]))
    stage.cluster.create(freeze)


def frozen():
    """The objects by the name of the file that they go into."""
    for name, stage in stages():
        if name == "waiting":
            said(stage)
        found = [o for kind in MODELS for o in stage.cluster.list(Kind(m.API_VERSION, kind), OWN)]
        yield name, found


def main(version):
    folder = HERE / version
    if folder.exists():
        sys.exit(f"{folder} is there: what went out does not change")
    (folder / "crd").mkdir(parents=True)
    for name, text in files().items():
        if name != "kustomization.yaml":
            (folder / "crd" / name).write_text(text)
    for name, objects in frozen():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all(objects, sort_keys=False))
    kinds = {o["kind"] for f in folder.glob("*.yaml") for o in yaml.safe_load_all(f.read_text())}
    assert kinds == set(MODELS), set(MODELS) - kinds


if __name__ == "__main__":
    main(sys.argv[1])
