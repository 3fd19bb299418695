"""On the real API server: with config/podlabels our accounts change one label of pods, and nothing else of them."""

import copy
import uuid

import pytest
from clearing import cleared
from patience import KUBECTL, eventually
from people import service_account
from reading import NAMESPACE, POD, patient

from orchestrator.errors import ApiError, Forbidden, NotFound
from orchestrator.ports import Kind

pytestmark = pytest.mark.cluster

OWN, KEY = "netpol-canary", "netpol-canary.dev/canary"
ACCOUNTS = ("netpol-canary", "netpol-canary-guard", "netpol-canary-step")
OUTSIDER = "pod-editor"  # has a right of its own to pods
REVIEW = Kind("authorization.k8s.io/v1", "SelfSubjectAccessReview")
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER = {"name": "app", "image": "registry.example.com/app:1", "securityContext": RESTRICTED}
SPEC = {
    "initContainers": [{**CONTAINER, "name": "first"}],
    "containers": [CONTAINER],
    "schedulingGates": [{"name": "example.com/wait"}],
}
META = {
    "generateName": "app-",
    "labels": {"app": "web", "track": "stable"},
    "annotations": {"example.com/note": "one"},
}
MORE = "+"  # one more of a list
APPLIED = "what others applied of a pod"
LABELS, METADATA, SPECIFIED = "of a pod's labels", "a pod's annotations, owners", "the spec of a pod"
OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "other", "uid": str(uuid.uuid4())}
FORGED = {
    "manager": "operator",
    "operation": "Apply",
    "apiVersion": "v1",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:metadata": {"f:annotations": {"f:example.com/note": {}}}},
}
# What somebody who has taken an account over would try: where it stands, what is there then, and what refuses it.
CHANGES = {
    "another label": (("metadata", "labels", "app"), "other", LABELS),
    "one more label": (("metadata", "labels", "more"), "x", LABELS),
    "a label that is named like ours": (("metadata", "labels", f"{KEY}-2"), "x", LABELS),
    "a label less": (("metadata", "labels"), {"app": "web"}, LABELS),
    "no labels": (("metadata", "labels"), None, LABELS),
    "another annotation": (("metadata", "annotations", "example.com/note"), "two", METADATA),
    "one more annotation": (("metadata", "annotations", "more"), "x", METADATA),
    "no annotations": (("metadata", "annotations"), None, METADATA),
    "an owner": (("metadata", "ownerReferences"), [OWNER], METADATA),
    "a finalizer": (("metadata", "finalizers"), ["example.com/held"], METADATA),
    "another name for what is made of it": (("metadata", "generateName"), "other-", METADATA),
    "what somebody applied, forged": (("metadata", "managedFields"), [FORGED], APPLIED),
    "what somebody applied, with more": (
        ("metadata", "managedFields", MORE),
        {**FORGED, "manager": "m"},
        APPLIED,
    ),
    "what somebody applied, forgotten": (("metadata", "managedFields"), [{}], APPLIED),
    "an image": (("spec", "containers", 0, "image"), "evil.example.com/x:1", SPECIFIED),
    "an image of a first container": (
        ("spec", "initContainers", 0, "image"),
        "evil.example.com/x:1",
        SPECIFIED,
    ),
    "one more toleration": (("spec", "tolerations", MORE), {"key": "mine", "operator": "Exists"}, SPECIFIED),
    "an end": (("spec", "activeDeadlineSeconds"), 1, SPECIFIED),
    "a gate less": (("spec", "schedulingGates"), None, SPECIFIED),
    "another node": (("spec", "nodeSelector"), {"kubernetes.io/hostname": "mine"}, SPECIFIED),
}
# Nobody can do so by an update of the pod, whatever rights they have.
NEVER = {
    "an ephemeral container": (("spec", "ephemeralContainers"), [{"name": "in", "image": "x"}]),
    "one more container": (("spec", "containers", MORE), {**CONTAINER, "name": "second"}),
    "one more first container": (("spec", "initContainers", MORE), {**CONTAINER, "name": "second"}),
    "another time to end in": (("spec", "terminationGracePeriodSeconds"), 0),
    "a command": (("spec", "containers", 0, "command"), ["sh"]),
    "an account": (("spec", "serviceAccountName"), "admin"),
    "a volume": (("spec", "volumes"), [{"name": "root", "hostPath": {"path": "/"}}]),
    "resources": (("spec", "containers", 0, "resources"), {"requests": {"cpu": "1"}}),
}


