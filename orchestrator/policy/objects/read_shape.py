"""Whether what is read of workloads, Nodes, Services, ConfigMaps and webhooks has the shape that the API has."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from orchestrator.policy.objects.pod_templates import TEMPLATED, template_of

_CONTAINERS = ("containers", "initContainers")
_OF_MAPPINGS = ("ports", "env", "envFrom")
_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_OF_TEXTS = ("command", "args")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
WAYS = ("httpGet", "tcpSocket", "grpc")


def check_workload(obj: Mapping[str, Any]) -> None:
    """Of an object with pods. Raises TypeError that names the first part of another shape; what is absent or null is none.

    What is no workload for its kind and its template is not checked.
    """
    kind, place = str(obj["kind"]), "spec"
    if kind in TEMPLATED or kind in ("CronJob", "Pod"):
        holder = _mapping(obj, "spec", kind)
        for part in ("jobTemplate", "spec") if kind == "CronJob" else ():
            holder, place = _mapping(holder, part, place), f"{place}.{part}"
        if kind == "CronJob" and holder.get("template") is None:
            raise TypeError(f"{place}.template is missing")
        if kind != "Pod":
            _mapping(holder, "template", place)
    selector = _mapping(obj, "spec", kind).get("selector")
    if kind in TEMPLATED and isinstance(selector, Mapping):
        _mapping(selector, "matchLabels", "spec.selector")
    template = template_of(obj)
    if template is None:
        return
    outer, within = (kind, "") if template is obj else (f"{place}.template", f"{place}.template.")
    metadata = _mapping(template, "metadata", outer)
    for part in ("labels", "annotations"):
        _mapping(metadata, part, f"{within}metadata")
    _check_pod(_mapping(template, "spec", outer), f"{within}spec")


def _check_pod(spec: Mapping[str, Any], inner: str) -> None:
    for part in _CONTAINERS:
        for at, container in enumerate(_mappings(spec, part, inner)):
            place = f"{inner}.{part}[{at}]"
            for name in _OF_MAPPINGS:
                _mappings(container, name, place)
            for number, port in enumerate(container.get("ports") or []):
                _number(port, "containerPort", f"{place}.ports[{number}]")
            for probe in PROBES:
                for way in WAYS:
                    _mapping(_mapping(container, probe, place), way, f"{place}.{probe}")
            for name in _OF_TEXTS:
                _list(container, name, place)
    for at, volume in enumerate(_mappings(spec, "volumes", inner)):
        _mapping(volume, "configMap", f"{inner}.volumes[{at}]")
    _list(_mapping(spec, "dnsConfig", inner), "nameservers", f"{inner}.dnsConfig")


def worded(error: Exception) -> str:
    """What an error of reading says of the part that is wrong."""
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) and error.args else str(error)


def misread(obj: Mapping[str, Any]) -> str:
    """What an object that is no workload has of another shape; empty where nothing that is read has."""
    try:
        if obj["kind"] == "Node":
            for entry in _mappings(_mapping(obj, "status", "Node"), "addresses", "status"):
                if entry.get("type") in ("InternalIP", "ExternalIP"):
                    ipaddress.ip_address(str(entry.get("address")))
        elif obj["kind"] == "ConfigMap":
            for part in ("data", "binaryData"):
                _mapping(obj, part, "ConfigMap")
        elif obj["kind"] in _WEBHOOKS:
            for at, hook in enumerate(_mappings(obj, "webhooks", obj["kind"])):
                _mapping(_mapping(hook, "clientConfig", f"webhooks[{at}]"), "service", "clientConfig")
        elif obj["kind"] == "EndpointSlice":
            _check_slice(obj)
        elif obj["kind"] == "Service":
            spec = _mapping(obj, "spec", "Service")
            _texts(spec, "selector", "spec")
            for at, port in enumerate(_mappings(spec, "ports", "spec")):
                if port.get("port") is None:
                    raise TypeError(f"spec.ports[{at}].port is missing")
                _port(port, f"spec.ports[{at}]")
        elif obj["kind"] == "CiliumNode":
            for name in ("health", "ingress"):
                for key, address in _mapping(_mapping(obj, "spec", "CiliumNode"), name, "spec").items():
                    _address(address, f"spec.{name}.{key}")
        elif obj["kind"] == "APIService":
            _mapping(_mapping(obj, "spec", "APIService"), "service", "spec")
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


def _check_slice(obj: Mapping[str, Any]) -> None:
    for at, endpoint in enumerate(_mappings(obj, "endpoints", "EndpointSlice")):
        for number, address in enumerate(_list(endpoint, "addresses", f"endpoints[{at}]")):
            if obj.get("addressType") != "FQDN":
                _address(address, f"endpoints[{at}].addresses[{number}]")
    for at, port in enumerate(_mappings(obj, "ports", "EndpointSlice")):
        _port(port, f"ports[{at}]")


def _port(port: Mapping[str, Any], place: str) -> None:
    _number(port, "port", place)
    for name in ("protocol", "targetPort"):
        value = port.get(name) or ""
        if not isinstance(value, str) and not (isinstance(value, int) and 0 < value < 65536):
            raise TypeError(f"{place}.{name} must be a name or a port")


def _address(value: Any, place: str) -> None:
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise TypeError(f"{place} must be an address") from None


def _texts(holder: Mapping[str, Any], key: str, place: str) -> None:
    for name, value in _mapping(holder, key, place).items():
        if not isinstance(value, str):
            raise TypeError(f"{place}.{key}.{name} must be a string")


def _mappings(holder: Mapping[str, Any], key: str, place: str) -> list[Mapping[str, Any]]:
    found = _list(holder, key, place)
    for at, item in enumerate(found):
        if not isinstance(item, Mapping):
            raise TypeError(f"{place}.{key}[{at}] must be a mapping")
    return found


def _list(holder: Mapping[str, Any], key: str, place: str) -> list[Any]:
    found = holder.get(key)
    if found is not None and not isinstance(found, list):
        raise TypeError(f"{place}.{key} must be a list")
    return found or []


def _mapping(holder: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    found = holder.get(key)
    if found is not None and not isinstance(found, Mapping):
        raise TypeError(f"{place}.{key} must be a mapping")
    return found or {}


def _number(holder: Mapping[str, Any], key: str, place: str) -> None:
    found = holder.get(key)
    if found is not None and not str(found).isdigit():
        raise TypeError(f"{place}.{key} must be a number")
