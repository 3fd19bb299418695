"""Every text of a pod that may say an address, and where it stands."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.policy.definitions.texts.config_data import ConfigMaps
from orchestrator.policy.definitions.texts.unread_config import config_maps, mounted
from orchestrator.policy.files.field_places import Places
from orchestrator.policy.objects.pod_templates import containers

# `python3 -u -m http.server`, by a program or by an image of that name; what stands behind `-m` is a module.
_MODULE = re.compile(
    r"(?:^|[\s/])(?:python|pypy)[\d.]*(?:[:@]\S+)?(?:\s+-(?:[WX]\s+)?\S+){0,6}?\s+-[A-Za-z]*m$"
)
_MOST_BEFORE = 9  # parts between a program and its module
_VARIABLE = re.compile(r"\$\(([A-Za-z_][\w.-]{0,252})\)")


@dataclass(frozen=True)
class Text:
    """A key that may tell that it is an address, the text, and what says it.

    `container` is that of a variable, `held` the ConfigMap and its key where one holds the text.
    """

    key: str
    text: str
    origin: str
    container: str | None = None
    held: tuple[tuple[str, str], str] | None = None

    def stands(self, where: str, subject: str, places: Places, maps: ConfigMaps) -> str:
        """`file:line` of the variable or of the ConfigMap's key, else `where` the object of the pods stands."""
        if self.held is not None:
            return maps.stands(*self.held)
        return (
            places.variable(where, subject, self.key, self.container) if self.container is not None else where
        )


def texts(spec: Mapping[str, Any], space: str, maps: ConfigMaps) -> Iterator[Text]:
    """The variables and arguments of a pod's containers, and what its ConfigMaps hold."""
    for container in containers(spec):
        given: dict[str, str] = {}
        for one in _variables(container, space, maps):
            given[one.key] = _expanded(one.text, given)
            yield replace(one, text=given[one.key])
        for key, text in _arguments(container, given):
            yield Text(key, text, "an argument")
            asked = (text.partition("/")[0], text.partition("/")[2])
            if key.lower().endswith("configmap"):  # of ingress-nginx, for TCP and UDP
                yield from _held(asked, maps.data(asked), f"ConfigMap {text}")
    files = set(mounted(spec))
    for name in config_maps(spec):
        read = maps.files if name in files else maps.data
        yield from _held((space, name), read((space, name)), f"ConfigMap {name}")


def _held(key: tuple[str, str], entries: Mapping[str, Any], origin: str) -> Iterator[Text]:
    for entry, text in entries.items():
        yield Text(str(entry), str(text), origin, held=(key, str(entry)))


def _arguments(container: Mapping[str, Any], given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """`--db-host=db`, `--db-host db`, and whole texts; what stands alone is its own key."""
    command = container.get("command") or []
    parts = [_expanded(str(part), given) for part in (*command, *(container.get("args") or []))]
    program = [] if command else [str(container.get("image") or "")]
    before = ""
    for number, text in enumerate(parts):
        if not _is_module([*program, *parts[:number]]):
            key, _, value = text.partition("=")
            yield key, value or key
            if before.startswith("-") and "=" not in before and not text.startswith("-"):
                yield "--host" if before == "-h" else before, text
        before = text


def _is_module(before: Sequence[str]) -> bool:
    """Whether what stands behind these parts is the module of `python -m`."""
    if not before or not before[-1].endswith("m"):
        return False
    return _MODULE.search(" ".join(before[-_MOST_BEFORE:])) is not None


def _variables(container: Mapping[str, Any], space: str, maps: ConfigMaps) -> Iterator[Text]:
    own = str(container.get("name") or "")
    for entry in container.get("env") or []:
        name = str(entry["name"])
        if entry.get("value") is not None:
            yield Text(name, str(entry["value"]), f"env {name}", container=own)
        reference = (entry.get("valueFrom") or {}).get("configMapKeyRef") or {}
        map_name, key = str(reference.get("name", "")), str(reference.get("key"))
        data = maps.data((space, map_name))
        if key in data:
            yield Text(name, str(data[key]), f"ConfigMap {map_name}", held=((space, map_name), key))


def _expanded(text: str, given: Mapping[str, str]) -> str:
    """With `$(NAME)` as the kubelet writes it out; one that is not known stays, and the result has a bound."""
    return _VARIABLE.sub(lambda m: given.get(m[1], m[0])[:1024], text) if "$(" in text else text
