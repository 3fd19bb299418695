"""The demo: a real Git repository, the sandbox's shop, three changes and what becomes of them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestrator.adapters.git import GitRepository
from orchestrator.engine.embedded import Embedded
from orchestrator.errors import BadInput
from orchestrator.rollout import model as m
from orchestrator.rollout.layout import arrange
from orchestrator.rollout.next import State
from orchestrator.rollout.objects import owned
from orchestrator.rollout.resource import load, new
from orchestrator.sandbox import shop, shop_workloads
from orchestrator.sandbox.world import World, build
from orchestrator.steps.context import POLICY, Context
from orchestrator.steps.start import find_source, start

SOURCE_NAME = "shop"
_AUTHOR = ("netpol-canary demo", "demo@netpol-canary.invalid")


@dataclass(frozen=True)
class Scenario:
    """A commit on top of the shop's policies; None deletes a file."""

    name: str
    subject: str
    files: dict[str, str | None]


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
    ]


def strategy() -> m.Strategy:
    """Canary, three more, the rest; errors, volume and scrape watched for a minute."""

    def requests(side: str, more: str = "") -> str:
        series = f'http_{side}_requests_total{{namespace=~"$namespaces"{more}}}'
        return f"sum by (namespace) (increase({series}[$window]))"

    metrics = [
        m.MetricSpec(
            name="client-errors",
            kind="ratio",
            errors=requests("client", ',outcome="error"'),
            total=requests("client"),
            maximum=0.02,
            max_increase=0.01,
            required=False,
        ),
        m.MetricSpec(name="requests", kind="volume", query=requests("server"), min_ratio=0.6),
        m.MetricSpec(name="scrape", kind="scrape", query='sum by (namespace) (up{namespace=~"$namespaces"})'),
    ]
    probes = [
        m.ProbeSpec(name="shop-is-open", source="web/web", destination="catalog/catalog", port=shop.HTTP),
        m.ProbeSpec(
            name="mail-cannot-pay",
            source="email/email",
            destination="payments/payments",
            port=shop.HTTP,
            expect="blocked",
        ),
    ]
    return m.Strategy(
        canary_match_labels=[m.Label(key="tier", value="canary")],
        steps=[m.WaveStep(count=3)],
        settle_seconds=5,
        analysis=m.Analysis(interval_seconds=20, count=3, window_seconds=40, metrics=metrics, probes=probes),
    )


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
    files: dict[str, str | None],
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


def revert(root: Path, author: tuple[str, str] = _AUTHOR) -> None:
    """Take the last commit back by another one."""
    _git(root, "revert", "--no-edit", "HEAD", author=author)


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
) -> Context:
    """The shop with the first commit's policies in force, its source, and two minutes of traffic."""
    first = _git(root, "rev-parse", "HEAD")
    spec = m.PolicySourceSpec(
        git=m.Git(url=str(root)),
        namespaces=m.NamespaceScope(match_labels=[m.Label(key="team", value="shop")]),
        strategy=plan or strategy(),
        identities=list(identities),
    )
    ctx = Context(
        world.cluster,
        world.clock,
        lambda source: GitRepository(source.spec.git.url, cache, source.spec.git.branch),
        lambda plan, name: world.metrics,
        lambda probing, owner, beat: world.prober,
        None,
    )
    source = load(world.cluster.create(new("PolicySource", SOURCE_NAME, ctx.namespace, spec)))
    furnish(world)
    verified = source.status.model_copy(update={"verified_revision": first})
    world.cluster.replace_status(source.with_status(verified))
    world.clock.sleep(120)
    return ctx


def furnish(world: World) -> None:
    """Put the shop's policies in force."""
    files = {name: text.encode() for name, text in shop.files().items()}
    spaces = {o["metadata"]["name"]: o["metadata"]["labels"] for o in shop.namespaces()}
    for name, placed in arrange(files, spaces, [(POLICY.api_version, POLICY.kind)]).items():
        for item in placed:
            world.cluster.create(owned(item.obj, name, SOURCE_NAME))


def play(root: Path, scenario: Scenario, cache: Path) -> tuple[State, str]:
    """One scenario in a shop of its own; the repository is put back afterwards by a revert."""
    world = build()
    ctx = prepare(world, root, cache)
    revision = commit(root, scenario.files, scenario.subject)
    _git(root, "tag", "--force", scenario.name)  # by which `diff` and `check` of a kept repository name it
    started = start(ctx, find_source(ctx, SOURCE_NAME), revision)
    state = Embedded(ctx, "demo").drive(started.rollout)
    revert(root)
    return state, revision
