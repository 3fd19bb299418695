"""What texts say of hosts, with the keys and values within them, each text read once a namespace."""

import re
from collections.abc import Collection, Iterable, Mapping

from orchestrator.policy.definitions.texts.host_names import Named, meant_elsewhere
from orchestrator.policy.definitions.texts.said_hosts import Target, called
from orchestrator.policy.definitions.texts.said_pairs import groups
from orchestrator.policy.files.nearest import nearest

_PORT = re.compile(r"[0-9]{1,5}")
_PORT_NAME = re.compile(r"PORT$", re.I)
_PORT_KEY = re.compile(r"(HOST|HOSTNAME|ADDR|ADDRESS|SERVER)$", re.I)


class Said:
    """What texts say, each read once a namespace, however many workloads have it."""

    def __init__(self, services: Named, spaces: Collection[str]) -> None:
        self.services, self._spaces = services, spaces
        self._hints: dict[str, str] = {}
        self._known: dict[tuple[str, str, str, int | None], list[Target]] = {}

    def targets(self, key: str, text: str, space: str, port: int | None) -> list[Target]:
        """Of a text and of the keys and values within it."""
        asked = (space, key, text, port)
        if asked not in self._known:
            found = list(called(key, text, space, self.services, self._spaces, port))
            for group in groups(text):
                ports = ports_of(group)
                alone = next(iter(ports.values())) if len(ports) == 1 else None
                for name, value in group:
                    own = beside(name, ports) or alone
                    found += called(name, value, space, self.services, self._spaces, own)
            self._known[asked] = list({target_key(one): one for one in found}.values())
        return self._known[asked]

    def hint(self, host: str) -> str:
        """The Services whose names are spelt like a host that none has."""
        if host not in self._hints:
            known = [n if "." not in host else f"{n}.{s}" for s, n in self.services]
            near = meant_elsewhere(host, self.services) or nearest(host.partition(".svc")[0], known)
            self._hints[host] = f" (did you mean {' or '.join(near[:2])}?)" if near else ""
        return self._hints[host]


def ports_of(entries: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The numbers of keys such as DB_PORT."""
    return {
        key.upper(): int(text)
        for key, text in entries
        if _PORT_NAME.search(key) and _PORT.fullmatch(text) and 1 <= int(text) <= 65535
    }


def beside(key: str, ports: Mapping[str, int]) -> int | None:
    """The port that DB_PORT says for DB_HOST."""
    return ports.get(_PORT_KEY.sub("PORT", key).upper())


def target_key(found: Target) -> object:
    """What two targets have in common that are one."""
    target, port = found
    return (target if isinstance(target, str) else (target.namespace, target.name), port)
