"""The demo: a real Git repository, the sandbox's shop, seven changes and what becomes of them."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.git.repository import GitRepository
from orchestrator.cli import wiring
from orchestrator.context import Context
from orchestrator.engine.worker import Embedded
from orchestrator.errors import BadInput
from orchestrator.operations.start import find_source, start
from orchestrator.rollout.next import State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import load, new
from orchestrator.sandbox import shop, shop_workloads
from orchestrator.sandbox.shop_source import SOURCE_NAME, beginning_with_pods, expanding, furnish, spec
from orchestrator.sandbox.world import World, build

_AUTHOR = ("netpol-canary demo", "demo@netpol-canary.invalid")


@dataclass(frozen=True)
class Scenario:
    """A commit on top of the shop's policies; None deletes a file.

    `first` are files that are in force before it. `replicas` are the pods of namespaces with more than one; `strategy` is the source's, where it is not the usual one.
    """

    name: str
    subject: str
    files: Mapping[str, str | None]
    replicas: Mapping[str, int] = field(default_factory=dict)
    strategy: Callable[[], m.Strategy] | None = None
    first: Mapping[str, str] = field(default_factory=dict)


def scenarios() -> list[Scenario]:
    """What the demo shows, in order."""
    tight = ("accounts", "cart", "catalog", "email", "inventory", "orders", "shipping")
    return [
        Scenario(
            "good-change",
            "Let callers reach the HTTP port only",
            {f"{n}/callers.yaml": shop.callers_policy(n, tight=True) for n in tight},
        ),
        Scenario(
            "breaks-checkout",
            "Let callers of payments and web reach the HTTP port only",
            {
                "payments/callers.yaml": shop.callers_policy(
                    "payments", tight=True, rename={"checkout": "chekout"}
                ),
                "web/callers.yaml": shop.callers_policy("web", tight=True),
            },
        ),
        Scenario(
            "cuts-scrape",
            "Remove policies that nobody seems to need",
            {"search/scrape.yaml": None, "inventory/scrape.yaml": None},
        ),
        Scenario(
            "cilium",
            "Deny whatever callers.yaml does not allow, by Cilium",
            {f"{n}/deny.yaml": shop.deny_policy() for n in ("accounts", "inventory", "payments")},
        ),
        Scenario(
            "pods",
            "Let callers of payments reach the HTTP port only",
            {
                "payments/callers.yaml": shop.callers_policy(
                    "payments", tight=True, rename={"checkout": "chekout"}
                ),
            },
            {"payments": 4},
            beginning_with_pods,
        ),
        Scenario(
            "expand",
            "Move payments to another port",
            _paying(8443),
            strategy=expanding,
            first=_paying(shop.HTTP),
        ),
        Scenario(
            "cluster-wide",
            "Deny other ports than HTTP in the whole cluster",
            {"_cluster/http-alone.yaml": shop.http_alone_policy()},
        ),
    ]


def _paying(port: int) -> dict[str, str]:
    """Both ends of what checkout asks of payments."""
    return {
        "payments/callers.yaml": shop.callers_policy("payments", tight=True, port=port),
        "checkout/calls.yaml": shop.calls_policy("checkout", {"payments": port}),
    }


def _git(root: Path, *args: str, author: tuple[str, str] = _AUTHOR, at: datetime | None = None) -> str:
    identity = ["-c", f"user.name={author[0]}", "-c", f"user.email={author[1]}"]
    plain = ["-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0"]
    command = ["git", "-C", str(root), *identity, *plain, *args]
    dates = {f"GIT_{who}_DATE": at.isoformat() for who in ("AUTHOR", "COMMITTER")} if at else {}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **dates}
        )
    except FileNotFoundError:
        raise BadInput("the git program is missing", hint="install git") from None
    if done.returncode:
        raise BadInput(f"git {args[0]} failed: {done.stderr.strip()}", str(root))
    return done.stdout.strip()


def commit(
    root: Path,
    files: Mapping[str, str | None],
    subject: str,
    author: tuple[str, str] = _AUTHOR,
    at: datetime | None = None,
) -> str:
    """Write files, commit, and give the commit's id."""
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", subject, author=author, at=at)
    return _git(root, "rev-parse", "HEAD")


def revert(root: Path, author: tuple[str, str] = _AUTHOR, what: str = "HEAD") -> None:
    """Take a commit back by another one: the last."""
    _git(root, "revert", "--no-edit", what, author=author)


@contextlib.contextmanager
def repository(keep: Path | None) -> Iterator[Path]:
    """A new Git repository with the shop's policies; in a temporary directory unless it is kept."""
    with contextlib.ExitStack() as stack:
        if keep is None:
            root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netpol-canary-demo-")))
        else:
            if keep.exists() and any(keep.iterdir()):
                raise BadInput("the directory is not empty", str(keep), "give --keep a new one")
            keep.mkdir(parents=True, exist_ok=True)
            root = keep
        _git(root, "init", "-q", "-b", "main")
        commit(root, {**shop.files(), **shop_workloads.files()}, "The shop's policies")
        yield root


def prepare(
    world: World,
    root: Path,
    cache: Path,
    plan: m.Strategy | None = None,
    identities: Sequence[m.Identity] = (),
    more: Mapping[str, str] | None = None,
) -> Context:
    """The shop with the first commit's policies in force, its source, and two minutes of traffic."""
    first = _git(root, "rev-parse", "HEAD")
    ctx = wiring.in_memory(world, lambda s: GitRepository(s.spec.git.url, cache, s.spec.git.branch))
    wanted = spec(str(root), plan, identities)
    source = load(world.cluster.create(new("PolicySource", SOURCE_NAME, ctx.namespace, wanted)))
    furnish(world, more)
    verified = source.status.model_copy(update={"current_revision": first})
    world.cluster.replace_status(source.with_status(verified))
    world.clock.sleep(120)
    return ctx


def play(root: Path, scenario: Scenario, cache: Path) -> tuple[State, str]:
    """One scenario in a shop of its own; the repository is restored afterwards by a revert."""
    world = build(replicas=scenario.replicas)
    before = commit(root, scenario.first, f"Before: {scenario.subject}") if scenario.first else ""
    ctx = prepare(world, root, cache, scenario.strategy() if scenario.strategy else None, more=scenario.first)
    revision = commit(root, scenario.files, scenario.subject)
    _git(root, "tag", "--force", scenario.name)  # by which `diff` and `check` of a kept repository name it
    started = start(ctx, find_source(ctx, SOURCE_NAME), revision)
    state = Embedded(ctx, "demo").drive(started.rollout)
    revert(root)
    if before:
        revert(root, what=before)
    return state, revision
