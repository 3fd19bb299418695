"""Objects that say the same in the same words share what was read of it: no answer is another one for that."""

from dataclasses import replace
from itertools import product

import pytest

from orchestrator.policy.files.manifest import parse_all
from orchestrator.policy.network.connections import reach
from orchestrator.policy.objects.cloning import clone
from orchestrator.policy.workloads.fleet import fleet

SPACES = ("one", "two", "three")
TEMPLATE = """
  template:
    metadata:
      labels:
        app: web
    spec:
      serviceAccountName: web
      containers:
      - name: web
        ports:
        - name: http
          containerPort: 8080
"""
WORKLOADS = (
    ("apps/v1", "Deployment", TEMPLATE),
    ("apps/v1", "StatefulSet", TEMPLATE),
    ("apps/v1", "DaemonSet", TEMPLATE),
    ("batch/v1", "Job", TEMPLATE),
    ("argoproj.io/v1alpha1", "Rollout", "\n  workloadRef:\n    kind: Deployment\n    name: deployment-0\n"),
    ("serving.knative.dev/v1", "Service", TEMPLATE),
)
OPEN = "\n  podSelector:\n    matchLabels:\n      app: web\n  ingress:\n  - ports:\n    - port: http\n"
BLOCK = "\n  podSelector: {}\n  egress:\n  - to:\n    - ipBlock:\n        cidr: 10.0.0.0/8\n"
NEAR = "\n  podSelector: {}\n  ingress:\n  - from:\n    - podSelector: {}\n"
CILIUM = (
    "\n  endpointSelector: {}\n  ingress:\n  - fromEndpoints:\n    - {}\n  - fromEntities:\n    - world\n"
)
CALICO = "\n  selector: app == 'web'\n  ingress:\n  - action: Allow\n    source:\n      namespaceSelector: all()\n  - action: Deny\n"
APIS = {
    "kubernetes": [("networking.k8s.io/v1", "NetworkPolicy", spec) for spec in (OPEN, BLOCK, NEAR)],
    "cilium": [("cilium.io/v2", "CiliumNetworkPolicy", CILIUM)],
    "calico": [("projectcalico.org/v3", "NetworkPolicy", CALICO)],
}


def written(objects):
    for space, (number, (version, kind, spec)) in product(SPACES, enumerate(objects)):
        name = f"{kind.lower()}-{number}"
        yield f"apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: {space}\nspec:{spec}"


@pytest.mark.parametrize("api", APIS)
def test_a_fleet_is_what_it_is_of_objects_that_share_nothing(api):
    files = {f"{n}.yaml": text.encode() for n, text in enumerate(written([*WORKLOADS, *APIS[api]]))}
    shared = parse_all(files)
    apart = [replace(document, obj=clone(document.obj)) for document in shared]
    assert len({id(document.obj["spec"]) for document in shared}) < len(files) / 3
    one, other = fleet(shared), fleet(apart)
    assert one == other and len(one.workloads) == len(SPACES) * len(WORKLOADS)
    for mine, theirs in zip(one.workloads, other.workloads, strict=True):
        facts = [(w.account, w.probed, w.selector, w.obj, w.pod.labels, w.pod.kind) for w in (mine, theirs)]
        assert facts[0] == facts[1]
    assert reach(one) == reach(other) != []
