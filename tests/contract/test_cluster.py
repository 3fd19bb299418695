"""What the rollout expects of a Kubernetes API: one file, on the in-memory one and on a real one."""

import contextlib
import copy
import threading
import uuid

import pytest
from patience import ENOUGH, eventually

from orchestrator.adapters.kube.cluster import connect
from orchestrator.errors import BadInput, Conflict, Forbidden, Gone, Invalid, NotFound, Unreachable
from orchestrator.ports import Kind
from orchestrator.rollout.gates.approval_proof import trials
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import same
from orchestrator.rollout.resources.resource import dump, load, new
from orchestrator.sandbox import cluster as memory
from orchestrator.sandbox.cluster import MemoryCluster

NAMESPACE, POD = Kind("v1", "Namespace"), Kind("v1", "Pod")
POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy")
SOURCE = Kind(m.API_VERSION, "PolicySource")
LEASE = Kind("coordination.k8s.io/v1", "Lease")
CONFIG = Kind("v1", "ConfigMap")


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.cluster)])
def api(request):
    if request.param == "memory":
        return MemoryCluster()
    return connect(request.getfixturevalue("plane").kubeconfig, timeout=ENOUGH)


@pytest.fixture
def space(api):
    name = f"t-{uuid.uuid4().hex[:8]}"
    api.create(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"netpol-canary.dev/test": "true"}},
        }
    )
    yield name
    for pod in api.list(POD, name):  # else rollouts of other tests reach and watch it
        drop(api, pod)
    with contextlib.suppress(NotFound):
        drop(api, api.get(NAMESPACE, name))


def policy(space, name="p", labels=None, **spec):
    body = {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}], **spec}
    metadata = {"name": name, "namespace": space, "labels": labels or {}}
    return {"apiVersion": POLICY.api_version, "kind": POLICY.kind, "metadata": metadata, "spec": body}


def source(space, name="s"):
    spec = m.PolicySourceSpec(git=m.Git(url="/x"), namespaces=m.NamespaceScope(names=[space]))
    return {
        "apiVersion": SOURCE.api_version,
        "kind": SOURCE.kind,
        "metadata": {"name": name, "namespace": space},
        "spec": dump(spec),
    }


def gone(api, kind, name, space=None):
    try:
        api.get(kind, name, space)
    except NotFound:
        return True
    return False


def drop(api, obj, uid=None, version=None):
    meta = obj["metadata"]
    kind = Kind(obj["apiVersion"], obj["kind"])
    api.delete(
        kind,
        meta["name"],
        meta.get("namespace"),
        uid=uid or meta["uid"],
        resource_version=version or meta["resourceVersion"],
    )


def test_objects_are_created_read_and_listed_by_labels(api, space):
    api.create(policy(space, "a", {"app": "x"}))
    api.create(policy(space, "b", {"app": "y"}))
    assert api.get(POLICY, "a", space)["metadata"]["labels"] == {"app": "x"}
    found = {
        s: [o["metadata"]["name"] for o in api.list(POLICY, space, s)]
        for s in ("", "app=x", "app!=x", "app in (x,y)", "!app")
    }
    assert found == {"": ["a", "b"], "app=x": ["a"], "app!=x": ["b"], "app in (x,y)": ["a", "b"], "!app": []}
    assert {"a", "b"} <= {
        o["metadata"]["name"] for o in api.list(POLICY) if o["metadata"]["namespace"] == space
    }
    assert all((o["apiVersion"], o["kind"]) == POLICY for o in api.list(POLICY, space))


def test_what_is_absent_is_not_found(api, space):
    with pytest.raises(NotFound):
        api.get(POLICY, "none", space)
    with pytest.raises(NotFound):
        api.create(policy("nowhere-at-all"))
    with pytest.raises(NotFound):
        api.delete(POLICY, "none", space, uid="", resource_version="")


