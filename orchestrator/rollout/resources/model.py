"""The resources of netpol-canary.dev/v1alpha1, as pydantic models; config/crd is generated from them.

No unions, no recursion, every list and string bounded: the API server's CEL cost estimation
and structural schemas ask for it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from orchestrator.policy.impact.risk import Level, RiskKind, RiskRules
from orchestrator.rollout.resources import cron
from orchestrator.rollout.resources.places import staged, whole

GROUP = "netpol-canary.dev"
API_VERSION = f"{GROUP}/v1alpha1"

Name = Annotated[str, StringConstraints(max_length=253)]
# `namespace/name[Kind]` of a workload, whose name alone may have 253 characters; and what is tried between two of them.
End = Annotated[str, StringConstraints(max_length=512)]
Attempted = Annotated[str, StringConstraints(max_length=800)]
Text = Annotated[str, StringConstraints(max_length=1024)]
Folder = Annotated[str, StringConstraints(max_length=253, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
Revision = Annotated[str, StringConstraints(max_length=64)]
Quantity = Annotated[str, StringConstraints(max_length=32, pattern=r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi)?$")]
Digest = Annotated[str, StringConstraints(max_length=80)]
MOST_MANIFEST = 262144
MOST_WRITES = 1500  # writes of one namespace
MOST_WAVE = 2000  # namespaces of one wave
Stage = Annotated[int, Field(ge=0, le=200)]
ManifestText = Annotated[str, StringConstraints(max_length=MOST_MANIFEST)]

RolloutPhase = Literal[
    "Pending", "Progressing", "Paused", "RollingBack", "Succeeded", "RolledBack", "Failed", "Superseded"
]
TERMINAL: frozenset[str] = frozenset({"Succeeded", "RolledBack", "Failed", "Superseded"})
EVENT_GROUPS = (
    "started",
    "waveStarted",
    "approval",
    "approved",
    "promoted",
    "regression",
    "rollback",
    "rolledBack",
    "failed",
    "paused",
    "inconclusive",
    "drift",
    "error",
    "succeeded",
    "superseded",
    "breakGlass",
    "emergency",
    "all",
)
# Two words where it gains some ports and loses others; empty where an older version froze it.
EdgeChange = Literal[
    "", "opened", "cut", "narrowed", "widened", "opened and cut", "widened and cut", "widened and narrowed"
]
PauseReason = Literal["", "approval", "window", "limit", "workload", "inconclusive", "drift", "user", "error"]
BY_ITSELF: frozenset[str] = frozenset({"window", "limit", "workload"})  # pauses that end without a person
UNASKED: frozenset[str] = BY_ITSELF | {"approval"}  # pauses that end without `resume`
NamespacePhase = Literal["Pending", "Applied", "Restored", "Deleted"]
MeasurementPhase = Literal["Pending", "Running", "Successful", "Failed", "Error", "Inconclusive"]
Skip = Literal["windows", "freezes", "waits", "waves"]
ConditionStatus = Literal["True", "False", "Unknown"]
ProbeCheck = Literal["connect", "http", "tls", "dns"]
ProbeRole = Literal["declared", "edge", "mustPass", "mustNotPass", "sample", "observer"]
Answer = Literal["reach", "blocked", "unknown"]
Severity = Literal["info", "warning", "critical"]


class Model(BaseModel):
    """camelCase in manifests; an unknown field is an error."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


def _once(names: list[str]) -> None:
    if twice := next((n for n in names if names.count(n) > 1), ""):
        raise ValueError(f"the name {twice} stands twice")


class Label(Model):
    key: Name
    value: Annotated[str, StringConstraints(max_length=63)]


class KindRef(Model):
    """A kind that a source may write."""

    api_version: Name = "networking.k8s.io/v1"
    kind: Name = "NetworkPolicy"


class Verify(Model):
    """Signatures that a change must carry; `secretRef` names a Secret (allowedSigners, gpgKeys) with who may sign.

    `commits`: every commit since the current revision that touches the path, and the newest that does.
    `tag`: the revision, by a signed tag on it.
    """

    mode: Literal["none", "commits", "tag"] = "none"
    secret_ref: Name = ""


class Git(Model):
    """Where the policies are; `secretRef` names a Secret (username, password, token, sshKey, knownHosts,
    and ca.crt for an https server behind a private certificate authority), or one with a GitHub App (githubAppID,
    githubAppInstallationID, githubAppPrivateKey, githubAppBaseURL).

    `webhookSecretRef` names the Secret whose key webhookSecret proves a Git host's deliveries.
    """

    url: Text
    branch: Name = "main"
    path: Text = ""
    secret_ref: Name = ""
    timeout_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    webhook_secret_ref: Name = ""
    verify: Verify = Verify()


