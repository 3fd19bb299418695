"""What ingress controllers call beside the backends of an Ingress: whom its annotations have them ask."""

from collections.abc import Iterator

from orchestrator.policy.definitions.entrances.controllers import Controllers
from orchestrator.policy.definitions.entrances.fronts import class_of, fronts
from orchestrator.policy.definitions.needed import Found, space_of
from orchestrator.policy.definitions.texts.addresses import edge_to
from orchestrator.policy.definitions.texts.said_targets import Said
from orchestrator.policy.files.manifest import Document
from orchestrator.policy.workloads.fleet import Workload

_CALLED = ("/auth-url", "/mirror-target")


def ingress_calls(document: Document, known: Controllers, said: Said) -> Iterator[Found]:
    """Of the controllers that are here, with external authentication and mirrors."""
    obj = document.obj
    if obj["kind"] != "Ingress":
        return
    for key, url in (obj["metadata"].get("annotations") or {}).items():
        if not str(key).endswith(_CALLED):
            continue
        origin = f"{key} of Ingress {obj['metadata']['name']} in {document.where}"
        for front in fronts(known, class_of(obj), origin):
            if isinstance(front, Workload):
                for target in said.targets("URL", str(url), space_of(obj), None):
                    yield from edge_to(front, target, origin, said)
