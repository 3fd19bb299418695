"""Puts the real parts together: a cluster, Git, metric sources, Events, the machine's clock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.cli.app import Target
from orchestrator.context import Context
from orchestrator.ports import Clock, Cluster, PolicyRepository, Prober
from orchestrator.rollout.next import Action, State
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import Source

if TYPE_CHECKING:
    from orchestrator.adapters.identities.github_app import GitHubApps
    from orchestrator.adapters.identities.grants import Grants
    from orchestrator.adapters.identities.renewed_token import RenewedToken
    from orchestrator.adapters.notify.messengers import Messengers
    from orchestrator.engine.delivery.dispatcher import Dispatcher
    from orchestrator.sandbox.world import World

PROBE_IMAGE = "NETPOL_CANARY_PROBE_IMAGE"
PAGES_URL = "NETPOL_CANARY_PAGES__URL"
Read = Callable[[str, str], Mapping[str, bytes]]


def connected(target: Target, stop: threading.Event | None = None) -> Context:
    """The ports on a real cluster. Raises BadInput where there is none."""
    from orchestrator.adapters.kube.cluster import connect

    return over(connect(target.kubeconfig, target.context), target, stop)


def over(
    cluster: Cluster,
    target: Target,
    stop: threading.Event | None = None,
    granted: Callable[[], Grants] | None = None,
) -> Context:
    """The ports around a cluster that is there already; what is granted stands in the environment, or is given."""
    from orchestrator.adapters.clock import SystemClock
    from orchestrator.adapters.identities.github_app import GitHubApps
    from orchestrator.adapters.identities.provider_identities import Identities
    from orchestrator.adapters.kube.events import EventNotifier
    from orchestrator.adapters.metrics.metric_sources import Sources
    from orchestrator.engine.worker import threads

    clock = SystemClock(stop)
    read, apps = _secrets(cluster, target), GitHubApps(clock)
    return Context(
        cluster,
        clock,
        lambda source: repository(source, read, apps),
        Sources(cluster, clock, read, Identities(clock, granted or _granted)).get,
        lambda probing, owner, beat: prober(cluster, clock, probing, owner, beat, target.probe_image),
        EventNotifier(cluster, clock),
        target.namespace,
        threads,
    )


def in_memory(world: World, policies: Callable[[Source], PolicyRepository]) -> Context:
    """The ports of a sandbox's world, with policies from elsewhere."""
    return Context(
        world.cluster,
        world.clock,
        policies,
        lambda plan, name: world.metrics,
        lambda probing, owner, beat: world.prober,
        None,
    )


def waves() -> Callable[[Context, State, Action], bool]:
    """Who takes the work of open waves whose source says `engine: argo`; hera is loaded when the first one comes."""

    def elsewhere(ctx: Context, state: State, action: Action) -> bool:
        if state.rollout.spec.strategy.engine != "argo":
            return False
        from workflows.wave_workflow import Waves

        return Waves()(ctx, state, action)

    return elsewhere


def courier(ctx: Context, target: Target, holder: str, base: str = "", **more: Any) -> Dispatcher:
    """Who tells Git hosts and people; `base` is the address of the pages, else that of the environment."""
    from orchestrator.adapters.githosts.git_host import Hosts
    from orchestrator.engine.delivery.dispatcher import Dispatcher
    from orchestrator.engine.delivery.receivers import Sender

    hosts, people = Hosts(ctx.clock, _secrets(ctx.cluster, target)), messengers(ctx, target)
    post = Sender(ctx, hosts.get, people.get, base or os.environ.get(PAGES_URL, ""))
    return Dispatcher(ctx, holder, post, **more)


def messengers(ctx: Context, target: Target) -> Messengers:
    """Who sends messages to people, with the addresses of Secrets."""
    from orchestrator.adapters.notify.messengers import Messengers

    return Messengers(_secrets(ctx.cluster, target))


def _granted() -> Grants:
    """What the environment grants, as `serve` reads it."""
    from orchestrator.server.settings import load

    return load().identity


def _secrets(cluster: Cluster, target: Target) -> Read:
    from orchestrator.adapters.kube.secrets import Secrets

    return Secrets(cluster, target.namespace, target.secrets).read


def repository(source: Source, read: Read, apps: GitHubApps | None = None) -> PolicyRepository:
    """The source's Git repository, with a clone in the user's cache directory; signatures checked where it asks.

    `apps` holds the tokens of GitHub Apps.
    """
    from orchestrator.adapters.git.program import Credentials
    from orchestrator.adapters.git.repository import GitRepository
    from orchestrator.adapters.git.signatures import SignedRepository, Signers

    git = source.spec.git
    where = f"PolicySource {source.name} spec.git.secretRef"
    data = read(git.secret_ref, where)
    credentials = Credentials.from_secret(data)
    if apps and (tokens := _app_tokens(apps, data, git.url, credentials.authorities, where)):
        credentials = replace(credentials, tokens=tokens)
    found = GitRepository(git.url, cache_directory(), git.branch, git.path, credentials, git.timeout_seconds)
    if git.verify.mode == "none":
        return found
    where = f"PolicySource {source.name} spec.git.verify.secretRef"
    signers = Signers.from_secret(read(git.verify.secret_ref, where), where)
    return SignedRepository(found, git.verify.mode, signers, source.status.current_revision)


def _app_tokens(
    apps: GitHubApps, data: Mapping[str, bytes], url: str, authorities: str, where: str
) -> RenewedToken | None:
    """To read that repository by, where the Secret holds a GitHub App."""
    from orchestrator.adapters.identities.github_app import FETCH, App

    app = App.from_secret(data, where)
    if app is None:
        return None
    return apps.token(app, app.repository(url, where), FETCH, authorities=authorities)


def prober(
    cluster: Cluster,
    clock: Clock,
    probing: m.Probing,
    owner: str,
    beat: Callable[[], None] = lambda: None,
    own: str = "",
) -> Prober | None:
    """Who tries connections, as Jobs of the strategy's image or of this program's own; None where neither is known."""
    from orchestrator.adapters.probes.prober import JobProber

    image = probing.image or own or os.environ.get(PROBE_IMAGE, "")
    return JobProber(cluster, clock, probing, image, owner, beat) if image else None


def cache_directory() -> Path:
    """`$XDG_CACHE_HOME/netpol-canary`, or the same below ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netpol-canary"