class NamespaceScope(Model):
    """The namespaces that a source may write to: by name, by label, or both."""

    names: Annotated[list[Name], Field(max_length=2000)] = []
    match_labels: Annotated[list[Label], Field(max_length=16)] = []


class WaveStep(Model):
    """Which namespaces come next: exactly one of a count, a percentage of all, or labels."""

    count: Annotated[int, Field(ge=1, le=10000)] | None = None
    percent: Annotated[int, Field(ge=1, le=100)] | None = None
    match_labels: Annotated[list[Label], Field(max_length=16)] = []


class MetricSpec(Model):
    """One thing to watch. `ratio` takes errors and total, the other kinds a query.

    `test: threshold` compares values over `windowSeconds` with the limits given here. `test: sequential` (ratio and
    volume) takes raw counters, best as `sum by (namespace, pod) (...)`, takes their increments at every check and
    stops as soon as the evidence suffices: a ratio may grow by `tolerance` (0.5: half as many errors again), a volume
    may fall to `minRatio` of what is expected. Before it says good it must have seen enough to find a `regression` of
    that size: a share of errors, or a share of requests lost. `preset` takes queries from a list by name, `provider`
    names who answers them. A `dryRun` metric is recorded and does not decide.
    """

    name: Name
    kind: Literal["ratio", "value", "volume", "scrape"] = "value"
    provider: Name = "prometheus"
    preset: Name = ""
    query: Text = ""
    errors: Text = ""
    total: Text = ""
    test: Literal["threshold", "sequential"] = "threshold"
    tolerance: Annotated[float, Field(ge=0, le=100)] = 0.5
    regression: Annotated[float, Field(gt=0, le=1)] | None = None
    minimum: float | None = None
    maximum: float | None = None
    max_increase: float | None = None
    min_ratio: float | None = None
    min_samples: float = 0
    required: bool = True
    dry_run: bool = False


class MetricIdentity(Model):
    """Who asks, where a managed service wants to know.

    `aws` signs requests (SigV4), `google` and `azure` bring tokens of their clouds; `tokenFile` brings the bearer token `name` of a
    file. With `secretRef` the identity is that of the Secret: accesskey, secretkey and sessiontoken; serviceaccount; tenantId,
    clientId and clientSecret. Without, and for `tokenFile`, it is netpol-canary's own, which is sent to those addresses alone
    that its settings grant.
    """

    type: Literal["none", "aws", "google", "azure", "tokenFile"] = "none"
    name: Name = ""
    region: Name = ""


class Prometheus(Model):
    """A Prometheus-compatible API.

    `secretRef` names a Secret with bearer, or username and password, and header.NAME for more headers.
    """

    url: Text = ""
    secret_ref: Name = ""
    ca_file: Text = ""
    insecure_skip_tls_verify: bool = False
    timeout_seconds: Annotated[int, Field(ge=1, le=120)] = 10
    identity: MetricIdentity = MetricIdentity()


class Provider(Model):
    """Who answers queries: `type` is a built-in one, or what an installed package brings.

    For http, a metric's query is a path below `url`, and `result` a JMESPath expression that yields a number, or a
    list of objects with `namespace` and `value`. `secretRef` is read as for Prometheus.
    """

    name: Name
    type: Name = "prometheus"
    url: Text = ""
    result: Text = ""
    secret_ref: Name = ""
    ca_file: Text = ""
    insecure_skip_tls_verify: bool = False
    timeout_seconds: Annotated[int, Field(ge=1, le=120)] = 10
    identity: MetricIdentity = MetricIdentity()


class FlowQuery(Model):
    """Which connections are in use, as series.

    Their labels are source_namespace, source_workload, destination_namespace, destination_workload and, where it is known,
    verdict (forwarded or dropped).
    """

    provider: Name = "prometheus"
    query: Text = ""


class ProbeSpec(Model):
    """A connection to try: `namespace/workload` at both ends, or an address or host name as destination.

    `check` is what is spoken once connected; `dns` asks the destination for a name. A `control` is one that the
    change does not touch: where it answers otherwise than before, the other probes prove nothing.
    """

    name: Name
    source: End
    destination: End
    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    check: ProbeCheck = "connect"
    expect: Literal["reach", "blocked"] = "reach"
    control: bool = False


