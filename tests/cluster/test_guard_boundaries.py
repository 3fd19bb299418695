"""Engines killed at every write that ends a step, many at once: the guard restores what is half done."""

import subprocess
import time
from contextlib import ExitStack

import pytest
import reading
import yaml
from argo_pods import Pods, install
from clearing import cleared
from killing import Way
from patience import ENOUGH
from people import service_account
from sampling import sampled
from scene import OWN, PROGRAM, eventually

from orchestrator.context import POLICY, ROLLOUT
from orchestrator.engine.guard import SILENT
from orchestrator.ports import Kind
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load

pytestmark = pytest.mark.cluster

# Writes of a rollout of two waves, but those of Leases and Events; sampled, one of three that follow each other, since in memory
# (tests/faults/test_lost_engine.py) each one is played.
BOUNDARIES = sampled(range(1, 23), lambda at: (at - 1) // 3)
LIMIT = 30.0  # seconds: twice the Lease's duration
OVER = ("Succeeded", "RolledBack")
STEPS = ("baseline", "apply", "settle", "analyze", "verdict")


def policy(port):
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": port}]}]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "in"},
        "spec": spec,
    }


class ManySources:
    """Many sources with two namespaces each, and a guard with its own account's rights over all."""

    def __init__(self, plane, harness, folder, stack):
        self.plane, self.folder, self.stack, self.harness = plane, folder, stack, harness
        self.api, self.spaces = reading.patient(plane.kubeconfig), []
        self.git = folder / "policies"
        (self.git / "_shared").mkdir(parents=True)
        (self.git / "_shared/all.yaml").write_text(yaml.safe_dump(policy(8080)))
        for args in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "change"]):
            person = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
            subprocess.run(["git", "-C", str(self.git), *person, *args], check=True, capture_output=True)
        plane.run("apply", "-k", str(harness.ROOT / "config" / "rbac"))
        plane.run("apply", "-f", str(harness.ROOT / "config" / "guard" / "account.yaml"))

    def source(self, name, **strategy):
        """A source's manifest, and its namespaces, which hold no policy yet."""
        spaces = [f"{name}-a", f"{name}-b"]
        for space in spaces:
            meta = {"name": space, "labels": {"netpol-canary.dev/test": "true"}}
            self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        self.spaces += spaces
        given = {
            "canary": spaces[:1],
            "settleSeconds": 0,
            "analysis": {"count": 1, "intervalSeconds": 1, "probing": {"edges": False}},
            **strategy,
        }
        spec = {"git": {"url": str(self.git)}, "namespaces": {"names": spaces}, "strategy": given}
        return {
            "apiVersion": m.API_VERSION,
            "kind": "PolicySource",
            "metadata": {"name": name, "namespace": OWN},
            "spec": spec,
        }

    def begin(self, log, *args):
        out = self.stack.enter_context((self.folder / log).open("w"))
        found = subprocess.Popen([PROGRAM, *args], stdout=out, stderr=out)
        self.stack.callback(lambda: (found.kill(), found.wait(ENOUGH)))
        return found

    def guard(self):
        account = service_account(self.plane, self.folder, OWN, "netpol-canary-guard").kubeconfig
        port = self.harness.free_port()
        self.begin(
            "guard.log", "guard", "--log", "json", "--kubeconfig", account, "--listen", f"127.0.0.1:{port}"
        )
        eventually(lambda: reading.holder(self.plane, "guard", OWN))

    def rollout(self, source):
        found = [load(o) for o in self.api.list(ROLLOUT, OWN) if o["spec"]["source"] == source]
        return found[-1] if found else None

    def standing(self, source):
        """Which of its two namespaces hold the new policy."""
        return [bool(self.api.list(POLICY, f"{source}-{end}")) for end in "ab"]


@pytest.fixture
def yard(plane, harness, tmp_path):
    if not plane.server:
        pytest.skip(
            "it grants cluster roles and knows the server's address: only on a control plane of our own"
        )
    with ExitStack() as stack:
        found = ManySources(plane, harness, tmp_path, stack)
        yield found
    cleared(plane, *found.spaces)


def looked_at(yard, name):
    """Whether the guard is done with it: it has ended, or the guard said that nothing has to be restored."""
    found = yard.rollout(name)
    if found is None or found.status.phase in OVER:
        return True
    events = yard.api.list(Kind("v1", "Event"), OWN)
    return any(e["reason"] == SILENT and e["involvedObject"]["name"] == found.name for e in events)


