"""Who else manages an object is read from what the tools leave on it."""

import pytest

from orchestrator.rollout.managers import last_writer, others, told
from orchestrator.rollout.resources.objects import MANAGER

SYNCED = "2026-01-01T08:00:00Z"
LATER = "2026-01-02T08:00:00Z"


def wrote(manager, time=SYNCED, **more):
    return {"manager": manager, "operation": "Apply", "time": time, "fieldsV1": {}, **more}


def obj(labels=None, annotations=None, fields=(), owners=()):
    meta = {"name": "allow", "labels": labels or {}, "annotations": annotations or {}}
    return {"metadata": {**meta, "managedFields": list(fields), "ownerReferences": list(owners)}}


ARGO = {"argocd.argoproj.io/tracking-id": "shop:networking.k8s.io/NetworkPolicy:web/allow"}
FLUX = {"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
HELM = {"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "web"}


@pytest.mark.parametrize(
    ("given", "text", "fights"),
    [
        (obj(annotations=ARGO), "Argo CD (application shop)", True),
        (
            obj(annotations=ARGO, fields=[wrote("argocd-controller")]),
            f"Argo CD (application shop, last wrote {SYNCED})",
            True,
        ),
        (
            obj({"app.kubernetes.io/instance": "shop"}, fields=[wrote("argocd-controller")]),
            f"Argo CD (application shop, last wrote {SYNCED})",
            True,
        ),
        (obj(FLUX), "Flux (Kustomization flux-system/shop)", True),
        (
            obj(fields=[wrote("helm-controller")]),
            f"Flux (field manager helm-controller, last wrote {SYNCED})",
            True,
        ),
        (obj(annotations=HELM), "Helm (release web/shop)", False),
        (obj(annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"}), "kubectl", False),
        (
            obj(fields=[wrote("kubectl-client-side-apply")]),
            f"kubectl (field manager kubectl-client-side-apply, last wrote {SYNCED})",
            False,
        ),
        (obj(fields=[wrote("Terraform")]), f"Terraform (last wrote {SYNCED})", False),
        (obj(owners=[{"kind": "Tenant", "name": "a", "controller": True}]), "Tenant a", False),
    ],
)
def test_a_tool_is_recognised_by_its_marks(given, text, fights):
    found = others(given)
    assert told(found) == text and found[0].fights is fights


def test_an_instance_label_alone_is_nobody_s():
    assert others(obj({"app.kubernetes.io/instance": "shop"})) == ()
    assert told(()) == "somebody who left no mark on it"


def test_this_program_is_not_another_and_a_status_is_no_write():
    given = obj(fields=[wrote(MANAGER, LATER), wrote("some-agent", LATER, subresource="status")])
    assert others(given) == () and last_writer(given) is None


def test_what_may_fight_comes_first_and_the_last_writer_is_the_last():
    given = obj(fields=[wrote("kubectl-edit", LATER), wrote("kustomize-controller"), wrote(MANAGER, LATER)])
    assert [o.tool for o in others(given)] == ["Flux", "kubectl"]
    assert last_writer(given).text == f"kubectl (field manager kubectl-edit, last wrote {LATER})"