class Probing(Model):
    """Which connections are tried besides the declared ones, and what that may cost.

    `edges` tries every connection that the change opens or cuts, one control that must pass and one that must not,
    and so many unchanged ones that, if `brokenShare` of them broke, none of them showing has at most the chance
    `missChance`. `keptShare` of `mostProbes` are for connections that stay open, of every namespace of the wave, however many
    the change moves. Pods carry `image`, or the orchestrator's own. A probe is tried again until its answer is the
    expected one, or has not changed for `stableSeconds`; another than the expected one is not believed before the pod has run
    for `readySeconds`, since policies are in force for a new pod late on a busy node. `seconds` is the end of every pod. No
    more than `startsPerNode` pods start on a node at once. With `longLived`,
    connections are also kept open over the change, for `longLivedSeconds` at most.
    """

    edges: bool = True
    image: Text = ""
    most_probes: Annotated[int, Field(ge=1, le=400)] = 200
    broken_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    miss_chance: Annotated[float, Field(gt=0, lt=1)] = 0.05
    kept_share: Annotated[float, Field(ge=0, le=0.9)] = 0.25
    pods_per_namespace: Annotated[int, Field(ge=1, le=50)] = 4
    pods_at_once: Annotated[int, Field(ge=1, le=200)] = 16
    starts_per_node: Annotated[int, Field(ge=1, le=50)] = 3
    cpu_request: Quantity = "10m"
    cpu_limit: Quantity = "200m"
    memory_request: Quantity = "32Mi"
    memory_limit: Quantity = "96Mi"
    stable_seconds: Annotated[int, Field(ge=1, le=300)] = 5
    ready_seconds: Annotated[int, Field(ge=0, le=300)] = 15
    seconds: Annotated[int, Field(ge=5, le=900)] = 60
    interval_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    long_lived: bool = True
    long_lived_seconds: Annotated[int, Field(ge=10, le=3600)] = 300


class Analysis(Model):
    """How a wave is watched. Times in seconds.

    `alpha` bounds the chance that the sequential tests of a whole rollout raise one false alarm; they compare with
    `baselineSeconds` before the change, and where they have not seen enough after `limitSeconds`, the wave pauses.
    Watched are the namespaces that change, those whose connections the change touches, and those of `watch`.
    An inconclusive wave that was written stays watched: with `onInconclusive: wait` a person has
    `inconclusiveSeconds` to decide, then it is rolled back; with `rollback` it is rolled back at once.
    `probeIntents` adds a probe for each connection of the PolicyTests' intents that the change must leave as it is.
    """

    interval_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    count: Annotated[int, Field(ge=1, le=1000)] = 4
    window_seconds: Annotated[int, Field(ge=1, le=86400)] = 60
    failure_limit: Annotated[int, Field(ge=0, le=100)] = 0
    error_limit: Annotated[int, Field(ge=0, le=100)] = 3
    on_no_traffic: Literal["pause", "probes"] = "pause"
    on_inconclusive: Literal["wait", "rollback"] = "wait"
    inconclusive_seconds: Annotated[int, Field(ge=60, le=604800)] = 3600
    watch: Annotated[list[Name], Field(max_length=64)] = []
    alpha: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    baseline_seconds: Annotated[int, Field(ge=60, le=86400)] = 3600
    limit_seconds: Annotated[int, Field(ge=1, le=86400)] = 1800
    prometheus: Prometheus = Prometheus()
    providers: Annotated[list[Provider], Field(max_length=8)] = []
    flows: FlowQuery = FlowQuery()
    probing: Probing = Probing()
    metrics: Annotated[list[MetricSpec], Field(max_length=32)] = []
    probes: Annotated[list[ProbeSpec], Field(max_length=64)] = []
    probe_intents: bool = False

    @field_validator("metrics", "probes", "providers")
    @classmethod
    def _distinct(cls, items: list[MetricSpec] | list[ProbeSpec] | list[Provider]) -> object:
        """Measurements and answers are kept by name."""
        _once([item.name for item in items])
        return items


class Gate(Model):
    """What must open before a wave: this many approvals, from these groups where some are named.

    It is asked for only where the change's risk is at least `minRisk`, and where `risks` names kinds of risk, where the
    change does one of them. Where a wave has several gates, all must open. `name` is for people.
    """

    wave: Annotated[int, Field(ge=0, le=1000)]
    name: Name = ""
    approvals: Annotated[int, Field(ge=1, le=20)] = 1
    groups: Annotated[list[Name], Field(max_length=16)] = []
    expires_after_seconds: Annotated[int, Field(ge=60, le=2592000)] = 86400
    min_risk: Level = "none"
    risks: Annotated[list[RiskKind], Field(max_length=16)] = []


