"""The workloads, namespaces and policies of a set of manifests, as the evaluator takes them."""

import ipaddress
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, combinations
from typing import Any

from orchestrator.errors import BadInput
from orchestrator.policy.evaluate.cilium.cilium_agent import agent_among
from orchestrator.policy.evaluate.cni_profiles import GENERIC
from orchestrator.policy.evaluate.evaluator import Network
from orchestrator.policy.evaluate.orders import group_among
from orchestrator.policy.evaluate.pod_index import PodIndex
from orchestrator.policy.files.doubles import Copy, Doubles, copies, title
from orchestrator.policy.files.field_places import Places
from orchestrator.policy.files.manifest import Document, Unlisted, space_of
from orchestrator.policy.files.nearest import did_you_mean, no_address
from orchestrator.policy.files.unread import meaning
from orchestrator.policy.objects import read_shape
from orchestrator.policy.objects.owners import TEMPLATE_HASH as TEMPLATE_HASH
from orchestrator.policy.objects.owners import alike
from orchestrator.policy.objects.owners import owner_of as owner_of
from orchestrator.policy.objects.pod import NamedPort, Pod
from orchestrator.policy.objects.pod_templates import TEMPLATED as TEMPLATED
from orchestrator.policy.objects.pod_templates import (
    containers,
    labels_of,
    referred,
    selector_of,
    template_of,
    with_template,
)
from orchestrator.policy.objects.selector import NAME_LABEL
from orchestrator.policy.schemas.acceptable import refusal
from orchestrator.policy.schemas.calico_schema import missing_tier
from orchestrator.policy.schemas.policy_kinds import (
    AGENT,
    CALICO,
    REFERRED,
    TIERED,
    PolicyKind,
    checker,
    group_of,
    is_policy,
    namespaced,
    policy_kind,
)
from orchestrator.policy.schemas.schema import problems
from orchestrator.policy.workloads.enforced import Enforcement, named, own_name
from orchestrator.policy.workloads.node_labels import node_labels
from orchestrator.policy.workloads.obscured import Obscured
from orchestrator.policy.workloads.replicas import Key, several

MOST_WORKLOADS = 20_000
WORKLOADS = (
    "_workloads"  # the folder of a source with what runs beside its policies: read, and applied nowhere
)
SHARED = "_shared"  # the folder of a source whose policies go into every namespace; none can have this name


@dataclass(frozen=True)
class Workload:
    """Pods that answer alike; `kind` is that of their owner, or Pod.

    `account` is the ServiceAccount whose token they hold, empty where they hold none; `probed` are the ports, by number
    or name, that the kubelet probes; `selector` are the labels by which the owner finds its pods, where it says them;
    `obj` is the manifest.
    """

    kind: str
    pod: Pod
    account: str = field(default="", compare=False)
    probed: tuple[int | str, ...] = field(default=(), compare=False)
    selector: Mapping[str, str] = field(default_factory=dict, compare=False)
    obj: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def name(self) -> str:
        """`namespace/name[Kind]`."""
        return f"{self.pod.namespace}/{self.pod.name}[{self.kind}]"


