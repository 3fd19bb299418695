"""Whether what is read of pods, Nodes, ConfigMaps and webhooks has the shape that the API has."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

_CONTAINERS = ("containers", "initContainers")
_OF_MAPPINGS = ("ports", "env", "envFrom")
_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_OF_TEXTS = ("command", "args")


def check(spec: Mapping[str, Any]) -> None:
    """Of a pod's spec. Raises TypeError that names the first part of another shape; what is absent or null is none."""
    for part in _CONTAINERS:
        for at, container in enumerate(_mappings(spec, part, "spec")):
            place = f"spec.{part}[{at}]"
            for name in _OF_MAPPINGS:
                _mappings(container, name, place)
            for name in _OF_TEXTS:
                _list(container, name, place)
    for at, volume in enumerate(_mappings(spec, "volumes", "spec")):
        _mapping(volume, "configMap", f"spec.volumes[{at}]")
    _list(_mapping(spec, "dnsConfig", "spec"), "nameservers", "spec.dnsConfig")


def misread(obj: Mapping[str, Any]) -> str:
    """What an object that is no workload has of another shape; empty where nothing that is read has."""
    try:
        if obj["kind"] == "Node":
            for entry in _mappings(_mapping(obj, "status", "Node"), "addresses", "status"):
                if entry.get("type") in ("InternalIP", "ExternalIP"):
                    ipaddress.ip_address(str(entry.get("address")))
        elif obj["kind"] == "ConfigMap":
            _mapping(obj, "data", "ConfigMap")
        elif obj["kind"] in _WEBHOOKS:
            for at, hook in enumerate(_mappings(obj, "webhooks", obj["kind"])):
                _mapping(_mapping(hook, "clientConfig", f"webhooks[{at}]"), "service", "clientConfig")
        elif obj["kind"] == "APIService":
            _mapping(_mapping(obj, "spec", "APIService"), "service", "spec")
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


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
