"""A resource as read: its manifest, with spec and status as models."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from orchestrator.errors import BadInput
from orchestrator.harmless import texts
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.files.model_problem import first_problem
from orchestrator.policy.files.nearest import did_you_mean
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.bounds import fitted
from orchestrator.rollout.resources.kinds import KINDS
from orchestrator.rollout.resources.objects import age
from orchestrator.rollout.resources.weight import lightened, room

S = TypeVar("S", bound=BaseModel)
T = TypeVar("T", bound=BaseModel)

MOST_SEEN = 700 * 1024  # of what is frozen when a wave begins; as much is left for its evidence
MODELS = {kind: (declared.spec, declared.status) for kind, declared in KINDS.items()}


@dataclass(frozen=True)
class Resource(Generic[S, T]):
    """`manifest` is what the API server gave; `spec` and `status` are read from it."""

    manifest: dict[str, Any]
    spec: S
    status: T

    @property
    def name(self) -> str:
        return str(self.manifest["metadata"]["name"])

    @property
    def uid(self) -> str:
        return str(self.manifest["metadata"].get("uid", ""))

    @property
    def age(self) -> tuple[str, str]:
        """The oldest sorts first."""
        return age(self.manifest)

    @property
    def deleting(self) -> bool:
        return bool(self.manifest["metadata"].get("deletionTimestamp"))

    def belongs(self, owner: "Resource[Any, Any]") -> bool:
        """Whether it is of this very object, not of an earlier one of its name; true of what names no owner."""
        owners = [r.get("uid") for r in self.manifest["metadata"].get("ownerReferences") or []]
        return not owners or owner.uid in owners

    def with_status(self, status: T) -> dict[str, Any]:
        """The manifest to PUT for a new status, cut to its bounds and to what the object may weigh."""
        data = fitted(type(status), texts(dump(status)))
        return {**self.manifest, "status": lightened(data, room(self.manifest))}


Source = Resource[m.PolicySourceSpec, m.PolicySourceStatus]
Rollout = Resource[m.PolicyRolloutSpec, m.PolicyRolloutStatus]
NamespaceRollout = Resource[m.NamespaceRolloutSpec, m.NamespaceRolloutStatus]
WaveAnalysis = Resource[m.WaveAnalysisSpec, m.WaveAnalysisStatus]
Approval = Resource[m.RolloutApprovalSpec, m.RolloutApprovalStatus]
Freeze = Resource[m.RolloutFreezeSpec, m.RolloutFreezeStatus]


def dump(value: BaseModel) -> dict[str, Any]:
    """camelCase JSON without absent values."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


def load(manifest: dict[str, Any], where: str = "", document: Document | None = None) -> Resource[Any, Any]:
    """Read a manifest of this group, of a document where it is a file's; BadInput names the field."""
    where = where or (document.where if document else "")
    kind, version = manifest.get("kind", ""), manifest.get("apiVersion")
    if version != m.API_VERSION or kind not in MODELS:
        known = kind in MODELS
        fix = f"write apiVersion: {m.API_VERSION}" if known else did_you_mean(kind, MODELS, "")
        cited = document.cited("apiVersion" if known else "kind") if document else None
        raise BadInput(f"{version} {kind} is not a kind of {m.API_VERSION}", where, fix, cited)
    found = []
    for part, model in zip(("spec", "status"), MODELS[kind], strict=True):
        try:
            found.append(model.model_validate(manifest.get(part) or {}))
        except ValidationError as error:
            wrong = first_problem(error, model, part)
            cited = document.cited(wrong.field) if document else None
            raise BadInput(f"{kind} {wrong.field}: {wrong.what}", where, wrong.fix, cited) from None
    spec, status = found
    return Resource(manifest, spec, status)


def new(
    kind: str,
    name: str,
    namespace: str,
    spec: BaseModel,
    *,
    labels: dict[str, str] | None = None,
    owner: Resource[Any, Any] | None = None,
    finalizer: str = "",
) -> dict[str, Any]:
    """A manifest to POST; `owner` must be of the same namespace."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if labels:
        metadata["labels"] = labels
    if finalizer:
        metadata["finalizers"] = [finalizer]
    if owner is not None:
        reference = {"apiVersion": m.API_VERSION, "kind": owner.manifest["kind"], "name": owner.name}
        metadata["ownerReferences"] = [{**reference, "uid": owner.uid, "blockOwnerDeletion": False}]
    data = fitted(type(spec), dump(spec))
    if kind == "WaveAnalysis":
        data = fitted(type(spec), lightened(data, MOST_SEEN))
    return {
        "apiVersion": m.API_VERSION,
        "kind": kind,
        "metadata": metadata,
        "spec": data,
    }