class Window(Model):
    """When waves may open (`allow`), or may not (`deny`): from each time of a cron schedule, for `durationSeconds`.

    `schedule` has the fields minute, hour, day of month, month and day of week, in `timeZone`, a name of the IANA
    time zone database. An active deny wins; where there is an allow, one must be active. A rollback needs none.
    """

    kind: Literal["allow", "deny"] = "allow"
    schedule: Annotated[str, StringConstraints(max_length=128)]
    duration_seconds: Annotated[int, Field(ge=60, le=2678400)]
    time_zone: Annotated[str, StringConstraints(max_length=64)] = "UTC"

    @field_validator("schedule")
    @classmethod
    def _comes_round(cls, text: str) -> str:
        cron.check(text)
        return text

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            raise ValueError(f"{name!r} is no time zone; take a name such as Europe/Berlin") from None
        return name


class Emergency(Model):
    """What somebody may have skipped for a hotfix, in their own name and with a reason; nothing where `skip` is empty.

    `windows` are those of the strategy, `freezes` those that name the source (one of every source always holds), `waits` is
    what of `settleSeconds` the analysis does not need, `waves` has all waves after the canary open together, up to the next
    that has a gate. `groups` names who may, beside the right to the verb `emergency`; it lasts for `expiresAfterSeconds`.
    """

    skip: Annotated[list[Skip], Field(max_length=4)] = []
    groups: Annotated[list[Name], Field(max_length=16)] = []
    expires_after_seconds: Annotated[int, Field(ge=60, le=604800)] = 14400


class CanaryPods(Model):
    """Which pods of the canary come first, in a wave of their own; none where nothing is given.

    `matchLabels` are labels of pods that are there. `argoRollout` and `flagger` name a canary deployment in the canary's namespaces, whose
    status says which are its canary's. Of `count`, or `percent`, that many of the ready pods of each workload that the change
    is about get a label for that time, but never all of them.
    """

    match_labels: Annotated[list[Label], Field(max_length=16)] = []
    argo_rollout: Name = ""
    flagger: Name = ""
    count: Annotated[int, Field(ge=1, le=1000)] | None = None
    percent: Annotated[int, Field(ge=1, le=99)] | None = None

    @property
    def labels(self) -> bool:
        """Whether they get a label."""
        return self.count is not None or self.percent is not None

    def of(self, pods: int) -> int:
        """How many of the pods of a workload get it."""
        wanted = self.count or -(-pods * (self.percent or 0) // 100)
        return min(wanted, pods - 1)


class Follow(Model):
    """A canary deployment that the change goes with, as namespace/name: an Argo Rollout or a Canary of Flagger."""

    argo_rollout: End = ""
    flagger: End = ""


class Followed(Model):
    """What a canary deployment had promoted when the rollout was planned, and the version that had failed by then."""

    promoted: Text = ""
    failed: Text = ""


class Strategy(Model):
    """How a change is rolled out.

    A wave that makes no progress for `progressDeadlineSeconds`, beyond what it waits for by its plan, is rolled back.
    `engine` says who does a wave's work: the controller in its own process, or an Argo Workflow, whose pods write
    `shardSize` namespaces each. `cni` says how policies are read where the API leaves it open, such as whether an ipBlock
    covers pods, and which kinds of policies count; `auto` finds the agent by its DaemonSet, and a rollout freezes what was
    found. `clusterWide` lets the source hold policies of the whole cluster. With `waves` they change namespace by namespace: for
    the pods of the waves that have begun the new ones hold, for all others the old ones. With `atOnce` they change in a last
    wave of their own.
    """

    canary: Annotated[list[Name], Field(max_length=64)] = []
    canary_match_labels: Annotated[list[Label], Field(max_length=16)] = []
    canary_pods: CanaryPods = CanaryPods()
    follow: Follow = Follow()
    steps: Annotated[list[WaveStep], Field(max_length=64)] = []
    max_parallel: Annotated[int, Field(ge=1, le=64)] = 8
    supersede: Literal["queue", "immediate"] = "queue"
    settle_seconds: Annotated[int, Field(ge=0, le=3600)] = 5
    deadline_seconds: Annotated[int, Field(ge=1, le=86400)] = 300
    analysis: Analysis = Analysis()
    progress_deadline_seconds: Annotated[int, Field(ge=60, le=604800)] = 1800
    gates: Annotated[list[Gate], Field(max_length=64)] = []
    windows: Annotated[list[Window], Field(max_length=32)] = []
    emergency: Emergency = Emergency()
    risk: RiskRules = RiskRules()
    boundaries: Literal["refuse", "ask", "proceed", "expand"] = "ask"
    engine: Literal["embedded", "argo"] = "embedded"
    shard_size: Annotated[int, Field(ge=1, le=500)] = 50
    cni: Literal[
        "auto",
        "calico",
        "cilium",
        "cilium:1.20",
        "kube-router",
        "ovn-kubernetes",
        "antrea",
        "eks-vpc-cni",
        "gke-dataplane-v2",
        "azure-npm",
        "azure-cilium",
        "generic",
    ] = "auto"
    cluster_wide: Literal["refuse", "atOnce", "waves"] = "refuse"


class Identity(Model):
    """An e-mail address in Git and the cluster user that it belongs to."""

    email: Name
    user: Name


class Feedback(Model):
    """How the Git host is notified of a rollout: `repository` is owner/name, `secretRef` names a Secret with `token`,
    or one with a GitHub App (githubAppID, githubAppInstallationID, githubAppPrivateKey, githubAppBaseURL).

    `revert` opens a pull request that takes the change back out of Git after a rollback (github only).
    """

    host: Literal["github", "gitlab", "gitea"]
    api_url: Text = ""
    repository: Annotated[str, StringConstraints(max_length=512)]
    secret_ref: Name
    statuses: bool = True
    comments: bool = True
    revert: bool = False
    ca_file: Text = ""

    @model_validator(mode="after")
    def _possible(self) -> Feedback:
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)+", self.repository) or ".." in self.repository.split("/"):
            raise ValueError(f"repository {self.repository!r} is not owner/name")
        if self.revert and self.host != "github":
            raise ValueError(f"revert is not possible on {self.host}, only on github")
        if self.host == "gitea" and not self.api_url:
            raise ValueError("gitea needs apiUrl, such as https://git.example.com/api/v1")
        return self


