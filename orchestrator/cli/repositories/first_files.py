"""The files that a repository of policies begins with: a PolicySource, a PolicyTest, stand-ins for what runs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from orchestrator.adapters.git.program import is_ssh
from orchestrator.cli.repositories.ci_files import CI_FILES, CI_TEXTS, POLICIES
from orchestrator.policy.workloads.fleet import WORKLOADS
from orchestrator.ports import Kind
from orchestrator.rollout.resources.model import API_VERSION

SOURCE = "policysource.yaml"
TEST = f"{POLICIES}/policytest.yaml"
STANDING_IN = f"{POLICIES}/{WORKLOADS}/all.yaml"
SCHEMAS = ".netpol-canary/schemas"
EXPORT = "kubectl get deploy,sts,ds,svc,ns -A -o yaml"
_WIDE = 4096
POLICY = Kind("networking.k8s.io/v1", "NetworkPolicy")
Labels = tuple[tuple[str, str], ...]
Needed = tuple[str, str, int]


@dataclass(frozen=True)
class Wanted:
    """What the files say: `url` is the repository's, `host` one of CI_FILES or none; namespaces by name, by labels, or both.

    `private` is a repository that nobody reads without a Secret; `kinds` are those of policies that were taken over, if any.
    `needed` are connections that workloads ask for, each a pair of `namespace/name` and a port.
    """

    name: str
    url: str
    namespaces: tuple[str, ...]
    labels: Labels
    canary: tuple[str, ...]
    host: str
    private: bool = False
    kinds: tuple[Kind, ...] = ()
    needed: tuple[Needed, ...] = ()

    @property
    def secret(self) -> str:
        """The name of the Secret that the source needs; empty where it needs none."""
        return f"{self.name}-git" if self.private or is_ssh(self.url) else ""


def files(wanted: Wanted) -> dict[str, str]:
    """Their texts by path, but for the schemas, which stand in SCHEMAS."""
    return {
        SOURCE: _source(wanted),
        TEST: _test(wanted),
        STANDING_IN: _standing_in(wanted),
        **({CI_FILES[wanted.host]: CI_TEXTS[wanted.host]} if wanted.host else {}),
    }


def _source(wanted: Wanted) -> str:
    name, owner = _flow(wanted.name), _owner(wanted.url)
    holds = "sshKey and knownHosts" if is_ssh(wanted.url) else "username and password, or with token"
    secret = f"secretRef: {_flow(f'{wanted.name}-git')}  # a Secret with {holds}"
    if not wanted.secret:
        secret = f"# {secret}, where nobody may read it without"
    return f"""\
# yaml-language-server: $schema={SCHEMAS}/policysource.json
# Where the policies come from, and how a change is rolled out. `kubectl apply -f {SOURCE}` hands it to the controller.
# What stands in comments is a choice that most sources make sooner or later.
apiVersion: {API_VERSION}
kind: PolicySource
metadata:
  name: {name}
  namespace: netpol-canary  # where netpol-canary runs
spec:
  git:
    url: {_flow(wanted.url)}
    branch: main
    path: {POLICIES}  # a folder for each namespace; what stands in _shared/ goes into all of them
    {secret}
  namespaces:
{"".join(_scope(wanted))}\
{_kinds(wanted)}\
  drift: report  # or repair, ignore: a difference between the cluster and Git
  strategy:
{_canary(wanted)}
    # steps: [{{count: 2}}, {{percent: 50}}]  # the waves after the first one; what remains comes last
    # gates: [{{wave: 1, approvals: 1, groups: [release-engineers]}}]  # who lets a wave go on
    # windows: [{{schedule: "0 9 * * mon-fri", durationSeconds: 28800, timeZone: Europe/Berlin}}]  # when waves may open
    analysis:
      intervalSeconds: 30  # between two checks
      count: 4  # checks of each wave
      onNoTraffic: probes  # where metrics show no traffic, real connections decide
      probing: {{edges: true}}  # each connection that a change opens or cuts is tried; `netpol-canary run` needs an image for it
      # What a commit cuts counts as meant unless something says otherwise: metrics, these probes, or the intents of PolicyTests.
{_probes(wanted)}\
      # prometheus: {{url: "http://prometheus.monitoring:9090"}}
      # metrics: [{{name: errors, kind: ratio, preset: istio}}]  # `netpol-canary metrics presets` lists others
  # notifications: [{{name: oncall, secretRef: oncall-url, events: [regression, rolledBack, failed]}}]
  # feedback: {{host: {wanted.host or "github"}, repository: {owner}, secretRef: {wanted.name}-feedback}}  # statuses and comments
