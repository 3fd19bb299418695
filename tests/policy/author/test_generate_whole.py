"""One application with all that generated policies used to cut off: everything that talked still talks, or is named."""

from dataclasses import replace

import pytest
from made import made, service, workload

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.evaluate.cni_profiles import profile

CACHE = "169.254.20.10"
NODE, API_SERVER = "10.40.1.2", "10.40.0.1"
PLATFORM = Platform(ingress="front", nodes=("10.40.0.0/16",), api_server=(f"{API_SERVER}/32",))
DNS = workload(
    "names-cache",
    space="kube-system",
    kind="DaemonSet",
    labels={"k8s-app": "node-local-dns"},
    hostNetwork=True,
).replace('"image": "i"', f'"image": "i", "args": ["-localip", "{CACHE},10.96.0.10"]')
HOOK = """---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: seals}
webhooks: [{name: seals.kiosk.example.com, failurePolicy: Fail, clientConfig: {service: {name: seals, namespace: kiosk, port: 443}}}]
"""
ENTRANCE = """---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: store, namespace: kiosk}
spec: {rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: store, port: {number: 80}}}}]}}]}
"""
NIGHTLY = """---
apiVersion: batch/v1
kind: CronJob
metadata: {name: totals, namespace: kiosk}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: totals}}
        spec: {containers: [{name: c, image: i, env: [{name: LEDGER_URL, value: "cassandra://ledger-0.ledger.kiosk.svc:9042"}]}]}
"""
STORE = workload(
    "store",
    space="kiosk",
    ports=[8080],
    env={"LEDGER_ADDR": "ledger:9042", "PRICES_URL": "https://192.0.2.80"},
)
LEDGER = workload("ledger", space="kiosk", kind="StatefulSet", ports=[9042, 7000])
APPLICATION = "".join(
    (
        workload("coredns", space="kube-system", labels={"k8s-app": "kube-dns"}, ports=[53]),
        DNS,
        workload("seals", space="kiosk", ports=[8443]),
        service("seals", 443, space="kiosk", target=8443),
        HOOK,
        LEDGER.replace('"selector": {"matchLabels"', '"serviceName": "ledger", "selector": {"matchLabels"'),
        service("ledger", 9042, space="kiosk", clusterIP="None"),
        workload("front", space="front", kind="DaemonSet", ports=[80], hostNetwork=True),
        ENTRANCE,
        NIGHTLY,
        STORE.replace("apps/v1", "argoproj.io/v1alpha1").replace('"Deployment"', '"Rollout"'),
        service("store", 80, space="kiosk", target=8080),
        workload("stranger", space="kiosk"),
    )
)
# Everything that talked: from, to, port at the pod, protocol.
TALKED = (
    (NODE, "kiosk/store", 8080, "TCP"),  # the hostNetwork ingress controller, as its node
    ("kiosk/store", "kiosk/ledger", 9042, "TCP"),  # the Rollout's pods
    ("kiosk/store", "192.0.2.80", 443, "TCP"),
    ("kiosk/totals", "kiosk/ledger", 9042, "TCP"),  # the CronJob's pods, by a name of one pod
    (API_SERVER, "kiosk/seals", 8443, "TCP"),  # the admission webhook
    *(
        (f"kiosk/{name}", CACHE, 53, protocol)
        for name in ("store", "ledger", "totals", "seals", "stranger")
        for protocol in ("UDP", "TCP")
    ),
)
SHUT = (
    ("kiosk/stranger", "kiosk/ledger", 9042, "TCP"),
    ("kiosk/stranger", "kiosk/store", 8080, "TCP"),
    ("kiosk/stranger", "kiosk/seals", 8443, "TCP"),
    ("kiosk/store", "kiosk/ledger", 7000, "TCP"),
    ("kiosk/totals", "kiosk/store", 8080, "TCP"),
    ("198.51.100.9", "kiosk/store", 8080, "TCP"),
    ("kiosk/stranger", "192.0.2.80", 443, "TCP"),
)


@pytest.fixture(scope="module")
def known():
    """With the addresses of nodes and API server."""
    return made(APPLICATION, PLATFORM)


@pytest.fixture(scope="module")
def unknown():
    """Without them."""
    return made(APPLICATION, Platform(ingress="front"))


@pytest.mark.parametrize("cni", ["calico", "cilium"])
@pytest.mark.parametrize("talked", TALKED, ids=lambda t: f"{t[0]} to {t[1]} on {t[2]}/{t[3]}")
def test_what_talked_still_talks(known, talked, cni):
    assert known.open(*talked, cni=cni) is True


@pytest.mark.parametrize("cni", ["calico", "cilium"])
@pytest.mark.parametrize("shut", SHUT, ids=lambda t: f"{t[0]} to {t[1]} on {t[2]}")
def test_what_nobody_asked_for_is_shut(known, shut, cni):
    assert known.open(*shut, cni=cni) is False


@pytest.mark.parametrize("cni", ["calico", "cilium"])
def test_replicas_of_the_headless_stateful_set_talk_to_each_other(known, cni):
    net, one = known.whole.network(profile(cni)), known.whole.find("kiosk/ledger")[0].pod
    another = replace(one, name="ledger-1")
    for port in (7000, 9042):
        assert net.allowed(one, another, "TCP", port) is True
        assert net.allowed(another, one, "TCP", port) is True
    assert net.allowed(one, another, "TCP", 22) is False


def test_no_selector_means_pods_on_the_host_s_network(known):
    texts = "\n".join(known.files.values())
    assert "app: front" not in texts and "node-local-dns" not in texts
    assert "kubernetes.io/metadata.name: front" not in texts


@pytest.mark.parametrize("cni", ["calico", "cilium"])
def test_what_is_not_known_is_named_where_it_is_not_opened(unknown, cni):
    for talked in TALKED:
        if unknown.open(*talked, cni=cni) is not True:
            assert talked[0] in (NODE, API_SERVER), talked
    assert "kiosk/store[Rollout] and front/front[DaemonSet], TCP 8080: NOT opened" in unknown.told
    assert unknown.open(API_SERVER, "kiosk/seals", 8443, cni=cni) or "seals" in unknown.told
    assert "--nodes" in unknown.told and "--api-server" in unknown.told
