"""The kinds of netpol-canary.dev/v1alpha1: each with its models, how it is called, and what its tables show."""

from dataclasses import dataclass

from pydantic import BaseModel

from orchestrator.rollout.resources import model as m


@dataclass(frozen=True)
class Declared:
    """One kind: `word` is how our own commands call it; printer columns are (name, type, JSON path, priority).

    `frozen`: its spec is never changed.
    """

    spec: type[BaseModel]
    status: type[BaseModel]
    word: str
    plural: str
    short: str
    columns: tuple[tuple[str, str, str, int], ...]
    frozen: bool = True

    @property
    def resource(self) -> str:
        """Its whole name to the API server."""
        return f"{self.plural}.{m.GROUP}"


AGE = ("Age", "date", ".metadata.creationTimestamp", 0)
KINDS: dict[str, Declared] = {
    "PolicySource": Declared(
        m.PolicySourceSpec,
        m.PolicySourceStatus,
        "sources",
        "policysources",
        "psrc",
        (
            ("URL", "string", ".spec.git.url", 0),
            ("Branch", "string", ".spec.git.branch", 0),
            ("Current", "string", ".status.currentRevision", 0),
            ("Active", "string", ".status.activeRollout", 0),
            ("Blocked", "string", ".status.blockedRevision", 1),
            ("Orphaned", "string", '.status.conditions[?(@.type=="Orphaned")].status', 0),
            AGE,
        ),
        frozen=False,
    ),
    "PolicyRollout": Declared(
        m.PolicyRolloutSpec,
        m.PolicyRolloutStatus,
        "rollouts",
        "policyrollouts",
        "prol",
        (
            ("Source", "string", ".spec.source", 0),
            ("Phase", "string", ".status.phase", 0),
            ("Wave", "integer", ".status.wave", 0),
            ("Waiting", "string", ".status.pausedFor", 0),
            ("Revision", "string", ".spec.revision", 1),
            ("Reason", "string", ".status.reason", 1),
            AGE,
        ),
    ),
    "NamespaceRollout": Declared(
        m.NamespaceRolloutSpec,
        m.NamespaceRolloutStatus,
        "namespaces",
        "namespacerollouts",
        "nsrol",
        (
            ("Rollout", "string", ".spec.rollout", 0),
            ("Wave", "integer", ".spec.wave", 0),
            ("Namespace", "string", ".spec.namespace", 0),
            ("Phase", "string", ".status.phase", 0),
            ("Restored-Seconds", "number", ".status.restoredSeconds", 1),
            AGE,
        ),
    ),
    "WaveAnalysis": Declared(
        m.WaveAnalysisSpec,
        m.WaveAnalysisStatus,
        "analyses",
        "waveanalyses",
        "wan",
        (
            ("Rollout", "string", ".spec.rollout", 0),
            ("Wave", "integer", ".spec.wave", 0),
            ("Phase", "string", ".status.phase", 0),
            ("Reason", "string", ".status.reason", 1),
            AGE,
        ),
    ),
    "RolloutApproval": Declared(
        m.RolloutApprovalSpec,
        m.RolloutApprovalStatus,
        "approvals",
        "rolloutapprovals",
        "rappr",
        (
            ("Rollout", "string", ".spec.rollout", 0),
            ("Wave", "integer", ".spec.wave", 0),
            ("Decision", "string", ".spec.decision", 0),
            ("User", "string", ".spec.user", 0),
            ("Break-Glass", "boolean", ".spec.breakGlass", 1),
            AGE,
        ),
    ),
    "RolloutFreeze": Declared(
        m.RolloutFreezeSpec,
        m.RolloutFreezeStatus,
        "freezes",
        "rolloutfreezes",
        "rfrz",
        (
            ("Sources", "string", ".spec.sources", 0),
            ("From", "string", ".spec.from", 0),
            ("Until", "string", ".spec.until", 0),
            ("User", "string", ".spec.user", 0),
            ("Reason", "string", ".spec.reason", 0),
            AGE,
        ),
        frozen=False,
    ),
}
