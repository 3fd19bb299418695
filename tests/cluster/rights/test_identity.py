"""Who may say what, on a real API server: people with certificates of their own, config/rbac and config/admission."""

import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from clearing import cleared
from patience import ENOUGH, KUBECTL, eventually
from people import person, service_account
from scene import PROGRAM
from stage import OWN, Repository, files, policy

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.kube.cluster import connect
from orchestrator.context import Context, read
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.rollout.gates import approvals
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import new

pytestmark = pytest.mark.cluster

SPACES = ("till", "vault")
ENGINEERS = "release-engineers"
USERS = {
    "ann": (ENGINEERS, "security"),  # whose commits they are
    "bob": (),
    "joe": (ENGINEERS, "security"),
    "mia": (ENGINEERS, "security"),
    "zoe": (ENGINEERS, "on-call"),
}
RIGHTS = {ENGINEERS: "netpol-canary-release-engineer", "on-call": "netpol-canary-break-glass"}
SECURITY = {"wave": 0, "name": "security", "approvals": 2, "groups": ["security"], "expiresAfterSeconds": 600}


class Ahead(SystemClock):
    """The machine's clock, so many seconds ahead."""

    def __init__(self, seconds):
        super().__init__()
        self._seconds = seconds

    def now(self):
        return super().now() + timedelta(seconds=self._seconds)


def bound(name, role, subject):
    group = {"apiGroup": "rbac.authorization.k8s.io"}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": OWN},
        "roleRef": {**group, "kind": "Role", "name": role},
        "subjects": [{**group, **subject}],
    }


class Office:
    """A source of two namespaces, the controller's own account, and people."""

    def __init__(self, plane, harness, folder):
        self.plane, self.folder, self.revisions = plane, folder, 0
        plane.run("apply", "-k", str(harness.ROOT / "config" / "rbac"))
        label = {"netpol-canary.dev/test": "true"}
        objects = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n, "labels": label}}
            for n in SPACES
        ]
        objects += [bound(f"test-{g}", r, {"kind": "Group", "name": g}) for g, r in RIGHTS.items()]
        self.apply(*objects)
        self.people = {u: person(plane, folder, u, groups) for u, groups in USERS.items()}
        self.account = service_account(plane, folder, OWN, "netpol-canary")
        self.cluster = connect(self.account.kubeconfig, timeout=ENOUGH)
        self.repository = Repository()
        self.source([])

    def apply(self, *objects):
        self.plane.run("apply", "-f", "-", stdin="\n---\n".join(json.dumps(o) for o in objects))

    def source(self, gates):
        spec = {
            "git": {"url": "/repo"},
            "namespaces": {"names": list(SPACES)},
            "shared": "root",
            "identities": [{"email": "ann@example.com", "user": "ann"}],
            "strategy": {
                "canary": [SPACES[0]],
                "settleSeconds": 0,
                "analysis": {"count": 1, "intervalSeconds": 1, "probing": {"edges": False}},
                "gates": gates,
            },
        }
        meta = {"name": "office", "namespace": OWN}
        self.apply({"apiVersion": m.API_VERSION, "kind": "PolicySource", "metadata": meta, "spec": spec})

    def context(self, ahead=0.0):
        nothing = lambda *given: None  # noqa: E731
        return Context(
            self.cluster, Ahead(ahead), lambda source: self.repository, nothing, nothing, None, OWN
        )

    def begin(self, *gates):
        """A new change of ann's; the name of its rollout, which has got to its first gate."""
        self.source(list(gates))
        self.revisions += 1
        rule = {"ports": [{"port": self.revisions, "protocol": "TCP"}]}
        changed = policy("door", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]})
        self.repository.history.append((f"{self.revisions:010d}".ljust(40, "0"), files(changed)))
        ctx = self.context()
        name = start(ctx, find_source(ctx, "office")).rollout
        assert self.go(name).rollout.status.phase == ("Paused" if gates else "Succeeded")
        return name

    def go(self, name, ahead=0.0):
        return Embedded(self.context(ahead), "test").drive(name)

    def end(self):
        """Whatever runs is taken back."""
        for item in json.loads(self.plane.run("get", "prol", "-n", OWN, "-o", "json"))["items"]:
            if item.get("status", {}).get("phase") not in m.TERMINAL:
                self.plane.run(*self.asking(item["metadata"]["name"], "abort/1/admin"))
                self.go(item["metadata"]["name"])

    def asking(self, name, request):
        return ("annotate", "prol", name, "-n", OWN, f"netpol-canary.dev/request={request}", "--overwrite")

    def approve(self, user, name, by=None, dry=False, **spec):
        """As kubectl create would, by `by` in the name of `user`."""
        digest = read(self.context(), name).rollout.spec.plan_digest
        given = {"rollout": name, "wave": 0, "plan_digest": digest, "user": user, **spec}
        obj = new("RolloutApproval", f"{name}-{user.replace(':', '-')}", OWN, m.RolloutApprovalSpec(**given))
        trial = ["--dry-run=server"] if dry else []
        (by or self.people[user]).run("create", *trial, "-f", "-", stdin=json.dumps(obj))
        return obj["metadata"]["name"]

    def gate(self, name, ahead=0.0):
        ctx = self.context(ahead)
        state = read(ctx, name)
        (found,) = approvals.gates(state.rollout, 0, state.approvals, ctx.clock.now())
        return found


