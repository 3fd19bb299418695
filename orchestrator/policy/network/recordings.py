"""Recorded connections as JSON lines, Hubble's export or a plain form, and which of them policies would cut."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.objects import port_sets
from orchestrator.policy.objects.pod import End, Pod
from orchestrator.policy.objects.port_sets import PROTOCOLS
from orchestrator.policy.workloads.citing import located
from orchestrator.policy.workloads.fleet import Fleet

MOST_KINDS = 200_000
PLAIN = '{"src": "shop/web", "dst": "shop/db", "port": 5432, "protocol": "TCP"}'


@dataclass(frozen=True)
class Flow:
    """One kind of connection; an end is `namespace/pod` or an address, `count` how often it was seen."""

    src: str
    dst: str
    protocol: str
    port: int
    count: int = 1


@dataclass(frozen=True)
class Cut:
    """A recorded connection that is not allowed, and the rules that keep it out."""

    flow: Flow
    because: tuple[str, ...]


@dataclass(frozen=True)
class Replay:
    """`unknown` are flows with an end that is no workload here and no address; `standing` are cut before a change, too."""

    allowed: int
    cut: tuple[Cut, ...]
    unknown: tuple[Flow, ...]
    standing: tuple[Cut, ...] = ()

    def since(self, before: Replay) -> Replay:
        """With what is cut anew alone among `cut`."""
        known = {c.flow for c in before.cut}
        return replace(
            self,
            cut=tuple(c for c in self.cut if c.flow not in known),
            standing=tuple(c for c in self.cut if c.flow in known),
        )


def read(lines: Iterable[str], where: str) -> list[Flow]:
    """The flows of JSON lines, most frequent first. Raises BadInput with the line."""
    seen: Counter[tuple[str, str, str, int]] = Counter()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            found = _hubble(data.get("flow", data)) if _is_hubble(data) else _plain(data)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            text = f"this is no recorded flow{_why(error)}"
            raise BadInput(text, f"{where}:{number}", f"such as {PLAIN}") from None
        if found is not None:
            seen[found[:4]] += found[4]
        if len(seen) > MOST_KINDS:
            raise BadInput(f"more than {MOST_KINDS} kinds of connections", f"{where}:{number}", "give fewer")
    ordered = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return [Flow(*key, count) for key, count in ordered]


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return ", but broken JSON"
    return f": {error.args[0]} is missing" if isinstance(error, KeyError) else ""


def _is_hubble(data: Mapping[str, Any]) -> bool:
    return "flow" in data or "l4" in data or "node_name" in data or "lost_events" in data


def _plain(data: Mapping[str, Any]) -> tuple[str, str, str, int, int]:
    protocol, port, count = (
        str(data.get("protocol", "TCP")).upper(),
        int(data["port"]),
        int(data.get("count", 1)),
    )
    if protocol not in PROTOCOLS or not 1 <= port <= 65535 or count < 1:
        raise ValueError(protocol)
    return str(data["src"]), str(data["dst"]), protocol, port, count


def _hubble(flow: Mapping[str, Any]) -> tuple[str, str, str, int, int] | None:
    """None for what is no new, forwarded connection: replies, drops, events without a transport."""
    if flow.get("is_reply") or flow.get("verdict") not in ("FORWARDED", None):
        return None
    for protocol, body in (flow.get("l4") or {}).items():
        if protocol in PROTOCOLS and 1 <= int(body.get("destination_port", 0)) <= 65535:
            ends = [_hubble_end(flow, side) for side in ("source", "destination")]
            return ends[0], ends[1], protocol, int(body["destination_port"]), 1
    return None


def _hubble_end(flow: Mapping[str, Any], side: str) -> str:
    end = flow.get(side) or {}
    space = end.get("namespace")
    if not space:
        return str((flow.get("IP") or {})[side])
    workloads = end.get("workloads") or []
    return f"{space}/{workloads[0]['name'] if workloads else end['pod_name']}"


class Ends:
    """Workloads by the names that records give: the workload's, or one of its pods'."""

    def __init__(self, fleet: Fleet) -> None:
        self._known: dict[str, Pod] = {f"{w.pod.namespace}/{w.pod.name}": w.pod for w in fleet.workloads}
        self._found: dict[str, End | None] = {}

    def find(self, text: str) -> End | None:
        """A pod or an address; None where it is neither."""
        if text not in self._found:
            self._found[text] = self._look(text)
        return self._found[text]

    def _look(self, text: str) -> End | None:
        with suppress(ValueError):
            return str(ipaddress.ip_address(text))
        name = text
        while name not in self._known and "-" in name.rpartition("/")[2]:
            name = name.rpartition("-")[0]
        return self._known.get(name)


def unknown(fleet: Fleet, flows: Iterable[Flow]) -> list[Flow]:
    """The flows with an end that is no workload here and no address: of pods that are gone, or that were never here."""
    ends = Ends(fleet)
    return [f for f in flows if ends.find(f.src) is None or ends.find(f.dst) is None]


def travelled(fleet: Fleet, flows: Iterable[Flow]) -> dict[tuple[str, str], int]:
    """The ports on which recorded connections went, as in ports.py, by the names of both workloads.

    The first name is empty for what came from an address.
    """
    ends, found = Ends(fleet), dict[tuple[str, str], int]()
    names = {(w.pod.namespace, w.pod.name): w.name for w in fleet.workloads}
    for flow in flows:
        src, dst = ends.find(flow.src), ends.find(flow.dst)
        if isinstance(dst, Pod) and src is not None:
            first = names[src.namespace, src.name] if isinstance(src, Pod) else ""
            key = (first, names[dst.namespace, dst.name])
            found[key] = found.get(key, port_sets.NONE) | port_sets.span(flow.protocol, flow.port, flow.port)
    return found


def replay(fleet: Fleet, flows: Iterable[Flow], settled: Mapping[str, bool] | None = None) -> Replay:
    """Ask for each recorded connection whether the policies allow it; "depends" counts as allowed."""
    net, ends = fleet.network(settled), Ends(fleet)
    allowed, cut, unknown = 0, [], []
    for flow in flows:
        src, dst = ends.find(flow.src), ends.find(flow.dst)
        if src is None or dst is None:
            unknown.append(flow)
            continue
        because = _against(fleet, net, flow, src, dst)
        if because is None:
            allowed += 1
        else:
            cut.append(Cut(flow, because))
    return Replay(allowed, tuple(cut), tuple(unknown))


def _against(fleet: Fleet, net: Network, flow: Flow, src: End, dst: End) -> tuple[str, ...] | None:
    decision = net.decide(src, dst, flow.protocol, flow.port)
    if decision.allowed is not False:
        return None
    return tuple(f"{w.side}: {located(fleet, r)}" for w in decision.why if not w.allowed for r in w.rules[:3])