def test_a_taken_name_and_a_stale_version_conflict(api, space):
    made = api.create(policy(space))
    with pytest.raises(Conflict):
        api.create(policy(space))
    changed = {**made, "spec": {**made["spec"], "ingress": []}}
    api.replace(changed)
    with pytest.raises(Conflict):
        api.replace({**made, "spec": {**made["spec"], "egress": [{}]}})


@pytest.mark.parametrize(
    "spec",
    [
        {"ingres": [{}]},
        {"ingress": [{"form": []}]},
        {"ingress": [{"ports": [{"port": 70000}]}]},
        {"ingress": [{"ports": [{"port": 80, "endPort": 70}]}]},
        {"policyTypes": ["Sideways"]},
        {"ingress": [{"from": [{}]}]},
        {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0"}}]}]},
        {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
    ],
)
def test_what_is_not_valid_is_refused(api, space, spec):
    with pytest.raises(Invalid):
        api.create(policy(space, **spec))
    with pytest.raises(Invalid):
        api.create(policy(space, **spec), dry_run=True)
    assert api.list(POLICY, space) == []


def test_defaults_are_filled_in_and_a_dry_run_shows_them_without_writing(api, space):
    shown = api.create(policy(space), dry_run=True)
    assert api.list(POLICY, space) == []
    made = api.create(policy(space))
    assert same(shown, made)
    assert made["spec"]["policyTypes"] == ["Ingress"]
    assert made["spec"]["ingress"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]
    body = {**made, "spec": {**made["spec"], "egress": [{}], "policyTypes": []}}
    assert api.replace(body, dry_run=True)["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert same(api.get(POLICY, "p", space), made)


def test_a_put_that_changes_nothing_keeps_the_version(api, space):
    made = api.create(policy(space))
    assert api.replace(made)["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_deletion_keeps_to_its_preconditions(api, space):
    made = api.create(policy(space))
    for wrong in ({"uid": str(uuid.uuid4())}, {"version": "1"}):
        with pytest.raises(Conflict):
            drop(api, made, **wrong)
    drop(api, made)
    assert gone(api, POLICY, "p", space)


def test_a_deletion_and_a_status_are_tried_without_being_kept(api, space):
    made = api.create(source(space))
    tried = api.replace_status({**made, "status": {"blockedRevision": "abc"}}, dry_run=True)
    assert tried["status"]["blockedRevision"] == "abc"
    exact = {"uid": made["metadata"]["uid"], "resource_version": made["metadata"]["resourceVersion"]}
    api.delete(SOURCE, "s", space, **exact, dry_run=True)
    assert api.get(SOURCE, "s", space) == made
    with pytest.raises(Conflict):
        api.delete(SOURCE, "s", space, **{**exact, "uid": str(uuid.uuid4())}, dry_run=True)


def test_a_finalizer_holds_what_is_deleted(api, space):
    obj = source(space)
    obj["metadata"]["finalizers"] = ["netpol-canary.dev/unrestored"]
    made = api.create(obj)
    drop(api, made)
    held = api.get(SOURCE, "s", space)
    assert held["metadata"]["deletionTimestamp"]
    held["metadata"]["finalizers"] = []
    api.replace(held)
    assert gone(api, SOURCE, "s", space)


def test_status_is_written_by_itself_alone(api, space):
    made = api.create({**source(space), "status": {"blockedRevision": "x"}})
    assert not (made.get("status") or {}).get("blockedRevision")
    body = {**made, "status": {"blockedRevision": "abc"}, "spec": {**made["spec"], "suspend": True}}
    written = api.replace_status(body)
    assert written["status"]["blockedRevision"] == "abc"
    assert not written["spec"].get("suspend")
    assert written["metadata"]["generation"] == 1
    again = api.replace({**written, "status": {}, "spec": {**written["spec"], "suspend": True}})
    assert again["status"]["blockedRevision"] == "abc"
    assert again["metadata"]["generation"] == 2


def spoilt(obj, path, value):
    """The object with one part of it replaced."""
    *way, last = path.split("/")
    found = copy.deepcopy(obj)
    part = found
    for name in way:
        part = part.setdefault(name, {})
    part[last] = value
    return found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata/name", "n" * 254),
        ("metadata/name", "Upper"),
        ("metadata/labels", {"a": "v" * 64}),
        ("metadata/labels", {"no key": "v"}),
        ("metadata/annotations", {"a": "x" * (256 << 10)}),
        ("metadata/annotations", {"no key": "x"}),
        ("metadata/finalizers", ["not qualified at all"]),
        ("spec/unknown", 1),
        ("spec/git/unknown", 1),
        ("spec/git", {}),
        ("spec/git/url", "u" * 1025),
        ("spec/git/url", 7),
        ("spec/git/timeoutSeconds", 0),
        ("spec/git/timeoutSeconds", 601),
        ("spec/git/timeoutSeconds", "60"),
        ("spec/git/timeoutSeconds", True),
        ("spec/git/verify/mode", "sometimes"),
        ("spec/namespaces/names", ["n"] * 2001),
        ("spec/namespaces/names", [None]),
        ("spec/namespaces/names", "all"),
        ("spec/shared", "no folder"),
        ("spec/suspend", "yes"),
        ("spec/strategy/analysis/alpha", 0),
        ("spec/strategy/analysis/alpha", 0.51),
        ("spec/strategy/steps", [{"count": 0}]),
        ("spec", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_the_schema_or_the_metadata_of_ours_does_not_take_is_refused(api, space, path, value):
    with pytest.raises(Invalid):
        api.create(spoilt(source(space), path, value))
    made = api.create(source(space, "good"))
    if path != "metadata/name":
        with pytest.raises(Invalid):
            api.replace(spoilt(made, path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("status/blockedReason", "r" * 1025),
        ("status/blockedReason", ["r"]),
        ("status/unknown", 1),
        ("status/repairs", ["2026-01-01T00:00:00Z"] * 9),
        ("status/repairs", ["yesterday"]),
        ("status/conditions", [{"type": "Ready"}]),
        ("status/observedGeneration", 1.5),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_status_that_the_schema_does_not_take_is_refused(api, space, path, value):
    made = api.create(source(space))
    with pytest.raises(Invalid):
        api.replace_status(spoilt(made, path, value))
    assert api.get(SOURCE, "s", space).get("status") == made.get("status")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec/git/url", "ü" * 1024),
        ("spec/git/secretRef", None),
        ("spec/strategy/analysis/alpha", 0.5),
        ("spec/strategy/analysis/probing/keptShare", 0),
        ("metadata/annotations", {"Upper.Case/and_more": "x" * (200 << 10)}),
        ("metadata/labels", {"a": ""}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_just_within_the_schema_is_taken(api, space, path, value):
    made = api.create(spoilt(source(space), path, value))
    written = api.replace_status(spoilt(made, "status/blockedReason", "ü" * 1024))
    assert written["status"]["blockedReason"] == "ü" * 1024


def test_a_rollout_keeps_its_spec(api, space):
    spec = m.PolicyRolloutSpec(source="s", revision="c", strategy=m.Strategy(), plan_digest="d", waves=[])
    made = api.create(new("PolicyRollout", "r", space, spec))
    with pytest.raises((Forbidden, Invalid), match="frozen at creation"):
        api.replace(spoilt(made, "spec/revision", "e"))


def test_what_is_owned_goes_with_its_owner(api, space):
    owner = api.create(source(space))
    child = policy(space, "child")
    reference = {
        "apiVersion": SOURCE.api_version,
        "kind": SOURCE.kind,
        "name": "s",
        "uid": owner["metadata"]["uid"],
    }
    child["metadata"]["ownerReferences"] = [reference]
    api.create(child)
    drop(api, owner)
    eventually(lambda: gone(api, POLICY, "child", space))


def test_a_namespace_that_goes_takes_no_more_objects(api, space):
    obj = source(space)
    obj["metadata"]["finalizers"] = ["netpol-canary.dev/unrestored"]
    api.create(obj)
    drop(api, api.get(NAMESPACE, space))
    eventually(lambda: api.get(NAMESPACE, space)["metadata"].get("deletionTimestamp"))
    with pytest.raises(Forbidden):
        api.create(policy(space))
    held = api.get(SOURCE, "s", space)
    held["metadata"]["finalizers"] = []
    api.replace(held)
    eventually(lambda: gone(api, NAMESPACE, space))


def test_a_watch_sees_what_changes_in_order(api, space):
    first = api.create(policy(space, "a"))
    second = api.replace({**first, "spec": {**first["spec"], "ingress": []}})
    drop(api, second)
    version = first["metadata"]["resourceVersion"]
    seen = [e.type for e in api.watch(POLICY, space, since=version, seconds=1)]
    assert seen == ["MODIFIED", "DELETED"]
    api.create(policy(space, "b"))
    seen = [(e.type, e.obj["metadata"]["name"]) for e in api.watch(POLICY, space, seconds=1)]
    assert seen == [("ADDED", "b")]


def test_a_watch_wakes_up(api, space):
    timer = threading.Timer(0.3, lambda: api.create(policy(space, "late")))
    timer.start()
    event = next(iter(api.watch(POLICY, space, seconds=10)))
    timer.join()
    assert event.obj["metadata"]["name"] == "late"


def test_leases_are_plain_objects(api, space):
    body = {
        "apiVersion": LEASE.api_version,
        "kind": LEASE.kind,
        "metadata": {"name": "l", "namespace": space},
    }
    made = api.create({**body, "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}})
    made["spec"]["holderIdentity"] = "b"
    assert api.replace(made)["spec"]["holderIdentity"] == "b"


def test_the_log_of_a_pod_that_has_not_started_is_empty_and_of_none_is_not_found(api, space):
    spec = {"containers": [{"name": "c", "image": "none.invalid/c"}]}
    api.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": space}, "spec": spec}
    )
    assert api.log("p", space, lines=1) == ""
    with pytest.raises(NotFound):
        api.log("none", space)


def test_someone_is_calling(api):
    assert api.user()[0]


def test_a_watch_from_too_long_ago_is_gone(monkeypatch):
    monkeypatch.setattr(memory, "MOST_HISTORY", 2)
    api = MemoryCluster()
    made = api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}})
    for number in range(4):
        api.create(policy("x", f"p{number}"))
    with pytest.raises(Gone):
        list(api.watch(POLICY, since=made["metadata"]["resourceVersion"], seconds=0))


def test_a_server_that_is_not_there_is_unreachable(tmp_path, harness):
    config = harness.write_kubeconfig(tmp_path / "config", "https://127.0.0.1:9", "admin")
    with pytest.raises(Unreachable):
        connect(str(config), timeout=1).list(NAMESPACE)


def test_a_missing_kubeconfig_or_context_is_bad_input(tmp_path, harness):
    config = harness.write_kubeconfig(tmp_path / "config", "https://127.0.0.1:9", "admin")
    with pytest.raises(BadInput):
        connect(str(tmp_path / "none"))
    with pytest.raises(BadInput):
        connect(str(config), "no-such-context")


def test_an_approval_is_in_the_name_and_groups_of_who_creates_it(api, space):
    spec = m.PolicyRolloutSpec(source="s", revision="c", strategy=m.Strategy(), plan_digest="d", waves=[])
    user, _ = api.user()
    tried = trials(load(new("PolicyRollout", "r", space, spec)), space, user)
    for trial in tried:
        with pytest.raises(Forbidden, match=trial.refusal):
            api.create(trial.obj, dry_run=True)
    mine = {**tried[0].obj, "spec": {**tried[0].obj["spec"], "user": user}}
    made = api.create(mine)
    with pytest.raises((Forbidden, Invalid), match=r"as it was created|frozen at creation"):
        api.replace({**made, "spec": {**made["spec"], "wave": 7}})
    assert (
        api.replace({**made, "metadata": {**made["metadata"], "labels": {"a": "b"}}})["spec"] == made["spec"]
    )