"""


def _probes(wanted: Wanted) -> str:
    """What has to stay open, as it was found."""
    if not wanted.needed:
        return (
            "      # probes: [{name: web, source: NAMESPACE/web, destination: NAMESPACE/api, port: 8080}]\n"
        )
    lines = [
        "      probes:  # what workloads ask for by the names of Services; a wave that cuts one is rolled back\n"
    ]
    for number, (source, destination, port) in enumerate(wanted.needed):
        ends = {"source": source, "destination": destination, "port": port}
        lines.append(f"      - {_flow({'name': f'needed-{number}', **ends})}\n")
    return "".join(lines)


def _kinds(wanted: Wanted) -> str:
    """Which kinds it may write, where not NetworkPolicies alone, and what it does to objects that stand there already."""
    if not wanted.kinds:
        return "  conflicts: refuse  # or adopt, observe: an object that somebody else manages\n"
    refs = [{"apiVersion": k.api_version, "kind": k.kind} for k in wanted.kinds]
    kinds = "" if wanted.kinds == (POLICY,) else f"  kinds: {_flow(refs)}\n"
    return f"{kinds}  conflicts: adopt  # what stood there is the source's from its first rollout on; refuse suits after that\n"


def _owner(url: str) -> str:
    """`owner/name` of a repository, as its URL has it; these words where it has none."""
    found = re.search(r"(?://[^/]+/|^[^/:]+:)([\w.-]+(?:/[\w.-]+?)+)(?:\.git)?/?$", url)
    return found[1] if found else "owner/name"


def _scope(wanted: Wanted) -> Iterator[str]:
    if wanted.namespaces:
        yield f"    names: {_flow(list(wanted.namespaces))}\n"
    if wanted.labels:
        yield f"    matchLabels: {_flow([{'key': k, 'value': v} for k, v in wanted.labels])}\n"


def _canary(wanted: Wanted) -> str:
    said = "the first wave; without it, the first namespace by name"
    if wanted.canary:
        return f"    canary: {_flow(list(wanted.canary))}  # {said}"
    return f"    # canary: [staging]  # {said}"


def _test(wanted: Wanted) -> str:
    return f"""\
# yaml-language-server: $schema=../{SCHEMAS}/policytest.json
# What must hold, whatever the policies say. `netpol-canary test {POLICIES}` checks it, so does `check` in a pull request, and
# a rollout that would break it is refused before anything is written.
apiVersion: {API_VERSION}
kind: PolicyTest
metadata:
  name: {_flow(wanted.name)}
spec:
  intents:
{"".join(_names_resolve(*ends) for ends in _ends(wanted))}\
  # - name: web reaches the database
  #   expect: reach
  #   from: {{workload: shop/web}}
  #   to: {{namespace: shop, labels: {{app: db}}}}
  #   ports: [{{port: 5432}}]
  # only:
  # - name: only web reaches the database
  #   to: {{namespace: shop, labels: {{app: db}}}}
  #   onlyFrom: [{{workload: shop/web}}]
  # internet:
  # - name: only the entrance is open to the internet
  #   onlyTo: [{{namespace: ingress-nginx}}]
"""


def _ends(wanted: Wanted) -> Iterator[tuple[str, dict[str, Any]]]:
    """The namespaces in words, and as a PolicyTest selects their workloads."""
    for name in wanted.namespaces:
        yield name, {"namespace": name}
    if wanted.labels:
        yield ", ".join(f"{k}={v}" for k, v in wanted.labels), {"namespaceLabels": dict(wanted.labels)}


def _names_resolve(whose: str, ends: dict[str, Any]) -> str:
    return f"""\
  - name: {_flow(f"names resolve in {whose}")}
    expect: reach  # or blocked
    from: {_flow(ends)}
    to: {{namespace: kube-system, labels: {{k8s-app: kube-dns}}}}  # the cluster's DNS
    ports: [{{port: 53, protocol: UDP}}, {{port: 53}}]
    reason: without DNS nothing works that is called by name
"""


def _standing_in(wanted: Wanted) -> str:
    labels = dict(wanted.labels)
    spaces = dict.fromkeys((*wanted.namespaces, *wanted.canary), labels) or {"example": labels}
    objects = [o for name, labels in spaces.items() for o in _space(name, labels, "web", {"app": "web"})]
    objects += _space("kube-system", {}, "coredns", {"k8s-app": "kube-dns"})
    return f"""\
# Stand-ins for what runs, so that commands without a cluster have something to answer from. Nothing here is applied. Put
# the cluster's own in their place: {EXPORT} > {STANDING_IN}
{yaml.safe_dump_all(objects, sort_keys=False, width=_WIDE)}"""


def _space(space: str, labels: dict[str, str], name: str, pod: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A namespace and its one workload."""
    meta = {"name": space, **({"labels": dict(labels)} if labels else {})}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    template = {"metadata": {"labels": dict(pod)}, "spec": {"containers": [{"name": name, "image": name}]}}
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": space},
        "spec": {"selector": {"matchLabels": dict(pod)}, "template": template},
    }


def _flow(value: Any) -> str:
    """A value on one line of YAML, in quotes where it would be read as something else."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=_WIDE)
    return text.removesuffix("...\n").strip()