class Notification(Model):
    """Who is notified of what: `secretRef` names a Secret with `url`, one apprise URL a line.

    `events` are groups (started, waveStarted, approval, approved, promoted, regression, rollback, rolledBack, failed,
    paused, inconclusive, drift, error, succeeded, superseded, breakGlass, emergency, all), or reasons of transitions as they
    stand in a rollout's status. Where none is given, what a person must act on.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=63)]
    events: Annotated[list[Annotated[str, StringConstraints(max_length=63)]], Field(max_length=32)] = []
    secret_ref: Name
    min_severity: Severity = "info"

    @field_validator("events")
    @classmethod
    def _known(cls, events: list[str]) -> list[str]:
        """A reason starts with a capital letter, a group does not."""
        wrong = next((e for e in events if not e[:1].isupper() and e not in EVENT_GROUPS), None)
        if wrong is not None:
            raise ValueError(f"there is no event {wrong!r}; take of {', '.join(EVENT_GROUPS)}")
        return events


class PolicySourceSpec(Model):
    """What comes from where, and how it may be rolled out.

    `conflicts` says what becomes of an object that exists and is nobody's source's: refused, taken over, or left alone
    and shown. `drift` says what becomes of a difference from the current revision, checked between rollouts.
    `orphans` says what becomes of policies in namespaces that the source selected once: reported, or removed by a rollout
    of their own, which always has a gate. `shared` is the folder whose policies go into every namespace, or `root`: then they stand beside the folders.
    """

    git: Git
    namespaces: NamespaceScope
    shared: Folder = "_shared"
    kinds: Annotated[list[KindRef], Field(max_length=16)] = [KindRef()]
    conflicts: Literal["refuse", "adopt", "observe"] = "refuse"
    drift: Literal["report", "repair", "ignore"] = "report"
    drift_interval_seconds: Annotated[int, Field(ge=30, le=86400)] = 300
    orphans: Literal["report", "remove"] = "report"
    suspend: bool = False
    strategy: Strategy = Strategy()
    identities: Annotated[list[Identity], Field(max_length=500)] = []
    revision_history_limit: Annotated[int, Field(ge=1, le=100)] = 10
    feedback: Feedback | None = None
    notifications: Annotated[list[Notification], Field(max_length=16)] = []

    @field_validator("notifications")
    @classmethod
    def _distinct(cls, items: list[Notification]) -> list[Notification]:
        """What is still to be sent is kept by name."""
        _once([item.name for item in items])
        return items


class Condition(Model):
    """A kstatus condition."""

    type: Name
    status: ConditionStatus
    reason: Name
    message: Annotated[str, StringConstraints(max_length=4096)] = ""
    last_transition_time: datetime


class Detail(Model):
    """The whole of what the condition of a type says in one line."""

    type: Name
    text: Annotated[str, StringConstraints(max_length=4096)] = ""


class Explanation(Model):
    """What a status says of how it stands: `reason` is one line, `details` the whole of it where that is more."""

    reason: Annotated[str, StringConstraints(max_length=4096)] = ""
    details: Annotated[str, StringConstraints(max_length=4096)] = ""

    @property
    def said(self) -> str:
        """All of it."""
        return self.details or self.reason


class Truncated(Model):
    """How many items of a list of the status were left out, since it takes no more."""

    field: Name
    count: int


class PolicySourceStatus(Model):
    observed_generation: int = 0
    current_revision: Revision = ""
    current_revision_rollout: Name = ""
    current_revision_since: datetime | None = None
    current_revision_namespaces: Annotated[list[Name], Field(max_length=10000)] = []
    blocked_revision: Revision = ""
    blocked_reason: Text = ""
    queued_revision: Revision = ""
    active_rollout: Name = ""
    active_uid: Name = ""
    repairs: Annotated[list[datetime], Field(max_length=8)] = []
    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    details: Annotated[list[Detail], Field(max_length=16)] = []
    truncated: Annotated[list[Truncated], Field(max_length=16)] = []


class WaveEdge(Model):
    """A connection that changes, and the rules that do it, with file, line and commit: `wave` is the one that it changes with."""

    source: End
    destination: End
    before: Text = ""
    after: Text = ""
    because: Annotated[list[Text], Field(max_length=8)] = []
    change: EdgeChange = ""
    wave: Annotated[int, Field(ge=0, le=1000)] = 0


class WaveNamespace(Model):
    """A namespace of a wave, or `_cluster` for the whole cluster, with the digests of its frozen sets.

    One that changes for some of its pods at a time stands in several waves: `stage` counts those before its last, from 1.
    `covers` are the namespaces, and `pods` the labels, of those that come to the new policies with this wave. With `both` they may
    do what the old or the new ones allow, until a later wave.
    """

    name: Name
    stage: Stage = 0
    before: Digest
    after: Digest
    covers: Annotated[list[Name], Field(max_length=MOST_WAVE)] = []
    pods: Annotated[list[Label], Field(max_length=16)] = []
    both: bool = False

    @property
    def place(self) -> str:
        """It in this wave: see places.py."""
        return staged(self.name, self.stage)


class Wave(Model):
    """`connections` is how many change with it, of which `edges` of the rollout holds the worst."""

    why: Text = ""
    namespaces: Annotated[list[WaveNamespace], Field(max_length=MOST_WAVE)]
    connections: Annotated[int, Field(ge=0)] = 0

    @property
    def places(self) -> list[str]:
        """What is written with it, by the names that places have in a wave."""
        return [n.place for n in self.namespaces]

    @property
    def namespace_names(self) -> list[str]:
        """Where it changes something: what is for the whole cluster stands for itself, or for those that come to it."""
        return list(dict.fromkeys(name for n in self.namespaces for name in n.covers or [n.name]))


class PolicyRolloutSpec(Model):
    """Frozen at creation. `committedAt` is when the newest of its commits was made, by the committer's clock.

    `cause`: a new revision, new namespaces, drift from the current revision, or orphans, namespaces that are not selected
    any more. `selected` are the namespaces that
    the source selected and that it brings to this revision, or leaves there. `edges` are the connections that change, in
    the order of their waves, the worst of each first; `subject` is that of the newest commit.
    """

    source: Name
    source_uid: Name = ""
    cause: Literal["revision", "namespaces", "drift", "orphans"] = "revision"
    revision: Revision
    previous_revision: Revision = ""
    selected: Annotated[list[Name], Field(max_length=10000)] = []
    authors: Annotated[list[Text], Field(max_length=200)] = []
    committed_at: datetime | None = None
    strategy: Strategy
    plan_digest: Digest
    risk: Level = "none"
    risk_reasons: Annotated[list[Text], Field(max_length=32)] = []
    risks: Annotated[list[RiskKind], Field(max_length=16)] = []
    boundaries: Annotated[list[Text], Field(max_length=50)] = []
    edges: Annotated[list[WaveEdge], Field(max_length=100)] = []
    subject: Text = ""
    followed: Followed = Followed()
    waves: Annotated[list[Wave], Field(max_length=200)]
    feedback: Feedback | None = None
    notifications: Annotated[list[Notification], Field(max_length=16)] = []

    @property
    def places(self) -> list[str]:
        """Those of all waves, in their order."""
        return [place for wave in self.waves for place in wave.places]

    @property
    def written(self) -> list[str]:
        """The places that it writes to, each once, whether in one wave or in several."""
        return list(dict.fromkeys(map(whole, self.places)))

    @property
    def namespace_names(self) -> list[str]:
        """Those of all waves, in their order, each once."""
        return list(dict.fromkeys(name for wave in self.waves for name in wave.namespace_names))


class Transition(Model):
    """One change of phase: when, who, from and to, why."""

    time: datetime
    actor: Text
    phase: Name
    reason: Name
    message: Annotated[str, StringConstraints(max_length=4096)] = ""


class Waves:
    """How far a rollout has come: `wave` is the current one, `waves_started` how many have begun."""

    if TYPE_CHECKING:
        wave: int
        waves_started: int

    @property
    def wave_is_open(self) -> bool:
        """Whether the current wave has begun: it may be written to, and is not promoted yet."""
        return self.waves_started > self.wave

    @property
    def current(self) -> range:
        """The numbers of the current wave, and of those that an emergency had opened with it."""
        return range(self.wave, max(self.waves_started, self.wave + 1))


class Outgoing(Waves, Model):
    """One notification that is still to be sent, and to whom: statuses, comment, revert, or `notify/NAME`.

    `id` is `uid/number`, the same however often it is sent. `wave` was the current one, `wavesStarted` how many had begun.
    """

    id: Name
    time: datetime
    phase: RolloutPhase
    reason: Name
    message: Text = ""
    wave: int = 0
    waves_started: int = 0
    severity: Severity = "info"
    to: Annotated[list[Name], Field(max_length=20)]


class WaveWorkflow(Model):
    """The Argo Workflow that works on a wave: the `attempt`th of it, known by `uid` once it was submitted.

    `failures` counts those before it that came to nothing by themselves.
    """

    wave: int = 0
    attempt: int = 0
    name: Name = ""
    uid: Name = ""
    failures: int = 0


class EmergencyTimes(Model):
    """From when on an emergency counts, and until when."""

    at: datetime
    until: datetime


class EmergencyDeclared(EmergencyTimes):
    """What is skipped of a rollout from `at` on and before `until`, who asked for it, and why.

    `earlier` has the times of those before it: a wave of their time settles by them whatever is declared afterwards.
    """

    user: Name
    reason: Text = ""
    skips: Annotated[list[Skip], Field(max_length=4)] = []
    earlier: Annotated[list[EmergencyTimes], Field(max_length=16)] = []


class PolicyRolloutStatus(Waves, Explanation):
    observed_generation: int = 0
    phase: RolloutPhase = "Pending"
    paused_for: PauseReason = ""
    wave: int = 0
    waves_started: int = 0
    epoch: int = 0
    workflow: WaveWorkflow = WaveWorkflow()
    emergency: EmergencyDeclared | None = None
    joined: Annotated[list[int], Field(max_length=200)] = []
    approvals_proven_at: datetime | None = None
    approvals_unproven_at: datetime | None = None
    handled_request: Name = ""
    started_at: datetime | None = None
    detected_at: datetime | None = None
    restored_at: datetime | None = None
    restored_seconds: float | None = None
    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    transitions: Annotated[list[Transition], Field(max_length=200)] = []
    notification_sequence: int = 0
    outbox: Annotated[list[Outgoing], Field(max_length=50)] = []
    truncated: Annotated[list[Truncated], Field(max_length=16)] = []

    def together(self, wave: int) -> list[int]:
        """A wave and those that were opened with it."""
        end = wave + 1
        while end in self.joined:
            end += 1
        return list(range(wave, end))

    def led_by(self, wave: int) -> int:
        """The wave that a wave was opened with: whose analysis is its own, too."""
        while wave in self.joined:
            wave -= 1
        return wave


class Change(Model):
    """One object that differs, and where in Git that comes from: `file:line`, and `id author: subject`."""

    object: Text
    action: Literal["create", "update", "delete"]
    file: Text = ""
    commit: Text = ""


class NamespaceRolloutSpec(Model):
    """Only the objects that differ, as canonical JSON; at most 900 KiB, refused at plan time.

    `stage` is that of its namespace in the wave: from 1 where more of them follow, 0 in the last or only one.
    """

    rollout: Name
    wave: int
    namespace: Name
    stage: Stage = 0
    namespace_uid: Name = ""
    before: Annotated[list[ManifestText], Field(max_length=200)] = []
    after: Annotated[list[ManifestText], Field(max_length=200)] = []
    changes: Annotated[list[Change], Field(max_length=200)] = []

    @property
    def place(self) -> str:
        """The namespace in this wave: see places.py."""
        return staged(self.namespace, self.stage)


class NamespaceRolloutStatus(Model):
    phase: NamespacePhase = "Pending"
    applied_at: datetime | None = None
    restored_at: datetime | None = None
    restored_seconds: float | None = None
    message: Text = ""
    writes: Annotated[list[ManifestText], Field(max_length=MOST_WRITES)] = []


class WaveProbe(Model):
    """A connection that the wave tries: what the analysis says of it before and after, and why it was chosen.

    `expect` is what must be seen after the change.
    """

    name: Attempted
    role: ProbeRole
    source: End
    destination: End
    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    check: ProbeCheck = "connect"
    before: Answer = "unknown"
    expect: Literal["reach", "blocked"]


class WaveAnalysisSpec(Model):
    """Frozen when the wave begins: who is watched and compared with, what changes, and what is tried.

    `canaryPods` are the pods, as namespace/name, of a wave that is for some of them.
    """

    rollout: Name
    wave: int
    since: datetime
    watched: Annotated[list[Name], Field(max_length=2000)] = []
    control_group: Annotated[list[Name], Field(max_length=2000)] = []
    edges: Annotated[list[WaveEdge], Field(max_length=200)] = []
    probes: Annotated[list[WaveProbe], Field(max_length=400)] = []
    canary_pods: Annotated[list[End], Field(max_length=1000)] = []
    notes: Annotated[list[Text], Field(max_length=32)] = []


class MeasurementRecord(Model):
    metric: Name
    namespace: Name
    time: datetime
    phase: MeasurementPhase
    value: float | None = None
    baseline: float | None = None
    control: float | None = None
    query: Annotated[str, StringConstraints(max_length=8192)] = ""
    message: Annotated[str, StringConstraints(max_length=2048)] = ""


class ProbeRecord(Model):
    """`when: longLived` is a connection that was opened before the change and kept."""

    probe: Attempted
    when: Literal["baseline", "after", "longLived"]
    observed: Answer
    expected: Literal["reach", "blocked"]
    message: Text = ""


class ObservedFlow(Model):
    """What traffic showed on a connection of the diff since the change."""

    source: End
    destination: End
    forwarded: float = 0
    dropped: float = 0


class Watch(Model):
    """What was seen of a wave after its verdict: while the next one waited, or a person had to decide on this one.

    `since` is the last check before that.
    """

    since: datetime | None = None
    checked_at: datetime | None = None
    checks: int = 0
    phase: MeasurementPhase = "Pending"
    reason: Annotated[str, StringConstraints(max_length=4096)] = ""


class ShardReading(Model):
    """What one of several readers of a wave measured at a check: `check` is its number.

    `evidence` is the natural logarithm of the sum of what its `streams` sequential tests say by then, `worstMetric` in
    `worstNamespace` the loudest of them.
    """

    shard: Annotated[int, Field(ge=0, le=63)]
    check: int
    measurements: Annotated[list[MeasurementRecord], Field(max_length=1000)] = []
    streams: int = 0
    evidence: float = 0.0
    worst_metric: Name = ""
    worst_namespace: Name = ""
    worst_peak: float = 0.0


class WaveAnalysisStatus(Explanation):
    phase: MeasurementPhase = "Pending"
    checks: int = 0
    watch: Watch = Watch()
    started_at: datetime | None = None
    progressed_at: datetime | None = None
    measurements: Annotated[list[MeasurementRecord], Field(max_length=1000)] = []
    probes: Annotated[list[ProbeRecord], Field(max_length=1600)] = []
    probed_at: datetime | None = None
    flows: Annotated[list[ObservedFlow], Field(max_length=200)] = []
    alarms: Annotated[list[Text], Field(max_length=32)] = []
    suspects: Annotated[list[Text], Field(max_length=16)] = []
    deleted_namespaces: Annotated[list[Name], Field(max_length=2000)] = []
    shards: Annotated[list[ShardReading], Field(max_length=64)] = []
    truncated: Annotated[list[Truncated], Field(max_length=16)] = []


class RolloutApprovalSpec(Model):
    """One person's yes or no to a wave. With `breakGlass` a yes stands for the whole quorum; `comment` says why.

    `emergency` is neither: from this wave on it skips what the source's strategy allows, and opens no gate.
    """

    rollout: Name
    wave: int
    plan_digest: Digest
    user: Name
    groups: Annotated[list[Name], Field(max_length=64)] = []
    decision: Literal["approve", "reject", "emergency"] = "approve"
    comment: Text = ""
    break_glass: bool = False


class RolloutApprovalStatus(Model):
    observed_generation: int = 0


class RolloutFreezeSpec(Model):
    """No wave of these sources opens, or of any where none is named, from `from` on and before `until`.

    What runs finishes its wave; rollbacks go on. `user` is who says that they froze.
    """

    sources: Annotated[list[Name], Field(max_length=200)] = []
    begin: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: AwareDatetime | None = None
    reason: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    user: Name = ""


class RolloutFreezeStatus(Model):
    observed_generation: int = 0