@pytest.fixture(scope="module")
def building(plane, harness, tmp_path_factory):
    if not plane.server:
        pytest.skip("people's certificates are signed for our own control plane alone")
    found = Office(plane, harness, tmp_path_factory.mktemp("office"))
    yield found
    cleared(plane, *SPACES)


@pytest.fixture
def office(building):
    yield building
    building.end()


def refused(text):
    return pytest.raises(AssertionError, match=text)


def test_an_approval_is_in_ones_own_name_and_groups(office):
    name = office.begin(SECURITY)
    mia = office.people["mia"]
    with refused("denied request: spec.user must be the user who creates"):
        office.approve("joe", name, by=mia)
    with refused("denied request: spec.groups must be groups of the user"):
        office.approve("zoe", name, groups=["security"])
    with refused("denied request: spec.user must be"):
        office.approve("joe", name, by=office.plane)  # the cluster's administrator
    with refused("cannot create resource"):
        office.approve("bob", name)
    assert not office.gate(name).given
    office.approve("mia", name, groups=["security"])
    assert [v.user for v in office.gate(name).given] == ["mia"]
    assert office.go(name).rollout.status.phase == "Paused"
    office.approve("joe", name, groups=["security", ENGINEERS, "system:authenticated"])
    state = office.go(name)
    assert state.rollout.status.phase == "Succeeded"
    assert {c.type: c.status for c in state.rollout.status.conditions}["ApprovalsProven"] == "True"


def test_the_guide_s_example_approves(office, harness):
    name = office.begin({"wave": 0, "groups": [ENGINEERS]})
    text = (harness.ROOT / "docs" / "approvals.md").read_text()
    (example,) = [part for part in text.split("```") if "kubectl create" in part and part.startswith("sh")]
    example = example.removeprefix("sh").replace("payments-4f1c2d9e01", name).replace("wave: 1", "wave: 0")
    mia = office.people["mia"]
    tools = f"{Path(mia.kubectl).parent}:{os.environ['PATH']}"
    subprocess.run(
        ["bash", "-euc", example], check=True, env={**os.environ, "PATH": tools, "KUBECONFIG": mia.kubeconfig}
    )
    assert [v.comment for v in office.gate(name).given] == ["checked with the on-call"]


def test_no_service_account_approves(office):
    name = office.begin({"wave": 0})
    with refused("denied request: approvals are given by people"):
        office.approve("system:serviceaccount:netpol-canary:netpol-canary", name, by=office.account)


def test_an_approval_stays_as_it_was_created(office):
    name = office.begin(SECURITY)
    rule = {"apiGroups": [m.GROUP], "resources": ["rolloutapprovals"], "verbs": ["get", "patch", "update"]}
    meta = {"name": "test-editor", "namespace": OWN}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": [rule]}
    office.apply(role, bound("test-editor", "test-editor", {"kind": "User", "name": "mia"}))
    made = office.approve("mia", name, wave=1)
    for patch, said in (
        ({"spec": {"wave": 0}}, "frozen at creation"),
        ({"spec": {"groups": ["security"]}}, "frozen at creation"),
        ({"metadata": {"ownerReferences": [_owner(office)]}}, "whom an approval belongs to"),
    ):
        with refused(said):
            office.people["mia"].run(
                "patch", "rappr", made, "-n", OWN, "--type=merge", "-p", json.dumps(patch)
            )