@pytest.fixture(scope="module")
def ground(plane, harness, tmp_path_factory):
    found = Ground(plane, harness, tmp_path_factory.mktemp("accounts"))
    yield found
    found.clear()


class Ground:
    """A namespace of workloads and our own, our accounts with config/podlabels, and the API server as each of them sees it."""

    def __init__(self, plane, harness, folder):
        self.plane, self.admin, self.space = plane, patient(plane.kubeconfig), f"t-{uuid.uuid4().hex[:8]}"
        self.part, self.pods = str(harness.ROOT / "config/podlabels"), []
        meta = {"name": self.space, "labels": {"netpol-canary.dev/test": "true"}}
        self.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        plane.run("apply", "-k", str(harness.ROOT / "config/rbac"))
        for part in ("guard", "argo"):
            plane.run("apply", "-f", str(harness.ROOT / "config" / part / "account.yaml"))
        plane.run("create", "clusterrole", f"{OWN}-test-pods", "--resource=pods", "--verb=get,update")
        granted = (f"{OWN}-test-pods", f"--clusterrole={OWN}-test-pods", f"--user={OUTSIDER}")
        plane.run("create", "clusterrolebinding", *granted)
        self.outsider = self.admin.impersonating(OUTSIDER, ())
        seen = {name: service_account(plane, folder, OWN, name) for name in ACCOUNTS}
        self.ours = {name: patient(account.kubeconfig) for name, account in seen.items()}
        pod = self.pod()
        for me in self.ours.values():  # without the part
            with pytest.raises(Forbidden, match="cannot update resource"):
                me.replace(marked(pod), dry_run=True)
        plane.run("apply", "-k", self.part)
        wrong = changed(pod, ("metadata", "labels", "app"), "other")
        for me in self.ours.values():
            eventually(lambda me=me: taken(me, marked(pod)) and not taken(me, wrong))

    def pod(self, space="", **meta):
        """A new one, as it stands; `None` for what it is not to have."""
        name = f"app-{uuid.uuid4().hex[:8]}"
        where = {"name": name, "namespace": space or self.space}
        whole = {k: v for k, v in {**META, **meta, **where}.items() if v is not None}
        self.pods.append((name, where["namespace"]))
        return self.admin.create({"apiVersion": "v1", "kind": "Pod", "metadata": whole, "spec": SPEC})

    def fresh(self, pod):
        return self.admin.get(POD, pod["metadata"]["name"], pod["metadata"]["namespace"])

    def clear(self):
        for name, space in self.pods:  # those of the system's namespaces, too
            self.plane.run("delete", "pod", name, "-n", space, "--now", "--force", KUBECTL, check=False)
        self.plane.run("delete", "-k", self.part, "--ignore-not-found", KUBECTL)
        cleared(self.plane, self.space)


def changed(pod, path, value):
    """A copy with something else at a path of keys and numbers, or MORE of a list; `None` takes away what is there."""
    found = copy.deepcopy(pod)
    here = found
    for key in path[:-1]:
        here = here[key] if isinstance(key, int) else here.setdefault(key, {})
    if path[-1] == MORE:
        here.append(value)
    elif value is None:
        del here[path[-1]]
    else:
        here[path[-1]] = value
    return found


def marked(pod, value="r-1"):
    return changed(pod, ("metadata", "labels", KEY), value)


def taken(me, pod):
    try:
        me.replace(pod, dry_run=True)
    except ApiError:
        return False
    return True


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("labels", [META["labels"], None], ids=["beside others", "alone"])
def test_the_label_is_set_changed_and_taken_off(ground, account, labels):
    me, pod = ground.ours[account], ground.pod(labels=labels)
    for value in ("r-1", "", "r-2"):
        pod = me.replace(marked(me.get(POD, pod["metadata"]["name"], ground.space), value))
        assert pod["metadata"]["labels"] == {**(labels or {}), KEY: value}
    me.replace(changed(pod, ("metadata", "labels", KEY), None))
    assert ground.fresh(pod)["metadata"].get("labels") == labels


