"""The values of the chart: what each may be, what it says, and what it is where config/ does not say that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chart.settings_values import FIXED, settings_schema
from orchestrator.adapters.kube.bundle import IMAGE

Schema = Mapping[str, Any]
IN_CONFIG = object()  # the default is what config/ holds in that place

SWITCH: Schema = {"type": "boolean"}
OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}
TEXTS: Schema = {"type": "object", "additionalProperties": {"type": "string"}}
PLACE = r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,500}$"


def closed(properties: Mapping[str, Schema], *required: str) -> Schema:
    """An object with these fields and no others."""
    found: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": dict(properties)}
    return {**found, "required": list(required)} if required else found


QUANTITY: Schema = {"type": ["string", "number"]}
AMOUNTS: Schema = {"type": "object", "additionalProperties": QUANTITY}
RESOURCES = closed({"limits": AMOUNTS, "requests": AMOUNTS, "claims": OBJECTS})
AFFINITY = closed({name: {"type": "object"} for name in ("nodeAffinity", "podAffinity", "podAntiAffinity")})
TOLERATION = closed(
    {
        "key": {"type": "string"},
        "operator": {"type": "string"},
        "value": {"type": "string"},
        "effect": {"enum": ["", "NoSchedule", "PreferNoSchedule", "NoExecute"]},
        "tolerationSeconds": {"type": "integer"},
    }
)
VARIABLE = closed(
    {
        "name": {"type": "string", "minLength": 1},
        "value": {"type": "string"},
        "valueFrom": {"type": "object"},
    },
    "name",
)
# The pods are found by it, so that it is nobody's to change.
LABELS: Schema = {**TEXTS, "propertyNames": {"not": {"const": "app.kubernetes.io/name"}}}
# Without a name, or with one of the system's, RBAC would let through whom nobody meant.
NAMED: Schema = {"type": "string", "minLength": 1, "not": {"pattern": "^system:"}}


@dataclass(frozen=True)
class Value:
    """One value: its place with dots, a sentence for values.yaml and README.md, what it may be."""

    name: str
    says: str
    schema: Schema
    default: Any = IN_CONFIG


def _many(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _switch(part: str, says: str, on: bool = False) -> Value:
    return Value(f"{part}.enabled", says, SWITCH, on)


def _account(part: str) -> Value:
    says = "Annotations of the ServiceAccount, such as the role of a cloud."
    return Value(f"{part}.serviceAccount.annotations", says, TEXTS, {})


def _marked(part: str, whose: str = "its") -> Iterator[Value]:
    yield Value(f"{part}.podLabels", f"More labels of {whose} pods.", LABELS, {})
    yield Value(f"{part}.podAnnotations", f"Annotations of {whose} pods.", TEXTS, {})


def _pods(part: str, *in_config: str) -> Iterator[Value]:
    """What every kind of pod has; `in_config` names what config/ says of these."""

    def default(name: str, empty: Any) -> Any:
        return IN_CONFIG if name in in_config else empty

    yield Value(f"{part}.resources", "What a pod asks for and may take.", RESOURCES, IN_CONFIG)
    yield Value(f"{part}.nodeSelector", "Labels of the nodes that it may run on.", TEXTS, {})
    yield Value(f"{part}.tolerations", "Taints that it tolerates.", _many(TOLERATION), [])
    says = "Where it runs beside what."
    yield Value(f"{part}.affinity", says, AFFINITY, default("affinity", {}))
    name = "topologySpreadConstraints"
    says = "How replicas spread; a list replaces the whole default."
    yield Value(f"{part}.{name}", says, OBJECTS, default(name, []))
    says = "The PriorityClass of its pods."
    yield Value(f"{part}.priorityClassName", says, {"type": "string"}, "")
    yield from _marked(part)
    yield _account(part)


REPLICAS: Schema = {"type": "integer", "minimum": 0, "maximum": 20}
SECTIONS: Mapping[str, str] = {
    "image": "The image of every pod: the controller, the guard, the archive, workflows' pods, and probes that name none of their own.",
    "controller": "The controller, with webhooks and pages.",
    "guard": "The guard, which rolls back what an engine left half done.",
    "service": "The Service in front of webhooks and pages.",
    "crds": "The CustomResourceDefinitions. They stay when the release is uninstalled.",
    "admission": "The admission policies, without which no approval counts.",
    "argo": "For sources with `engine: argo`, where Argo Workflows 4 runs.",
    "archive": "A CronJob that archives rollouts to a volume. The volume stays when the release is uninstalled.",
    "monitoring": "ServiceMonitor, PodMonitor, alerts and a Grafana dashboard, where the Prometheus Operator runs.",
    "network": "NetworkPolicies for netpol-canary itself. Read config/network/egress.yaml first.",
    "impersonation": "Whom the pages may act as. Read docs/sign-in.md first: who takes over the account can act as all of them.",
    "podLabels": "The right to label pods for the time of a wave, with the policy that holds it to one label: docs/canary-size.md.",
    "kinds": "Kinds of policies beside NetworkPolicy that sources may list in `spec.kinds`: the right to write each.",
    "serviceAccount": "Its ServiceAccount.",
    "storage": "The volume that the archive is kept on.",
}
# By their values: the kinds of policies of config/kinds.
KINDS: Mapping[str, str] = {
    "kinds.ciliumNetworkPolicies": "CiliumNetworkPolicy",
    "kinds.ciliumClusterwideNetworkPolicies": "CiliumClusterwideNetworkPolicy",
    "kinds.calicoNetworkPolicies": "Calico's NetworkPolicy",
    "kinds.globalNetworkPolicies": "Calico's GlobalNetworkPolicy",
    "kinds.adminNetworkPolicies": "AdminNetworkPolicy",
    "kinds.baselineAdminNetworkPolicies": "BaselineAdminNetworkPolicy",
    "kinds.clusterNetworkPolicies": "ClusterNetworkPolicy",
}
VALUES: tuple[Value, ...] = (
    Value(
        "image.repository", "Where you pushed it, without a tag.", {"type": "string", "pattern": PLACE}, IMAGE
    ),
    Value(
        "image.tag",
        "Empty: the chart's appVersion, or none beside a digest.",
        {"type": "string", "pattern": r"^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$"},
        "",
    ),
    Value(
        "image.digest",
        "Such as sha256:…; what runs is then this image alone.",
        {"type": "string", "pattern": r"^([a-z0-9]+:[a-f0-9]{32,})?$"},
        "",
    ),
    Value(
        "image.pullPolicy",
        "Empty: what Kubernetes takes for the tag.",
        {"enum": ["", "Always", "IfNotPresent", "Never"]},
        "",
    ),
    Value(
        "imagePullSecrets",
        "Secrets of the namespace netpol-canary that every pod there pulls by, as [{name: …}]. Probe pods get none.",
        _many(closed({"name": {"type": "string", "minLength": 1}}, "name")),
        [],
    ),
    Value(
        "probeImages",
        "More images that probe pods may run, as sources name them in analysis.probing.image.",
        _many({"type": "string", "maxLength": 1024, "pattern": r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"}),
        [],
    ),
    Value("env", "Variables of every pod, such as HTTPS_PROXY.", _many(VARIABLE), []),
    Value(
        "settings",
        "Settings of the controller, pages and webhooks, with the names of docs/settings.md. Secrets go into a Secret that "
        f"a setting names; {', '.join(FIXED)} are not set here.",
        settings_schema(),
        {},
    ),
    Value("controller.replicas", "One of them works on a source; the others take over.", REPLICAS),
    *_pods("controller", "topologySpreadConstraints"),
    Value(
        "controller.env",
        "More variables of the controller, such as settings from a Secret.",
        _many(VARIABLE),
        [],
    ),
    Value(
        "controller.volumes",
        "More volumes of its pods, such as certificates that settings name.",
        OBJECTS,
        [],
    ),
    Value("controller.volumeMounts", "Where they are mounted.", OBJECTS, []),
    _switch("guard", "Whether it runs. Without it nobody rolls back where every controller is gone.", True),
    Value("guard.replicas", "One of them works; the others take over.", REPLICAS),
    *_pods("guard", "affinity"),
    Value("service.annotations", "Annotations of the Service.", TEXTS, {}),
    _switch("crds", "Whether they are installed and upgraded with the chart.", True),
    _switch("admission", "Whether they are installed with the chart.", True),
    _switch("argo", "Whether its accounts and WorkflowTemplates are installed."),
    Value("argo.resources", "What a step's container asks for and may take.", RESOURCES),
    Value("argo.nodeSelector", "Labels of the nodes that workflows' pods may run on.", TEXTS, {}),
    Value("argo.tolerations", "Taints that they tolerate.", _many(TOLERATION), []),
    *_marked("argo", "workflows'"),
    _account("argo"),
    _switch("archive", "Whether rollouts are archived."),
    Value("archive.schedule", "When, as of cron.", {"type": "string", "minLength": 1}),
    *_pods("archive"),
    Value("archive.storage.size", "How much is asked for.", QUANTITY),
    Value(
        "archive.storage.className", "The StorageClass; empty: the cluster's default.", {"type": "string"}, ""
    ),
    _switch("monitoring", "Whether they are installed."),
    Value(
        "monitoring.labels",
        "More labels of the monitors and alerts, such as those that your Prometheus selects by.",
        LABELS,
        {},
    ),
    _switch("network", "Whether they are installed."),
    _switch("impersonation", "Whether the controller may impersonate those below."),
    Value(
        "impersonation.users", "People, with the prefix that signin.oidc.user_prefix gives.", _many(NAMED), []
    ),
    Value("impersonation.groups", "As signin.oidc.impersonate_groups lists them.", _many(NAMED), []),
    _switch("podLabels", "Whether netpol-canary may give pods the label netpol-canary.dev/canary."),
    *(Value(name, f"Whether {kind} may be written.", SWITCH, False) for name, kind in KINDS.items()),
)
# Beside each value: what several of them have to be together.
TOGETHER: tuple[Schema, ...] = (
    {
        "if": {
            "properties": {
                "impersonation": {"properties": {"enabled": {"const": True}}, "required": ["enabled"]}
            },
            "required": ["impersonation"],
        },
        "then": {
            "properties": {
                "impersonation": {
                    "anyOf": [
                        {"properties": {n: {"minItems": 1}}, "required": [n]} for n in ("users", "groups")
                    ]
                }
            }
        },
    },
)