def _owner(office):
    uid = json.loads(office.plane.run("get", "psrc", "office", "-n", OWN, "-o", "json"))["metadata"]["uid"]
    return {"apiVersion": m.API_VERSION, "kind": "PolicySource", "name": "office", "uid": uid}


@pytest.mark.parametrize(
    ("user", "spec", "ahead", "why"),
    [
        ("ann", {"groups": ["security"]}, 0, "wrote the change"),
        ("mia", {"groups": ["security"]}, 700, "has expired"),
        ("mia", {"groups": ["security"], "plan_digest": "sha256:older"}, 0, "is for another plan"),
        ("zoe", {"groups": [ENGINEERS]}, 0, "is not in security"),
        ("mia", {}, 0, "is not in security"),
    ],
    ids=["an author", "after expiry", "an old plan", "another group", "no group"],
)
def test_an_approval_that_does_not_count(office, user, spec, ahead, why):
    name = office.begin({**SECURITY, "approvals": 1})
    office.approve(user, name, **spec)
    state = office.go(name, ahead)
    assert (state.rollout.status.phase, state.rollout.status.waves_started) == ("Paused", 0)
    assert [(v.user, v.why) for v in office.gate(name, ahead).ignored] == [(user, why)]


def test_without_the_policy_the_controller_pauses_and_says_so(office, plane):
    name = office.begin({**SECURITY, "approvals": 1})
    plane.vouch(there=False)
    try:
        office.approve("joe", name, by=office.people["mia"], groups=["security"])
        state = office.go(name)
        assert (state.rollout.status.phase, state.rollout.status.waves_started) == ("Paused", 0)
        assert "the API server accepts an approval in another's name" in state.rollout.status.said
    finally:
        plane.vouch()
    state = office.go(name, ahead=60)
    conditions = {c.type: c.status for c in state.rollout.status.conditions}
    assert (state.rollout.status.phase, conditions["ApprovalsProven"]) == ("Paused", "True")
    assert [v.why for v in office.gate(name).ignored] == ["was given while approvals were unproven"]


def test_a_policy_that_is_half_there_is_none(office, plane):
    name = office.begin({"wave": 0})
    office.approve("mia", name)

    def groups_are_checked():
        try:
            office.approve("zoe", name, dry=True, groups=["security"])
        except AssertionError:
            return True
        return False

    policy = ("validatingadmissionpolicy", "netpol-canary-approvals")
    plane.run("patch", *policy, "--type=json", "-p", '[{"op": "remove", "path": "/spec/validations/1"}]')
    try:
        eventually(lambda: not groups_are_checked())
        assert "somebody else's group is refused, but not for that" in office.go(name).rollout.status.said
    finally:
        plane.vouch()
        eventually(groups_are_checked)


@pytest.mark.parametrize("user", ["ann", "bob", "mia", "zoe"])
def test_nobody_but_the_service_account_creates_what_is_written(office, user):
    may = office.people[user]
    name = office.begin({"wave": 0})
    rollout = json.loads(office.plane.run("get", "prol", name, "-n", OWN, "-o", "json"))
    spec = m.NamespaceRolloutSpec(rollout=name, wave=0, namespace="kube-system", after=["{}"])
    own = {"name": "mine", "namespace": OWN}
    for obj in (
        {"apiVersion": m.API_VERSION, "kind": "PolicyRollout", "metadata": own, "spec": rollout["spec"]},
        new("NamespaceRollout", "mine", OWN, spec),
        new(
            "WaveAnalysis",
            "mine",
            OWN,
            m.WaveAnalysisSpec(rollout=name, wave=0, since="2026-01-01T00:00:00Z"),
        ),
    ):
        with refused("cannot create resource"):
            may.run("create", "-f", "-", stdin=json.dumps(obj))
        office.account.run("create", "--dry-run=server", "-f", "-", stdin=json.dumps(obj))
    with refused("cannot (get|patch) resource"):
        may.run(
            "patch",
            "prol",
            name,
            "-n",
            OWN,
            "--subresource=status",
            "--type=merge",
            "-p",
            '{"status":{"phase":"Succeeded"}}',
        )