@dataclass(frozen=True)
class Fleet:
    """`lines` says at which `file:line` a policy or a workload stands, `skipped` what was not read, and what that may mean.

    `invalid` are policies that the API server would refuse, and why; only where they were asked to be kept.
    `unlisted` stand for the kinds of objects that a cluster does not show.
    `malformed` are other objects of which nothing is known for their shape, and what is wrong; each hides itself alone.
    `further` are the policies of other kinds than NetworkPolicy. `beside` are the objects that are neither policies nor workloads, such as Namespaces and Services.
    `cni` is the profile by which that is decided: `unenforced` are policies of any kind that count for nothing under it, and why;
    `unheeded` is what `skipped` says of that.
    `asked_as` is the API group of the CNI that asks them all, where none of them tells.
    `aside` are workloads and Namespaces of which another one of the name stands before: the second ones, the third ones.
    """

    workloads: tuple[Workload, ...]
    namespaces: Mapping[str, Mapping[str, str]]
    policies: tuple[dict[str, Any], ...]
    further: tuple[dict[str, Any], ...] = ()
    lines: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    invalid: tuple[tuple[dict[str, Any], str], ...] = ()
    beside: tuple[Document, ...] = ()
    malformed: tuple[tuple[Document, str], ...] = ()
    unlisted: tuple[Unlisted, ...] = ()
    texts: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict, compare=False, repr=False)
    aside: Mapping[int, tuple[Workload | Document, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )
    asked_as: str = ""
    cni: str = GENERIC
    unenforced: tuple[tuple[dict[str, Any], str], ...] = ()
    unheeded: tuple[str, ...] = ()

    @cached_property
    def obscured(self) -> Obscured:
        """What of it is not known."""
        return Obscured(self.malformed, self.invalid, self.policies, self.further)

    @cached_property
    def places(self) -> Places:
        """What stands where in the files, `texts` by their name for people: several of one that was read at two revisions."""
        return Places(self.texts, read=True)

    @cached_property
    def copies(self) -> Mapping[str, Mapping[str, Copy]]:
        """The policies by name, and by title where several have it."""
        return copies((*self.policies, *self.further), self.lines)

    @cached_property
    def _spaces(self) -> Mapping[str, list[Pod]]:
        return {name: [w.pod for w in found] for name, found in self._placed.items()}

    def within(self, namespace: str) -> list[Pod]:
        """The pods of a namespace."""
        return self._spaces.get(namespace, [])

    @cached_property
    def _placed(self) -> Mapping[str, list[Workload]]:
        found: dict[str, list[Workload]] = {}
        for workload in self.workloads:
            found.setdefault(workload.pod.namespace, []).append(workload)
        return found

    def within_workloads(self, namespace: str) -> list[Workload]:
        """The workloads of a namespace."""
        return self._placed.get(namespace, [])

    @cached_property
    def ruled(self) -> Mapping[str, list[dict[str, Any]]]:
        """The NetworkPolicies by their namespace."""
        found: dict[str, list[dict[str, Any]]] = {}
        for policy in self.policies:
            found.setdefault(policy["metadata"]["namespace"], []).append(policy)
        return found

    @cached_property
    def index(self) -> PodIndex:
        """The pods of all workloads by their labels, in that order."""
        return PodIndex([w.pod for w in self.workloads], self.namespaces)

    @cached_property
    def nodes(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of the Nodes that are known, by their addresses."""
        return node_labels(self.beside)

    @property
    def order(self) -> str:
        """The API group of the CNI whose order of policies holds; empty for that of Kubernetes."""
        return self.asked_as or group_among(self.of_cni)

    @cached_property
    def of_cni(self) -> tuple[dict[str, Any], ...]:
        """The policies that a CNI alone has."""
        return tuple(p for p in self.further if not _tiered(p))

    @cached_property
    def of_cluster(self) -> tuple[dict[str, Any], ...]:
        """The policies of Kubernetes' own APIs for the whole cluster."""
        return tuple(p for p in self.further if _tiered(p))

    @cached_property
    def referred(self) -> tuple[Mapping[str, Any], ...]:
        """The objects that policies of further kinds refer to, such as sets of addresses, and the options of Cilium's agent."""
        groups = {group_of(str(p["apiVersion"])) for p in self.further}
        wanted = {k.kind: k.only for k in (AGENT, *(k for g in groups for k in REFERRED.get(g, ())))}
        objects = (d.obj for d in self.beside if d.obj["kind"] in wanted)
        return tuple(o for o in objects if wanted[o["kind"]] in (None, (space_of(o), o["metadata"]["name"])))

    @cached_property
    def node_addresses(self) -> Collection[str]:
        """The addresses of nodes, as pods on them have it or the Nodes themselves."""
        pods = (w.pod for w in self.workloads)
        return self.nodes.keys() | {a for p in pods for a in (p.node_ip, *p.other_node_ips) if a}

    def network(self, settled: Mapping[str, bool] | None = None) -> Network:
        """The evaluator over this fleet, under a CNI profile."""
        key = frozenset((settled or {}).items())
        if key not in self._networks:
            self._networks[key] = Network(
                self.namespaces,
                self.policies,
                self.of_cluster,
                settled,
                self.nodes or None,
                [*self.of_cni, *self.referred],
                group=self.order,
            )
        return self._networks[key]

    @cached_property
    def _networks(self) -> dict[frozenset[tuple[str, bool]], Network]:
        """Those that were asked for, by their profile's answers."""
        return {}

    def under(self, cni: str) -> "Fleet":
        """As a CNI has it: policies that it does not enforce count for nothing, and are named."""
        left = [p for p, _ in self.unenforced]
        policies = (*self.policies, *(p for p in left if policy_kind(p) is None))
        further = (*self.further, *(p for p in left if policy_kind(p) is not None))
        enforcement = Enforcement(cni, further, agent_among(self.referred))
        out = enforcement.unenforced((*policies, *further))
        gone = {id(p) for p, _ in out}
        kept = tuple(p for p in further if id(p) not in gone)
        unheeded = (*named(out), *enforcement.unsure(kept))
        own = (what for what in self.skipped if what not in self.unheeded)
        return replace(
            self,
            policies=tuple(p for p in policies if id(p) not in gone),
            further=kept,
            skipped=(*own, *unheeded),
            cni=cni,
            unenforced=tuple(out),
            unheeded=unheeded,
        )

    @cached_property
    def doubted(self) -> list[tuple[tuple[str, ...], "Fleet"]]:
        """As it is if its CNI does not enforce some kinds of which that is not sure; each with what is asked about it, fewer first."""
        enforcement = Enforcement(self.cni, self.further, agent_among(self.referred))
        doubts = enforcement.doubts(self.further)
        found = []
        for some in chain.from_iterable(combinations(doubts, n + 1) for n in range(len(doubts))):
            gone = {kind for depends in some for kind in doubts[depends]}
            kept = tuple(p for p in self.further if (group_of(p["apiVersion"]), p["kind"]) not in gone)
            asked = tuple(
                f"{enforcement.whether(doubts[depends])}, which depends on {depends}" for depends in some
            )
            found.append((asked, replace(self, further=kept)))
        return found

    def refuse_hidden(self, name: str) -> None:
        """Raise BadInput where the name is that of an object which is left out for its shape."""
        for document, wrong in self.malformed:
            meta = document.obj["metadata"]
            alone = "" if name in self._placed else meta.get("namespace")
            if name in (own_name(document.obj), meta["name"], alone):
                who = own_name(document.obj) if name == alone else name
                raise BadInput(f"{who} cannot be read: {wrong}", document.where, cited=document.cited(wrong))

    def refuse_space(self, namespace: str) -> None:
        """Raise BadInput where the labels of a namespace are not known: selectors of it have no answer."""
        for document, wrong in self.malformed:
            if document.obj["kind"] == "Namespace" and document.obj["metadata"]["name"] == namespace:
                text = f"the labels of namespace {namespace} cannot be read: {wrong}"
                fix = "correct them: rules may select it by them"
                raise BadInput(text, document.where, fix, document.cited(wrong))

    def find(self, name: str) -> list[Workload]:
        """`namespace/name`, or a name that stands in one namespace only. Raises BadInput."""
        space, _, short = name.rpartition("/")
        found = [w for w in self.workloads if w.pod.name == short and space in ("", w.pod.namespace)]
        if not found:
            self.refuse_hidden(name)
            if no_address(name):
                raise BadInput(f"{name} is no IP address", hint="correct it, or give namespace/name")
            known = [f"{w.pod.namespace}/{w.pod.name}" for w in self.workloads]
            if name in self._placed:
                some = [n for n in known if n.startswith(f"{name}/")][:3]
                raise BadInput(
                    f"{name} is a namespace", hint=f"name a workload of it, such as {' or '.join(some)}"
                )
            hint = did_you_mean(name, known, "give namespace/name, or an address")
            raise BadInput(f"there is no workload {name}", hint=hint)
        for workload in found:
            self.refuse_space(workload.pod.namespace)
        if len({w.pod.namespace for w in found}) > 1:
            raise BadInput(f"{name} stands in several namespaces", hint="give namespace/name")
        return found


def fleet(documents: Iterable[Document], keep_invalid: bool = False, live: bool = False) -> Fleet:
    """Read manifests. Raises BadInput with file and line; for what is not valid, unless that is kept apart.

    `live`: they stand in a cluster, whose API server may take cluster-wide policies of another version of their API, and refuses
    less than the API's text: one of those that is not valid here is kept apart.
    """
    malformed: list[tuple[Document, str]] = []
    invalid: list[tuple[dict[str, Any], str]] = []
    workloads: dict[tuple[str, str, str, tuple[tuple[str, str], ...]], Workload] = {}
    namespaces: dict[str, dict[str, str]] = {}
    policies: list[dict[str, Any]] = []
    further: list[dict[str, Any]] = []
    lines: dict[str, str] = {}
    skipped: Counter[str] = Counter()
    beside: list[Document] = []
    aside: dict[int, list[Workload | Document]] = {}
    doubles = Doubles()
    alike: dict[tuple[str, str, int], Workload] = {}
    given = list(documents)
    closed = tuple(d for d in given if isinstance(d, Unlisted))
    read = placed(d for d in given if not isinstance(d, Unlisted))
    known = referred(d.obj for d in read)
    for document in read:
        obj, where = document.obj, document.where
        kind, version = obj["kind"], obj["apiVersion"]
        try:
            if document.wrong:
                raise TypeError(document.wrong)
            if kind == "Namespace":
                name = obj["metadata"]["name"]
                if (number := doubles.add(document)) > 1:
                    aside.setdefault(number, []).append(document)
                    continue
                namespaces[name] = dict(obj["metadata"].get("labels") or {})
                beside.append(document)
            elif kind == "NetworkPolicy" and version == "networking.k8s.io/v1":
                obj, wrong = _placed(obj)
                if wrong and not keep_invalid:
                    raise refusal(document, wrong[0])
                obj = doubles.numbered(obj, document, not wrong)
                policies += [] if wrong else [obj]
                invalid += [(obj, text) for text in wrong]
                lines[title(obj)] = where
            elif (other := policy_kind(obj)) is not None:
                wrong = other.problems(obj)
                if wrong and (keep_invalid or live):
                    malformed += [(document, text) for text in wrong]
                    continue
                if wrong:
                    raise refusal(document, wrong[0])
                further.append(doubles.numbered(_at_home(other, obj), document))
                lines[title(further[-1])] = where
            elif (found := _known(with_template(obj, known), alike)) is not None:
                pod = found.pod
                if (number := doubles.add(document, pod.namespace)) > 1:
                    aside.setdefault(number, []).append(found)
                    continue
                lines.setdefault(found.name, where)
                workloads.setdefault(
                    (pod.namespace, pod.name, found.kind, tuple(sorted(pod.labels.items()))), found
                )
            elif wrong_part := read_shape.misread(obj):
                text = f"{kind} is not of the shape that the API has ({wrong_part})"
                malformed.append((document, text))
            elif (check := checker(obj)) is not None and (wrong := check(obj)):
                if not (keep_invalid or live):
                    raise refusal(document, wrong[0])
                malformed += [(document, text) for text in wrong]
            else:
                beside.append(document)
                if kind == "Service":
                    doubles.add(document, space_of(obj))
                if what := meaning(obj):
                    skipped[f"{kind} ({version}): {what}"] += 1
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            wrong_part = read_shape.worded(error)
            text = f"{kind} is not of the shape that the API has ({wrong_part})"
            if kind.endswith("NetworkPolicy") and not keep_invalid and not (live and policy_kind(obj)):
                raise BadInput(text, where, cited=document.cited(text)) from None
            malformed.append((document, text))
        if len(workloads) > MOST_WORKLOADS:
            raise BadInput(f"there are more than {MOST_WORKLOADS} workloads", where)
    spaces = {*(w.pod.namespace for w in workloads.values()), *(p["metadata"]["namespace"] for p in policies)}
    spaces |= {p["metadata"]["namespace"] for p in further if p["metadata"].get("namespace")}
    labels = {n: {NAME_LABEL: n, **namespaces.get(n, {})} for n in {*spaces, *namespaces}}
    many = several(document.obj for document in read)
    ordered = sorted(
        (_counted(w, many) for w in workloads.values()), key=lambda w: (w.name, sorted(w.pod.labels.items()))
    )
    of_calico = (d.obj for d in beside if group_of(d.obj["apiVersion"]) == CALICO)
    tiers = {o["metadata"]["name"] for o in of_calico if o["kind"] == "Tier"}
    for policy in further:
        if group_of(policy["apiVersion"]) == CALICO and any(missing_tier(policy, tiers)):
            kind, version, tier = policy["kind"], policy["apiVersion"], policy["spec"]["tier"]
            what = f"no Tier {tier} is here, without which Calico asks none of its policies"
            skipped[f"{kind} ({version}): {what}"] += 1
    told = [f"{count} {what}" for what, count in sorted(skipped.items())]
    told += [
        *map(not_shown, closed),
        *doubles.told(),
        *(hidden(document, text) for document, text in malformed),
    ]
    return Fleet(
        tuple(ordered),
        labels,
        tuple(policies),
        tuple(further),
        lines,
        tuple(told),
        tuple(invalid),
        tuple(beside),
        tuple(malformed),
        closed,
        _texts(read),
        {number: tuple(found) for number, found in aside.items()},
    ).under(GENERIC)


def _texts(documents: Iterable[Document]) -> dict[str, tuple[bytes, ...]]:
    found: dict[str, dict[bytes, None]] = {}
    for document in documents:
        found.setdefault(f"{document.below}{document.path}", {})[document.text] = None
    return {name: tuple(texts) for name, texts in found.items()}


def _counted(workload: Workload, many: Collection[Key]) -> Workload:
    pod = workload.pod
    if (pod.namespace, workload.kind, pod.name) not in many:
        return workload
    return replace(workload, pod=replace(pod, many=True))


def hidden(document: Document, wrong: str) -> str:
    """What `skipped` says of an object that is malformed."""
    obj, place = document.obj, document.where
    told = f"{obj['kind']} ({place}): {wrong.removeprefix(obj['kind']).strip()}"
    told = told.replace(": is not of the shape", ": it is not of the shape", 1)
    if obj["kind"] == "Namespace":
        return f"{told}; what depends on the labels of {own_name(obj)} is not known, and left out"
    return f"{told}; {own_name(obj)} is left out, and what depends on it is not known"


def not_shown(document: Unlisted) -> str:
    """What `skipped` says of a kind that a cluster does not show."""
    obj = document.obj
    return f"{obj['kind'].removesuffix('List')} ({obj['apiVersion']}): {document.wrong}"


def placed(documents: Iterable[Document]) -> list[Document]:
    """A policy without a namespace, in a folder named after one that is known here, belongs there.

    One in `_shared` belongs to every namespace that is known here, system namespaces aside. So a repository in the
    layout that a source takes means the same here.
    """
    found = list(documents)
    known = {space_of(d.obj) for d in found if d.obj["kind"] != "Namespace" and not is_policy(d.obj)}
    known |= {str(d.obj["metadata"]["name"]) for d in found if d.obj["kind"] == "Namespace"}
    return [d for document in found for d in into(document, known)]


def into(document: Document, known: Collection[str]) -> list[Document]:
    """A document with the namespaces that its folder says; as it is where that says none."""
    obj, (folder, slash, _) = document.obj, document.path.partition("/")
    if not namespaced(obj) or obj["metadata"].get("namespace") or not slash:
        return [document]
    names = [folder] if folder in known else []
    if folder == SHARED:
        names = sorted(n for n in known if not n.startswith("kube-"))
    return [
        replace(document, obj={**obj, "metadata": {**obj["metadata"], "namespace": name}}) for name in names
    ] or [document]


def pods_of(manifests: Iterable[Mapping[str, Any]]) -> list[Pod]:
    """Live pods as the evaluator takes them."""
    found = (_workload({**item, "kind": "Pod"}) for item in manifests)
    return [w.pod for w in found if w is not None]


def _placed(policy: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """With its namespace, and what the API server would have against it."""
    policy = {k: v for k, v in policy.items() if k != "status"}  # exports of older clusters carry one
    return {**policy, "metadata": {**policy["metadata"], "namespace": space_of(policy)}}, problems(policy)


def _tiered(policy: Mapping[str, Any]) -> bool:
    return str(policy["apiVersion"]).startswith(f"{TIERED}/")


def _at_home(kind: PolicyKind, policy: dict[str, Any]) -> dict[str, Any]:
    """With its namespace, where it is a policy of one; `live` ones carry a status."""
    policy = {k: v for k, v in policy.items() if k != "status"}
    if not kind.namespaced:
        return policy
    return {**policy, "metadata": {**policy["metadata"], "namespace": space_of(policy)}}


def _known(obj: Mapping[str, Any], known: dict[tuple[str, str, int], Workload]) -> Workload | None:
    """As `_workload`, which reads one of those that share a `spec`, the very object; the others differ in their names."""
    key = (obj["kind"], obj["apiVersion"], id(obj.get("spec")))
    if (same := known.get(key)) is not None:
        pod = replace(same.pod, namespace=space_of(obj), name=str(obj["metadata"]["name"]))
        return replace(same, pod=pod, obj=obj)
    if (found := _workload(obj)) is not None and obj["kind"] in TEMPLATED:
        known[key] = found
    return found


def _workload(obj: Mapping[str, Any]) -> Workload | None:
    read_shape.check_workload(obj)
    kind, name, template = str(obj["kind"]), obj["metadata"]["name"], template_of(obj)
    if template is None:
        return None
    if kind == "Pod":
        kind, name = alike(obj)
    inner, labels = template.get("spec") or {}, labels_of(obj, template)
    status = obj.get("status") or {} if obj["kind"] == "Pod" else {}
    ips, nodes = _addresses(status, "podIP"), _addresses(status, "hostIP")
    pod = Pod(
        space_of(obj),
        str(name),
        labels,
        ips[0],
        _ports(inner),
        nodes[0],
        bool(inner.get("hostNetwork")),
        _scraped((template.get("metadata") or {}).get("annotations") or {}),
        ips[1:],
        nodes[1:],
        account=_account(inner),
        kind=kind,
    )
    reading = "" if inner.get("automountServiceAccountToken") is False else pod.account
    return Workload(kind, pod, reading, tuple(dict.fromkeys(_probed(inner))), selector_of(obj), obj)


def _account(spec: Mapping[str, Any]) -> str:
    return str(spec.get("serviceAccountName") or spec.get("serviceAccount") or "default")


def _probed(spec: Mapping[str, Any]) -> Iterator[int | str]:
    """The ports of probes that go over the network to the pod itself."""
    sidecars = (c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always")
    for container in [*(spec.get("containers") or []), *sidecars]:
        for probe in read_shape.PROBES:
            for way in read_shape.WAYS:
                asked = (container.get(probe) or {}).get(way) or {}
                if "port" in asked and not asked.get("host"):
                    yield asked["port"]


def _addresses(status: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """`podIP` and `podIPs`, or `hostIP` and `hostIPs`, one a family; one that is empty where there is none."""
    found = [str(status.get(key) or ""), *(str(item.get("ip") or "") for item in status.get(f"{key}s") or [])]
    return tuple(dict.fromkeys(str(ipaddress.ip_address(a)) for a in found if a)) or ("",)


def _scraped(annotations: Mapping[str, Any]) -> int:
    """The port that the usual annotations of Prometheus' own examples name; 0 for none."""
    port = str(annotations.get("prometheus.io/port", ""))
    return int(port) if str(annotations.get("prometheus.io/scrape")) == "true" and port.isdigit() else 0


def _ports(spec: Mapping[str, Any]) -> tuple[NamedPort, ...]:
    return tuple(
        NamedPort(str(p.get("name", "")), int(p["containerPort"]), str(p.get("protocol", "TCP")))
        for c in containers(spec)
        for p in c.get("ports") or []
        if "containerPort" in p
    )
