"""Which field of which object each value is; what config/ holds there becomes the value's default."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from chart.holes import Holes, block, more, text
from orchestrator.adapters.kube.bundle import Manifest

SETTINGS_PATH = "/etc/netpol-canary"
ACCOUNTS = {
    "netpol-canary": "controller",
    "netpol-canary-guard": "guard",
    "netpol-canary-step": "argo",
    "netpol-canary-archive": "archive",
}
WITH_SETTINGS = "{{- if .Values.settings }}"
SCRAPED = ("ServiceMonitor", "PodMonitor", "PrometheusRule")


class Images:
    """The image and the list of probes' images, wherever config/ has them."""

    TOKEN = "image-goes-here"
    PROBES = "probes-go-here"
    _LIST = f"['{PROBES}']"

    def __init__(self, holes: Holes) -> None:
        named = '{{ include "netpol-canary.image" . }}'
        self._part, self._whole = holes.inline(named), holes.inline(f'"{named}"')
        each = "{{- range $n, $image := .Values.probeImages }}{{ if $n }}, {{ end }}'{{ $image }}'{{ end }}"
        self._probes = holes.inline(f'"[{each}]"')

    def set(self, value: Any) -> Any:
        """A copy of a value with its tokens of YAML in place of config/'s."""
        if isinstance(value, list):
            return [self.set(item) for item in value]
        if isinstance(value, dict):
            return {k: self.set(v) for k, v in value.items()}
        if not isinstance(value, str):
            return value
        whole = {self.TOKEN: self._whole, self._LIST: self._probes}
        return whole.get(value) or value.replace(self.TOKEN, self._part)


def place(holes: Holes, obj: Manifest, defaults: dict[str, Any]) -> None:
    """Put the values into one object, which is changed."""
    kind, name = obj["kind"], obj["metadata"]["name"]
    if kind == "Deployment":
        part, template = ACCOUNTS[name], obj["spec"]["template"]
        _pods(holes, template, part, defaults)
        _replicas(holes, obj["spec"], part, defaults)
        if part == "controller":
            _settings(holes, template)
    if kind == "CronJob":
        _pods(holes, obj["spec"]["jobTemplate"]["spec"]["template"], ACCOUNTS[name], defaults)
        defaults["archive.schedule"] = obj["spec"]["schedule"]
        obj["spec"]["schedule"] = holes.inline("{{ .Values.archive.schedule | quote }}")
    if kind == "ServiceAccount":
        value = f".Values.{ACCOUNTS[name]}.serviceAccount.annotations"
        holes.put(obj["metadata"], "annotations", *block("annotations", value))
    if kind == "Service":
        holes.put(obj["metadata"], "annotations", *block("annotations", ".Values.service.annotations"))
    if kind == "PersistentVolumeClaim":
        _storage(holes, obj["spec"], defaults)
    if kind in SCRAPED:
        holes.put(obj["metadata"]["labels"], "", *more(".Values.monitoring.labels"))
    if kind == "WorkflowTemplate":
        _workflow(holes, obj["spec"], defaults)
    if (kind, name) == ("ClusterRole", "netpol-canary-impersonator"):
        _impersonated(holes, obj)


def _pods(holes: Holes, template: Manifest, part: str, defaults: dict[str, Any]) -> None:
    """What all pods have."""
    meta, spec = template["metadata"], template["spec"]
    values = f".Values.{part}"
    holes.put(meta["labels"], "", *more(f"{values}.podLabels"))
    if part != "controller":
        holes.put(meta, "annotations", *block("annotations", f"{values}.podAnnotations"))
    for key in ("affinity", "topologySpreadConstraints"):
        said = deepcopy(spec.get(key))
        holes.put(spec, key, *block(key, f"{values}.{key}"))
        if said is not None:
            defaults[f"{part}.{key}"] = said
    for key in ("nodeSelector", "tolerations"):
        holes.put(spec, key, *block(key, f"{values}.{key}"))
    holes.put(spec, "priorityClassName", *text("priorityClassName", f"{values}.priorityClassName"))
    pulled(holes, spec)
    (container,) = spec["containers"]
    defaults[f"{part}.resources"] = deepcopy(container["resources"])
    holes.put(container, "resources", *block("resources", f"{values}.resources"))
    ran(holes, container, f"concat .Values.env {values}.env" if part == "controller" else ".Values.env")


