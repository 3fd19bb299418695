"""A PolicySource by its name in the cluster, from a file, or that of the demo's shop."""

from dataclasses import replace
from pathlib import Path

from orchestrator.adapters.given_files import unreadable
from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.context import SOURCE, Context
from orchestrator.errors import BadInput, NotFound
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.files.nearest import did_you_mean
from orchestrator.policy.files.shape import shown
from orchestrator.rollout.resources.resource import Source, dump, load, new
from orchestrator.sources.known_names import meant

ENDINGS = (".yaml", ".yml", ".json")
_PARTS = ("apiVersion", "kind", "metadata", "spec", "status")


def is_file(reference: str) -> bool:
    """A name has neither a slash nor one of the endings."""
    return "/" in reference or reference.endswith(ENDINGS)


def from_file(path: str) -> Source:
    """The one PolicySource of a file. Raises BadInput with file and line."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise unreadable(error, Path(path), "give --source a file or a name") from None
    documents = parse(content, path)
    if len(documents) != 1:
        number = "no object" if not documents else f"{len(documents)} objects"
        raise BadInput(f"holds {number}, and one PolicySource is wanted", path)
    document = documents[0]
    strange = next((name for name in document.obj if name not in _PARTS), "")
    if strange and document.obj["kind"] == "PolicySource":
        fix = did_you_mean(strange, _PARTS, f"take one of {', '.join(_PARTS)}")
        raise BadInput(
            f"PolicySource {shown(strange)}: unknown field", document.where, fix, document.cited(strange)
        )
    found: Source = load(document.obj, document=document)
    if found.manifest["kind"] != "PolicySource":
        kind = found.manifest["kind"]
        raise BadInput(f"{kind} is not a PolicySource", document.where, cited=document.cited("kind"))
    return found


def chosen(target: Target, reference: str, sandbox: bool, question: str) -> tuple[Context, Source]:
    """The source that is named, in the cluster or in the demo's shop. Raises BadInput with the question where none is."""
    if sandbox:
        return _in_sandbox(reference)
    if not reference:
        raise BadInput(question, hint="give --source NAME|FILE, or --sandbox for the demo's shop")
    ctx = wiring.connected(target)
    return ctx, find(ctx, reference)


def find(ctx: Context, reference: str) -> Source:
    """The source to work with: a file's spec with the status of the same source in the cluster."""
    if not is_file(reference):
        return standing(ctx, reference)
    given = from_file(reference)
    try:
        there = standing(ctx, given.name)
    except BadInput:
        return given
    metadata = {**given.manifest["metadata"], "uid": there.uid}
    return replace(given, manifest={**given.manifest, "metadata": metadata}, status=there.status)


def standing(ctx: Context, name: str) -> Source:
    """The source of that name in the cluster. Raises BadInput."""
    try:
        found: Source = load(ctx.cluster.get(SOURCE, name, ctx.namespace))
    except NotFound as error:
        if "no PolicySource of" in str(error):
            raise
        text = f"there is no PolicySource {name} in the namespace {ctx.namespace}"
        raise BadInput(
            text, hint=meant(ctx, name, "`netpol-canary get sources` lists them", SOURCE)
        ) from None
    return found


def written(ctx: Context, given: Source) -> Source:
    """The file's source in the cluster, created or brought to the file's spec."""
    meta = given.manifest["metadata"]
    body = {**given.manifest, "metadata": {**meta, "namespace": ctx.namespace}, "spec": dump(given.spec)}
    body.pop("status", None)
    try:
        there = ctx.cluster.get(SOURCE, given.name, ctx.namespace)
    except NotFound:
        body["metadata"].pop("uid", None)
        return load(ctx.cluster.create(body))
    if there["spec"] == body["spec"]:
        return load(there)
    return load(ctx.cluster.replace({**there, "spec": body["spec"]}))


def _in_sandbox(reference: str) -> tuple[Context, Source]:
    """The demo's shop with its first policies in force."""
    from orchestrator.sandbox.shop_source import SOURCE_NAME, furnish, spec
    from orchestrator.sandbox.world import build

    world = build()
    world.cluster.latency = 0.0
    if reference and not is_file(reference):
        raise BadInput(f"the sandbox holds no source {reference}", hint="give --source a file, or none")
    if reference:
        source = from_file(reference)
    else:
        source = load(new("PolicySource", SOURCE_NAME, "netpol-canary", spec(".")))
    furnish(world)
    return wiring.in_memory(world, lambda s: wiring.repository(s, lambda name, where: {})), source
