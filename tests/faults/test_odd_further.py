"""Policies of Cilium and Calico, and what they refer to, with any one part of another shape: an answer or one refusal, no fault."""

import copy

import pytest
import yaml
from sampling import sampled

from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.network.connections import reach
from orchestrator.policy.workloads.fleet import fleet

ODD = (
    None,
    True,
    5,
    -1,
    1.5,
    "x",
    "",
    [],
    [None],
    [5],
    ["x"],
    [[]],
    {},
    {"a": None},
    {"a": 5},
    {"a": {"b": []}},
)
SHOP = """\
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {serviceAccountName: db, containers: [{name: c, image: c, ports: [{name: sql, containerPort: 5432}]}]}
status: {podIP: 10.0.0.1, hostIP: 10.9.0.1}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: []}}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop, labels: {a: b}}
spec: {clusterIP: 10.8.0.1, selector: {app: db}, ports: [{port: 5432, targetPort: sql, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
ports: [{name: sql, port: 5432, protocol: TCP}]
---
"""
CILIUM = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: db}, matchExpressions: [{key: app, operator: In, values: [db]}]}
  enableDefaultDeny: {ingress: true}
  ingress:
    - fromEndpoints: [{matchLabels: {app: web}}]
      toPorts: [{ports: [{port: "5432", endPort: 5433, protocol: TCP}], rules: {http: [{method: GET}]}}]
    - {fromEntities: [host], icmps: [{fields: [{type: 8, family: IPv4}]}]}
  ingressDeny: [{fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}]}]
  egress:
    - {toServices: [{k8sService: {serviceName: db, namespace: shop}}]}
    - {toFQDNs: [{matchName: example.com}]}
    - {toCIDRSet: [{cidrGroupRef: partners}]}
---
apiVersion: cilium.io/v2
kind: CiliumCIDRGroup
metadata: {name: partners}
spec: {externalCIDRs: [203.0.113.0/24]}
---
apiVersion: cilium.io/v2
kind: CiliumNode
metadata: {name: n}
spec: {health: {ipv4: 10.0.3.1}, ingress: {ipv4: 10.0.3.2}, addresses: [{type: InternalIP, ip: 10.9.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n, labels: {a: b}}
status: {addresses: [{type: InternalIP, address: 10.9.0.1}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
data: {enable-policy: default, policy-cidr-match-mode: nodes}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
addressType: IPv4
endpoints: [{addresses: [192.0.2.1]}]
ports: [{port: 6443}]
"""
CALICO = """\
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: platform.db, namespace: shop}
spec:
  tier: platform
  order: 10
  selector: app == 'db'
  serviceAccountSelector: has(a)
  types: [Ingress, Egress]
  ingress:
    - action: Allow
      protocol: TCP
      source: {selector: app == 'web', serviceAccounts: {names: [web], selector: has(a)}, notNets: [10.1.0.0/16]}
      destination: {ports: [5432, "80:90", sql]}
    - {action: Deny, protocol: ICMP, icmp: {type: 8, code: 0}}
  egress: [{action: Pass, destination: {services: {name: db, namespace: shop}}}]
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: all}
spec: {namespaceSelector: all(), ingress: [{action: Log}, {action: Allow, source: {selector: role == 'partner'}}]}
---
{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: platform}, spec: {order: 5, defaultAction: Pass}}
---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: p, namespace: shop, labels: {role: partner}}
spec: {nets: [203.0.113.0/24]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {name: p, labels: {role: partner}}
spec: {nets: [198.51.100.0/24]}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: db, namespace: shop, labels: {a: b}}}
"""


def parts(value, path=()):
    """The path of every part below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from parts(item, (*path, key))


def cases(documents):
    for number, document in enumerate(documents):
        for path in parts(document):
            if path[0] not in ("apiVersion", "kind"):
                yield from ((number, path, odd) for odd in ODD)


def replaced(documents, number, path, odd):
    found = copy.deepcopy(documents)
    holder = found[number]
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = odd
    return found


def asked(documents):
    """Everything that is asked of a fleet."""
    text = yaml.safe_dump_all(documents, sort_keys=False).encode()
    for live in (False, True):
        found = fleet(parse(text, "all.yaml"), live=live)
        reach(found)
        lint(found)
        net: Network = found.network()
        for one in found.workloads:
            for other in (*(w.pod for w in found.workloads), "203.0.113.9", "10.9.0.1"):
                net.decide(one.pod, other, "TCP", 5432)
                net.decide(other, one.pod, "ICMP", 8)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("policies", "slices"),
    [(CILIUM, True), (CALICO, True), (CALICO, False)],
    ids=["cilium", "calico", "selectors"],
)
def test_whatever_part_is_odd_it_is_answered_or_refused(policies, slices):
    """Each part of each object; sampled, with two of the odd values."""
    documents = list(yaml.safe_load_all(SHOP + policies))
    documents = [d for d in documents if slices or d["kind"] != "EndpointSlice"]
    asked(documents)
    faults, refused = [], 0
    for number, path, odd in sampled(cases(documents), lambda case: case[:2], each=2):
        what = f"{documents[number]['kind']} {path} = {odd!r}"
        try:
            asked(replaced(documents, number, path, odd))
        except BadInput as error:
            refused += 1
            if "all.yaml:" not in str(error) or len(str(error).splitlines()) > 1:
                faults.append(f"{what}: said as {error}")
        except Exception as error:  # each is told, with where it came from
            faults.append(f"{what}: {type(error).__name__}: {error}")
    assert refused > 50
    assert not faults, f"{len(faults)}\n" + "\n".join(faults[:40])