def pulled(holes: Holes, spec: Manifest) -> None:
    """By which Secrets pods get their image."""
    holes.put(spec, "imagePullSecrets", *block("imagePullSecrets", ".Values.imagePullSecrets"))


def ran(holes: Holes, container: Manifest, variables: str = ".Values.env") -> None:
    """When a container's image is pulled, and its variables."""
    holes.put(container, "imagePullPolicy", *text("imagePullPolicy", ".Values.image.pullPolicy"))
    if "env" in container:
        container["env"].append(holes.lines(*more(variables)))
    else:
        holes.put(container, "env", *block("env", variables))


def _replicas(holes: Holes, spec: Manifest, part: str, defaults: dict[str, Any]) -> None:
    defaults[f"{part}.replicas"] = spec["replicas"]
    spec["replicas"] = holes.inline(f"{{{{ int .Values.{part}.replicas }}}}")


def _settings(holes: Holes, template: Manifest) -> None:
    """Its settings as a file, which pods are made anew for when it changes; what else is mounted."""
    holes.put(
        template["metadata"],
        "annotations",
        "{{- if or .Values.settings .Values.controller.podAnnotations }}",
        "annotations:",
        "  {{- with .Values.settings }}",
        "  checksum/settings: {{ toYaml . | sha256sum }}",
        "  {{- end }}",
        "  {{- with .Values.controller.podAnnotations }}",
        "  {{- toYaml . | nindent INDENT }}",
        "  {{- end }}",
        "{{- end }}",
    )
    spec = template["spec"]
    (container,) = spec["containers"]
    file = f"{SETTINGS_PATH}/settings.yaml"
    container["args"].append(holes.lines(WITH_SETTINGS, "- --config", f"- {file}", "{{- end }}"))
    mount = f"- {{name: settings, mountPath: {SETTINGS_PATH}, readOnly: true}}"
    volume = "- {name: settings, configMap: {name: netpol-canary-settings}}"
    for entries, own, value in (
        (container["volumeMounts"], mount, ".Values.controller.volumeMounts"),
        (spec["volumes"], volume, ".Values.controller.volumes"),
    ):
        entries.append(holes.lines(WITH_SETTINGS, own, "{{- end }}"))
        entries.append(holes.lines(*more(value)))


def _storage(holes: Holes, spec: Manifest, defaults: dict[str, Any]) -> None:
    requests = spec["resources"]["requests"]
    defaults["archive.storage.size"] = requests["storage"]
    requests["storage"] = holes.inline("{{ .Values.archive.storage.size | quote }}")
    holes.put(spec, "storageClassName", *text("storageClassName", ".Values.archive.storage.className"))


def _workflow(holes: Holes, spec: Manifest, defaults: dict[str, Any]) -> None:
    """Where its pods run and what they take; the wave's template says it for all of them."""
    if "entrypoint" in spec:
        pulled(holes, spec)
        for key in ("nodeSelector", "tolerations"):
            holes.put(spec, key, *block(key, f".Values.argo.{key}"))
    for template in spec["templates"]:
        if container := template.get("container"):
            meta = template["metadata"]
            holes.put(meta["labels"], "", *more(".Values.argo.podLabels"))
            holes.put(meta, "annotations", *block("annotations", ".Values.argo.podAnnotations"))
            defaults["argo.resources"] = deepcopy(container["resources"])
            holes.put(container, "resources", *block("resources", ".Values.argo.resources"))
            ran(holes, container)


def _impersonated(holes: Holes, role: Manifest) -> None:
    """Each rule as it stands, for the people of a value: left out where there are none, for then it would be anybody."""
    for place, rule in enumerate(role["rules"]):
        (resource,) = rule["resources"]
        value = f".Values.impersonation.{resource}"
        head, *lines = (
            f"apiGroups: {rule['apiGroups']}".replace("'", '"'),
            f"resources: [{resource}]",
            f"verbs: [{', '.join(rule['verbs'])}]",
            f"resourceNames: {{{{ toJson {value} }}}}",
        )
        assert set(rule) == {"apiGroups", "resources", "verbs", "resourceNames"}
        role["rules"][place] = holes.lines(
            f"{{{{- if {value} }}}}", f"- {head}", *(f"  {line}" for line in lines), "{{- end }}"
        )
