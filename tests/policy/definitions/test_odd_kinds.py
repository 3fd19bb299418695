"""Whatever shape a part of a manifest has, it hides itself alone: no kind that is read brings a command down."""

import copy
import json

import pytest
import yaml
from written import plain

from orchestrator.errors import BadInput
from orchestrator.policy.author import generator
from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.impact.exposure import entrances, exposure
from orchestrator.policy.lint.linter import lint
from orchestrator.policy.workloads.fleet import fleet

ODD = (5, [5], {"a": [5]})
KINDS = """
apiVersion: v1
kind: Service
metadata: {name: till, namespace: kiosk, annotations: {prometheus.io/scrape: "true"}, labels: {app: till}}
spec: {type: LoadBalancer, clusterIP: None, selector: {app: till}, externalIPs: [203.0.113.7], ports: [{name: web, port: 80, targetPort: web, protocol: TCP}]}
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: 10.96.0.10, clusterIPs: [10.96.0.10], ports: [{port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: node-local-dns, namespace: kube-system}
data: {Corefile: "bind 169.254.20.10"}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-local-dns, namespace: kube-system}
spec:
  template:
    metadata: {labels: {k8s-app: node-local-dns}}
    spec:
      hostNetwork: true
      dnsConfig: {nameservers: [10.0.0.1]}
      containers: [{name: c, args: [-conf], command: [run], ports: [{name: dns, containerPort: 53, protocol: UDP}]}]
      volumes: [{name: v, configMap: {name: node-local-dns}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: till, namespace: kiosk}
spec:
  serviceName: till
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till}, annotations: {sidecar.istio.io/inject: "true"}}
    spec:
      serviceAccountName: till
      containers:
      - name: c
        env: [{name: DB_HOST, value: till}, {name: X, valueFrom: {configMapKeyRef: {name: till, key: URL}}}]
        envFrom: [{configMapRef: {name: till}}, {secretRef: {name: till}}]
        readinessProbe: {httpGet: {port: web}}
        ports: [{name: web, containerPort: 8080, hostPort: 80}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: till, namespace: kiosk}
data: {URL: "http://till.kiosk:80"}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: kiosk}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: nightly}}, spec: {containers: [{name: c, env: [{name: URL, value: "http://till:80"}]}]}}}}}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop, namespace: kiosk}
spec: {workloadRef: {apiVersion: apps/v1, kind: StatefulSet, name: till}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: till, namespace: kiosk, annotations: {kubernetes.io/ingress.class: nginx}}
spec: {defaultBackend: {service: {name: till, port: {number: 80}}}, rules: [{http: {paths: [{backend: {service: {name: till, port: {name: web}}}}]}}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: kiosk}
spec: {gatewayClassName: istio}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: till, namespace: kiosk}
spec: {parentRefs: [{name: edge}], rules: [{filters: [{requestMirror: {backendRef: {name: till, port: 80}}}], backendRefs: [{name: till, port: 80}]}]}
---
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: till, namespace: kiosk}
spec: {to: {kind: Service, name: till}, port: {targetPort: web}, alternateBackends: [{name: till}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: till-1, namespace: kiosk, labels: {kubernetes.io/service-name: till}}
addressType: IPv4
ports: [{name: web, port: 8080, protocol: TCP}]
endpoints: [{addresses: [10.1.1.1]}]
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: till, namespace: kiosk}
spec: {selector: {matchLabels: {app: till}}, namespaceSelector: {matchNames: [kiosk]}, endpoints: [{port: web}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: till}
webhooks: [{name: a.b.c, clientConfig: {service: {name: till, namespace: kiosk, port: 80}}}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.till}
spec: {service: {name: till, namespace: kiosk, port: 80}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: till, namespace: kiosk}
roleRef: {kind: Role, name: till}
subjects: [{kind: ServiceAccount, name: till, namespace: kiosk}]
---
apiVersion: v1
kind: Node
metadata: {name: one}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
"""
SOUND = list(yaml.safe_load_all(KINDS))


