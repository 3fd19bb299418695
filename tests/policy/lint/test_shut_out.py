"""lint finds pods that policies cut off from the API server, which is no pod, whatever asks for it."""

import pytest
from linted import linted, read
from written import deployed, policy, written

from orchestrator.policy.impact.impact import impact

LISTENS = "ports: [{name: tls, containerPort: 10250}]"
HOOK = "{selector: {app: issuer}, ports: [{name: https, port: 443, targetPort: tls}]}"
PODS = deployed("certs/issuer", LISTENS, "serviceAccountName: issuer") + written(
    "Service", "certs/hook", HOOK
)
CONFIG = "clientConfig: {service: {name: hook, namespace: certs}}"
CALLS = f"[{{name: a.example.com, {CONFIG}}}, {{name: b.example.com, {CONFIG}}}]"
ADMISSION = written("MutatingWebhookConfiguration", "issuer", webhooks=CALLS)
GROUP = "group: issuer.example.com, version: v1, service: {name: hook, namespace: certs}"
API = written("APIService", "v1.issuer.example.com", f"{{{GROUP}}}")
CONVERTS = f"{{conversion: {{strategy: Webhook, webhook: {{{CONFIG}}}}}}}"
CONVERSION = written("CustomResourceDefinition", "certs.example.com", CONVERTS)
DENY = policy("certs/deny", "{podSelector: {}, policyTypes: [Ingress]}")
OPEN = policy("certs/open", "{podSelector: {matchLabels: {app: issuer}}, ingress: [RULE]}")
EGRESS = policy("certs/out", "{podSelector: {}, policyTypes: [Egress], egress: [RULE]}")
ROLE = "{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: issuer}"
BINDING = written("ClusterRoleBinding", "issuer", roleRef=ROLE, subjects="[SUBJECT]")
MINE = "{kind: ServiceAccount, name: issuer, namespace: certs}"
SLICE = {
    "addressType": "IPv4",
    "endpoints": "[{addresses: [192.0.2.7]}]",
    "ports": "[{name: https, port: 6443}]",
}
CLUSTER_IP = written("EndpointSlice", "default/kubernetes", **SLICE)


def found(rule, *texts):
    return linted(rule, PODS, *texts)


@pytest.mark.parametrize(
    ("asks", "named"),
    [
        (ADMISSION, "MutatingWebhookConfiguration issuer"),
        (API, "APIService v1.issuer.example.com"),
        (CONVERSION, "conversion webhook of certs.example.com"),
    ],
)
def test_whatever_the_api_server_calls_is_named_once_with_the_pods_port(asks, named):
    (one,) = found("NPC015", asks, DENY)
    assert f"cannot call certs/issuer[Deployment] on 10250/TCP for {named}:" in one.message
    assert one.rule.severity == "error" and one.subject == "NetworkPolicy certs/deny"
    assert found("NPC015", asks) == []


@pytest.mark.parametrize(
    "rule",
    [
        "{ports: [{port: 10250}]}",
        "{}",
        "{from: [{ipBlock: {cidr: 192.0.2.0/28}}], ports: [{port: tls}]}",
        "{from: [{ipBlock: {cidr: 192.0.2.0/28}}], ports: [{port: 10000, endPort: 11000}]}",
        "{from: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: konnectivity-agent}}}]}",
    ],
)
def test_a_rule_that_may_mean_the_api_server_opens_the_webhook(rule):
    assert found("NPC015", ADMISSION, DENY, OPEN.replace("RULE", rule)) == []


@pytest.mark.parametrize(
    "rule",
    [
        "{ports: [{port: 443}]}",
        "{ports: [{port: 10250, protocol: UDP}]}",
        "{from: [{podSelector: {}}], ports: [{port: 10250}]}",
    ],
)
def test_another_port_and_pods_alone_open_nothing_to_it(rule):
    (one,) = found("NPC015", ADMISSION, DENY, OPEN.replace("RULE", rule))
    assert one.rule.severity == "error"


