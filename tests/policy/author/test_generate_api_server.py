"""Who the API server calls, and who calls it, under generated policies."""

import pytest
import yaml
from made import made, service, workload
from written import written

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.lint.linter import lint

HOOK = workload("checker", space="certs", ports=[10250]) + service(
    "checker", 443, space="certs", target=10250
)
REFERENCE = "{name: checker, namespace: certs}"
SERVICE = f"{{service: {REFERENCE}}}"
HOOK_OF = f"[{{name: a.example.com, clientConfig: {SERVICE}}}]"
CONVERTED = f"{{conversion: {{strategy: Webhook, webhook: {{clientConfig: {SERVICE}}}}}}}"
ASKS = {
    "admission": written("ValidatingWebhookConfiguration", "rules", webhooks=HOOK_OF),
    "aggregated": written("APIService", "v1.rules.example.com", SERVICE),
    "conversion": written("CustomResourceDefinition", "rules.example.com", CONVERTED),
}
ROLE = "{kind: ClusterRole, name: x, apiGroup: rbac.authorization.k8s.io}"
OPERATOR = "[{kind: ServiceAccount, name: operator, namespace: shop}]"
BINDING = written("ClusterRoleBinding", "operators", roleRef=ROLE, subjects=OPERATOR)
ADDRESS = "[{addresses: [{ip: 192.0.2.7}], ports: [{port: 6443}]}]"
ENDPOINTS = written("Endpoints", "default/kubernetes", subsets=ADDRESS)


@pytest.mark.parametrize("asks", list(ASKS))
def test_what_the_api_server_calls_is_open_to_it_on_every_cni(asks):
    found = made(HOOK + ASKS[asks])
    (rule,) = yaml.safe_load(found.files["certs/checker.yaml"])["spec"]["ingress"]
    assert rule == {"ports": [{"protocol": "TCP", "port": 10250}]}, (
        "no CNI takes it for a pod, Cilium not for an address"
    )
    assert "certs/checker[Deployment]" in found.told and "--api-server" in found.told
    assert "# the API server calls it: " in found.files["certs/checker.yaml"]
    assert {f.rule.id for f in lint(found.whole) if not f.ignored} <= {"NPC004"}


def test_its_address_narrows_that():
    found = made(HOOK + ASKS["admission"], Platform(api_server=("192.0.2.0/28",)))
    assert found.open("192.0.2.1", "certs/checker", 10250)
    assert not found.open("198.51.100.1", "certs/checker", 10250)


def test_a_webhook_whose_service_is_not_here_is_named():
    found = made(workload("web") + ASKS["admission"])
    said = "calls Service certs/checker for ValidatingWebhookConfiguration rules, which is not here"
    assert said in found.told


def test_a_client_by_its_binding_reaches_the_api_server_at_the_addresses_that_are_known():
    found = made(workload("op", serviceAccountName="operator") + BINDING + ENDPOINTS)
    assert found.open("shop/op", "192.0.2.7", 6443) and not found.open("shop/op", "192.0.2.8", 6443)
    assert "# it calls the API server: ClusterRoleBinding operators" in found.files["shop/op.yaml"]


def test_where_no_address_is_known_its_usual_ports_are_open_and_that_is_told():
    found = made(workload("op", serviceAccountName="operator") + BINDING)
    assert found.open("shop/op", "192.0.2.7", 6443) and not found.open("shop/op", "192.0.2.7", 80)
    assert "may call every address on the API server's ports: shop/op[Deployment]" in found.told


def test_a_workload_that_names_the_api_server_is_a_client_too():
    found = made(
        workload("op", env={"API_URL": "https://kubernetes.default.svc.cluster.local"}),
        Platform(api_server=("192.0.2.7",)),
    )
    assert found.open("shop/op", "192.0.2.7", 6443)


def test_a_service_that_is_not_here_is_named_for_who_calls_it():
    found = made(
        workload(
            "web", env={"A_URL": "http://prices:8080", "B": "ads.other.svc:80", "C_URL": "http://localhost:1"}
        )
    )
    assert "shop/web[Deployment] calls prices:8080" in found.told and "calls ads.other.svc:80" in found.told
    assert "localhost" not in found.told