def paths(value, begun=()):
    """Every place in an object, the identity of the object aside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if begun or key not in ("apiVersion", "kind"):
            yield (*begun, key)
            yield from paths(inner, (*begun, key))


def with_odd(number, path, value):
    """The manifests with another value at one place."""
    found = copy.deepcopy(SOUND)
    inner = found[number]
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return found


def answered(objects):
    """What reach, lint and generate work out: what is malformed hides itself alone, as long as files can be parsed."""
    try:
        documents = [d for o in objects for d in parse(json.dumps(o).encode(), f"{o['kind']}.yaml")]
    except BadInput:
        return  # tests/policy/files/test_yaml_text.py and tests/cli/test_bad_input.py hold its words
    for ask in (_lint, _reach, _generate):
        ask(documents)


def _lint(documents):
    lint(fleet(documents, keep_invalid=True))


def _reach(documents):
    entrances(found := fleet(documents), Platform(), {})
    exposure(found)


def _generate(documents):
    found = fleet(documents)
    edges, _ = needs(documents, found, Platform())
    generator.problems(found, edges, Platform())
    generator.generate(found, edges, Platform())


def test_the_sound_manifests_are_understood():
    documents = [d for o in SOUND for d in parse(json.dumps(o).encode(), "all.yaml")]
    found = fleet(documents)
    ways, _ = entrances(found, Platform(), {})
    assert {w.through.split(" ")[0] for w in ways} >= {"Service", "hostPort", "Ingress", "HTTPRoute", "Route"}
    assert needs(documents, found, Platform())[0]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "number", range(len(SOUND)), ids=[f"{o['kind']}-{o['metadata']['name']}" for o in SOUND]
)
def test_no_odd_part_brings_an_answer_down(number):
    for path in paths(SOUND[number]):
        for value in ODD:
            answered(with_odd(number, path, value))


def test_what_cannot_be_read_is_named_and_hides_itself_alone():
    broken = with_odd(
        next(n for n, o in enumerate(SOUND) if o["kind"] == "Node"), ("status", "addresses"), [5]
    )
    broken = [
        {**o, "data": [1]} if o["metadata"]["name"] == "node-local-dns" and o["kind"] == "ConfigMap" else o
        for o in broken
    ]
    documents = [d for o in broken for d in parse(json.dumps(o).encode(), "all.yaml")]
    found = fleet(documents)
    assert any("Node (all.yaml:1): it is not of the shape" in text for text in found.skipped)
    assert any("ConfigMap (all.yaml:1): it is not of the shape" in text for text in found.skipped)
    assert {f.rule.id for f in lint(fleet(documents, keep_invalid=True))} >= {"NPC026", "NPC004"}
    edges, _ = needs([d for d in documents if d.obj["kind"] != "ConfigMap"], found, Platform())
    assert edges


def test_a_malformed_ingress_hides_no_other_entrance():
    number = next(n for n, o in enumerate(SOUND) if o["kind"] == "Ingress")
    documents = [
        d for o in with_odd(number, ("spec", "rules"), [5]) for d in parse(json.dumps(o).encode(), "in.yaml")
    ]
    ways, told = entrances(fleet(documents), Platform(), {})
    assert {w.through.split(" ")[0] for w in ways} == {"Service", "hostPort", "HTTPRoute", "Route"}
    assert "in.yaml:1: Ingress kiosk/till is not of the shape" in told[0]


def test_routes_that_are_read_are_not_called_unread_and_those_of_others_are():
    serving = plain("Route", "kiosk/fn", version="serving.knative.dev/v1")
    extra = [serving, plain("Mapping", "kiosk/in", version="getambassador.io/v3alpha1")]
    documents = [d for o in [*SOUND, *extra] for d in parse(json.dumps(o).encode(), "all.yaml")]
    unread = [text for text in fleet(documents).skipped if "entrance" in text]
    assert [text.split(" ")[1] for text in unread] == ["Mapping", "Route"]