@pytest.mark.parametrize(
    ("asks", "rule"),
    [
        (ADMISSION, "{from: [{namespaceSelector: {}}]}"),
        (
            ADMISSION,
            "{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]}",
        ),
        (ADMISSION.replace("clientConfig", "failurePolicy: Ignore, clientConfig"), "{ports: [{port: 1}]}"),
    ],
)
def test_what_only_some_clusters_suffer_from_is_a_warning(asks, rule):
    (one,) = found("NPC015", asks, DENY, OPEN.replace("RULE", rule))
    assert one.rule.severity == "warning"


def test_pods_on_the_node_s_network_are_selected_by_no_policy():
    on_node = PODS.replace("serviceAccountName", "hostNetwork: true, serviceAccountName")
    assert linted("NPC015", on_node, ADMISSION, DENY) == []


@pytest.mark.parametrize(
    "subject",
    [
        MINE,
        "{kind: Group, name: 'system:serviceaccounts:certs', apiGroup: rbac.authorization.k8s.io}",
        "{kind: Group, name: 'system:serviceaccounts', apiGroup: rbac.authorization.k8s.io}",
    ],
)
def test_a_workload_with_rights_needs_a_way_to_the_api_server(subject):
    binding = BINDING.replace("SUBJECT", subject)
    shut = EGRESS.replace("RULE", "{to: [{namespaceSelector: {}}]}")
    (one,) = found("NPC016", binding, shut)
    assert "certs/issuer[Deployment] cannot reach the API server" in one.message
    assert "ClusterRoleBinding issuer" in one.message and one.subject == "NetworkPolicy certs/out"
    for rule in (
        "{ports: [{port: 6443}]}",
        "{to: [{ipBlock: {cidr: 192.0.2.7/32}}], ports: [{port: 443}]}",
        "{}",
    ):
        assert found("NPC016", binding, EGRESS.replace("RULE", rule)) == []


def test_an_account_that_is_not_bound_or_whose_token_is_not_mounted_needs_none():
    shut = EGRESS.replace("RULE", "{to: [{podSelector: {}}]}")
    other = BINDING.replace("SUBJECT", MINE.replace("namespace: certs", "namespace: shop"))
    unmounted = written("ServiceAccount", "certs/issuer", automountServiceAccountToken="false")
    assert found("NPC016", other, shut) == []
    assert found("NPC016", BINDING.replace("SUBJECT", MINE), unmounted, shut) == []


@pytest.mark.parametrize(
    ("rule", "reached"),
    [
        ("{to: [{ipBlock: {cidr: 192.0.2.0/28}}], ports: [{port: 6443}]}", True),
        ("{to: [{ipBlock: {cidr: 192.0.2.0/28}}], ports: [{port: 443}]}", False),
        ("{to: [{ipBlock: {cidr: 192.0.2.0/28, except: [192.0.2.7/32]}}]}", False),
        ("{to: [{ipBlock: {cidr: 198.51.100.0/24}}]}", False),
    ],
)
def test_where_its_address_is_known_the_rule_has_to_open_that(rule, reached):
    binding = BINDING.replace("SUBJECT", MINE)
    finds = found("NPC016", binding, CLUSTER_IP, EGRESS.replace("RULE", rule))
    assert bool(finds) is not reached
    assert all("192.0.2.7:6443" in f.message for f in finds)


def test_a_misshapen_configuration_hides_no_other():
    broken = written("MutatingWebhookConfiguration", "x", webhooks="[1]")
    assert len(found("NPC015", broken, ADMISSION, DENY)) == 1


def test_a_change_that_cuts_a_webhook_off_names_it_once_it_was_callable():
    def state(*texts):
        return read(PODS, ADMISSION, *texts)

    free, shut = state(), state(DENY)
    kept = state(DENY, OPEN.replace("RULE", "{ports: [{port: tls}]}"))
    name = "MutatingWebhookConfiguration issuer at certs/issuer[Deployment]"
    assert impact(free, shut, []).uncallable == (name,) == impact(kept, shut, []).uncallable
    for before, after in ((free, kept), (shut, free), (shut, shut)):
        assert impact(before, after, []).uncallable == ()
    assert "cut off from the API server that calls them" in dict(impact(free, shut, []).told())