def partly_applied(ground, part, manager):
    """A pod of which somebody applied a part."""
    meta = {"name": ground.pod()["metadata"]["name"], "namespace": ground.space}
    return ground.admin.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {**meta, **part}}, manager)


@pytest.fixture(scope="module")
def applied(ground):
    return partly_applied(ground, {"annotations": {"example.com/applied": "yes"}}, "operator")


@pytest.mark.parametrize("more", [{}, {"team": "web"}], ids=["alone", "with more"])
def test_whoever_applies_our_label_to_a_pod_does_not_keep_it_there(ground, more):
    me, pod = ground.ours[OWN], partly_applied(ground, {"labels": {KEY: "r-1", **more}}, "somebody")
    pod = me.replace(marked(pod, "r-2"))
    found = me.replace(changed(pod, ("metadata", "labels", KEY), None))
    assert found["metadata"]["labels"] == {**META["labels"], **more}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_else_of_a_pod_is_changed(ground, applied, change):
    path, value, why = CHANGES[change]
    other = changed(applied, path, value)
    assert taken(ground.outsider, other)  # the API server itself has nothing against it, nor have we
    for me in ground.ours.values():
        for tried in (other, marked(other)):
            with pytest.raises(Forbidden, match=why):
                me.replace(tried)
    assert ground.fresh(applied) == applied


@pytest.mark.parametrize("change", NEVER)
def test_what_no_update_may_change_is_not_changed_either(ground, applied, change):
    other = changed(applied, *NEVER[change])
    assert not taken(ground.admin, other)
    assert not any(taken(me, other) for me in ground.ours.values())


def test_what_a_kubelet_says_is_not_said_by_an_update(ground):
    me, pod = ground.ours[OWN], ground.pod()
    me.replace(changed(marked(pod), ("status", "podIP"), "10.0.0.66"))
    found = ground.fresh(pod)
    assert KEY in found["metadata"]["labels"] and found["status"] == pod["status"]


@pytest.mark.parametrize("space", ["kube-system", "kube-public", OWN])
def test_pods_of_the_system_and_our_own_are_left_alone(ground, space):
    pod = ground.pod(space)
    assert taken(ground.outsider, marked(pod))
    for me in ground.ours.values():
        with pytest.raises(Forbidden, match="pods of the system and of netpol-canary itself"):
            me.replace(marked(pod))


def test_a_namespace_that_is_named_much_like_ours_is_one_of_workloads(ground):
    assert "kube-" not in ground.space
    name = f"{OWN}-{uuid.uuid4().hex[:8]}"
    meta = {"name": name, "labels": {"netpol-canary.dev/test": "true"}}
    ground.admin.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    try:
        pod = ground.pod(name)
        assert all(taken(me, marked(pod)) for me in ground.ours.values())
    finally:
        ground.admin.delete(NAMESPACE, name, None, uid="", resource_version="")


def test_pods_are_updated_and_nothing_more_is_granted(ground):
    def may(me, verb, subresource=""):
        asked = {"namespace": ground.space, "resource": "pods", "subresource": subresource, "verb": verb}
        spec = {"resourceAttributes": asked}
        review = {"apiVersion": REVIEW.api_version, "kind": REVIEW.kind, "metadata": {}, "spec": spec}
        return me.create(review)["status"]["allowed"]

    verbs = ("get", "list", "watch", "update", "patch", "delete", "deletecollection")
    beside = ("status", "ephemeralcontainers", "resize", "binding", "eviction", "exec", "attach", "proxy")
    for me in ground.ours.values():
        assert [verb for verb in verbs if may(me, verb)] == ["get", "list", "update"]
        assert [s for s in beside for verb in verbs if may(me, verb, s)] == []


def test_a_pod_that_is_not_there_is_not_made(ground):
    pod = ground.pod()
    absent = changed(changed(pod, ("metadata", "name"), "absent"), ("metadata", "resourceVersion"), None)
    del absent["metadata"]["uid"]
    with pytest.raises(NotFound):
        ground.ours[OWN].replace(absent)
