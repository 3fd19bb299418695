"""Policies generated from a text of manifests, and what is told beside them."""

import json
from dataclasses import dataclass

from written import plain

from orchestrator.policy.author.generator import File, generate, problems
from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.definitions.wanted import needs
from orchestrator.policy.evaluate.cni_profiles import profile
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.workloads.fleet import Fleet, fleet


@dataclass(frozen=True)
class Made:
    """The files by path, everything that was told, and the fleet with the policies in it."""

    files: dict[str, str]
    told: str
    whole: Fleet

    def open(self, src, dst, port, protocol="TCP", cni="calico"):
        """Whether a workload or an address reaches another one under a CNI."""
        net = self.whole.network(profile(cni))
        one, other = (e if ":" in e or e[:1].isdigit() else self.whole.find(e)[0].pod for e in (src, dst))
        return net.allowed(one, other, protocol, port)


def made(text: str, platform: Platform | None = None) -> Made:
    """What `generate` makes of manifests."""
    platform = platform or Platform()
    found = parse(text.encode(), "app.yaml")
    alone = fleet(found)
    needed, notes = needs(found, alone, platform)
    files: list[File] = generate(alone, needed, platform)
    policies = [d for f in files for d in parse(f.text.encode(), f.path)]
    told = [*alone.skipped, *notes, *problems(alone, needed, platform)]
    return Made({f.path: f.text for f in files}, "\n".join(told), fleet([*found, *policies]))


def workload(name, space="shop", kind="Deployment", labels=None, env=None, ports=(), **spec):
    """The YAML of a workload, as a text that can be joined to others by `---`."""
    labels = labels or {"app": name}
    variables = [{"name": k, "value": v} for k, v in (env or {}).items()]
    container = {"name": "c", "image": "i", "env": variables, "ports": [{"containerPort": p} for p in ports]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}}
    body = {"selector": {"matchLabels": labels}, "template": template}
    return f"---\n{json.dumps(plain(kind, f'{space}/{name}', body))}\n"


def service(name, port, space="shop", target=None, **spec):
    """The YAML of a Service for the workload of its name."""
    entry = {"port": port, "targetPort": target or port}
    body = {"selector": {"app": name}, "ports": [entry], **spec}
    return f"---\n{json.dumps(plain('Service', f'{space}/{name}', body))}\n"