def test_the_glass_is_broken_by_who_may_and_loudly(office):
    name = office.begin(SECURITY)
    with refused("takes the right to the verb breakglass"):
        office.approve("mia", name, break_glass=True, comment="all is down")
    with refused("goes with an approval and a comment"):
        office.approve("zoe", name, break_glass=True, comment=" ")
    office.approve("zoe", name, break_glass=True, comment="all is down")
    state = office.go(name)
    assert state.rollout.status.phase == "Succeeded"
    moved = [t for t in state.rollout.status.transitions if t.reason == "BreakGlass"]
    assert [t.actor for t in moved] == ["zoe"]
    assert {c.type: c.status for c in state.rollout.status.conditions}["BreakGlassUsed"] == "True"


def edited(plane, name, change):
    """A rollout with something changed by a full PUT, as release engineers may."""
    fresh = json.loads(plane.run("get", "prol", name, "-n", OWN, "-o", "json"))
    change(fresh)
    return plane.run("replace", "-f", "-", stdin=json.dumps(fresh))


def asks(request):
    def change(obj):
        obj["metadata"].setdefault("annotations", {})["netpol-canary.dev/request"] = request

    return change


def test_people_ask_in_their_own_name_and_change_nothing_else(office):
    name, mia = office.begin({"wave": 0}), office.people["mia"]
    for request in ("abort/1/joe", "abort/mia", "supersede/1/mia", "abort/1/mia/joe"):
        with refused("the user must be the one who asks"):
            edited(mia, name, asks(request))
    with refused("by the controller alone"):
        edited(mia, name, lambda obj: obj["metadata"].update(finalizers=[]))
    with refused("by the controller alone"):
        edited(mia, name, lambda obj: obj["metadata"].update(ownerReferences=[]))
    with refused("frozen at creation"):
        edited(mia, name, lambda obj: obj["spec"].update(authors=[]))
    edited(mia, name, asks("abort/1/mia"))
    with refused("the user must be the one who asks"):
        edited(office.people["joe"], name, lambda obj: obj["metadata"].update(annotations={}))
    state = office.go(name)
    assert state.rollout.status.phase == "RolledBack"
    assert [t.actor for t in state.rollout.status.transitions if t.reason == "Aborted"] == ["mia"]
    _releases(office)


def _releases(office):
    """mia lets go of the blocked revision, and cannot say that ann's commits are known already."""

    def put(**status):
        fresh = json.loads(office.plane.run("get", "psrc", "office", "-n", OWN, "-o", "json"))
        fresh["status"].update(status)
        office.people["mia"].run("replace", "--subresource=status", "-f", "-", stdin=json.dumps(fresh))

    with refused("the rest of its status is the controller's"):
        put(currentRevision="f" * 40)
    put(blockedRevision="", blockedReason="")


def test_the_command_line_approves_in_the_name_of_the_certificate(office):
    name = office.begin(SECURITY)

    def by(user, *args):
        command = [PROGRAM, *args, "--kubeconfig", office.people[user].kubeconfig]
        return subprocess.run(command, capture_output=True, text=True, timeout=ENOUGH, check=False)

    first = by("mia", "approve", "office", "-m", "checked")
    assert first.returncode == 0 and "1 of 2 approvals from security (mia)" in first.stdout, first.stderr
    assert by("ann", "approve", "office", "-m", "me too").returncode == 1
    assert by("mia", "approve", "office", "-m", "now", "--break-glass").returncode == 1
    assert "1 missing" in by("zoe", "describe", "office").stdout
    assert by("joe", "promote", "office", "-m", "me too").returncode == 0
    assert office.go(name).rollout.status.phase == "Succeeded"
    done = json.loads(office.plane.run("get", "rappr", "-n", OWN, "-o", "json"))["items"]
    mine = [a for a in done if a["spec"]["rollout"] == name]
    assert {a["metadata"]["ownerReferences"][0]["name"] for a in mine} == {name}
    office.plane.run("delete", "prol", name, "-n", OWN, KUBECTL)
    eventually(lambda: name not in office.plane.run("get", "rappr", "-n", OWN))