def left(yard, name):
    """Ended, or restored with both namespaces as they were; what the rollout was left as says which."""
    found = yard.rollout(name)
    if found is None:
        assert yard.standing(name) == [False, False]
        return ""
    phase = found.status.phase
    if phase == "RolledBack":
        assert yard.standing(name) == [False, False], name
        assert [t.reason for t in found.status.transitions][-2:] == ["EngineLost", "RolledBack"]
    elif phase == "Succeeded":
        assert yard.standing(name) == [True, True], name
    else:  # between two steps that hurt nobody
        assert phase in ("Pending", "Progressing"), (name, phase)
        promoted = [True, False] if found.status.wave else [False, False]
        assert yard.standing(name) == promoted, (name, phase)
    return phase


def test_an_engine_killed_at_any_step_s_end_is_stood_in_for(yard):
    yard.guard()
    ways, again = [], None
    for at in BOUNDARIES:
        name = f"at{at}"
        file = yard.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(yard.source(name)))
        (yard.folder / name).mkdir()
        way = Way(yard.plane, yard.folder / name, at, after=at % 4 != 0)
        yard.stack.callback(way.close)
        ways.append((name, file, way))
    for group in range(0, len(ways), 4):  # four processes start at a time
        for name, file, way in ways[group : group + 4]:
            way.child = yard.begin(
                f"{name}.log", "run", "--source", str(file), "--kubeconfig", way.kubeconfig
            )
        for name, _, way in ways[group : group + 4]:
            eventually(lambda way=way: way.killed or way.child.poll() is not None)
            assert way.killed, (name, (yard.folder / f"{name}.log").read_text()[-500:])
        again = again or next(
            (w for w in ways[group : group + 4] if yard.standing(w[0]) == [True, False]), None
        )
    # One engine comes back just when the guard would act, or later on a slow machine: one of them wins.
    time.sleep(max(0.0, again[2].killed + LIMIT - 6 - time.time()))
    second = Way(yard.plane, yard.folder, 0, after=True)
    yard.stack.callback(second.close)
    second.child = yard.begin(
        "again.log", "run", "--source", str(again[1]), "--kubeconfig", second.kubeconfig
    )
    second.child.wait(ENOUGH)
    eventually(lambda: all(looked_at(yard, name) for name, _, _ in ways), every=0.5)
    found = {name: left(yard, name) for name, _, _ in ways if name != again[0]}
    assert {"RolledBack", "Progressing"} <= set(found.values()), found
    contested = yard.rollout(again[0])
    assert contested.status.phase in ("RolledBack", "Succeeded")
    assert yard.standing(again[0]) == [contested.status.phase == "Succeeded"] * 2
    if contested.status.phase == "RolledBack":  # the guard won: the engine wrote no policy after that
        lost = next(t.time for t in contested.status.transitions if t.reason == "EngineLost").timestamp()
        assert not [w for w in second.writes if "networkpolicies" in w[2] and w[0] > lost + 1]


def test_a_controller_killed_between_any_two_pods_of_argo_is_stood_in_for(yard, harness):
    """A source for each step: its workflow goes as far as that. Then the controller dies, and the pods may go on."""
    install(yard.plane)
    yard.plane.run("apply", "-k", str(harness.ROOT / "config" / "argo"))
    yard.guard()
    pods = Pods(yard.plane, yard.folder / "pods")
    yard.stack.callback(pods.close)
    pods.hold = {f"to{n}": step for n, step in enumerate(STEPS)}
    given = [
        yard.source(
            name, engine="argo", analysis={"count": 3, "intervalSeconds": 20, "probing": {"edges": False}}
        )
        for name in pods.hold
    ]
    yard.plane.run("apply", "-f", "-", stdin=yaml.safe_dump_all(given))
    account = service_account(yard.plane, yard.folder, OWN, "netpol-canary").kubeconfig
    flags = ("controller", "--poll", "1", "--listen", "127.0.0.1:0", "--log", "json", "--kubeconfig", account)
    controller = yard.begin("controller.log", *flags)
    eventually(lambda: pods.held() == set(pods.hold))
    assert {yard.standing(name)[0] for name in pods.hold} == {True, False}
    controller.kill()
    controller.wait(ENOUGH)
    pods.hold = {}  # whatever waits in Argo goes on without the controller
    names = [one["metadata"]["name"] for one in given]
    eventually(lambda: all(yard.rollout(name).status.phase == "RolledBack" for name in names), every=0.5)
    eventually(lambda: all(p.poll() is not None for p in pods.pods))
    assert [left(yard, name) for name in names] == ["RolledBack"] * len(names)
