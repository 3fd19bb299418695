"""Who else acts on the cluster: people, strangers, those who push to Git, those who make and delete namespaces."""

from simulation.process import Process
from simulation.settings import WHOLE
from simulation.workloads import INSIDE, WIDE, random_wide
from simulation.world import HURT, OWN, SPACES, policy, random_spec

from orchestrator.context import APPROVAL, FREEZE, NAMESPACE, POLICY, ROLLOUT, SOURCE, read
from orchestrator.errors import NetpolCanaryError
from orchestrator.operations import requests
from orchestrator.operations.approve import Decision, decide
from orchestrator.operations.declare_emergency import declare
from orchestrator.rollout.resources.resource import load

VERBS = (
    "abort",
    "pause",
    "resume",
    "rollback",
    "retry",
    "approve",
    "approve",
    "reject",
    "freeze",
    "delete",
    "by hand",
)
HURRIED = ("hurry", "hurry", "hurry by hand")  # where a source allows it
JUMPS = (-600, -30, -5, 5, 30, 600)  # seconds
BAD = ("kind: [", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n", "- 1\n", "apiVersion: 3\n")


class Actors:
    """Each runs until the chaos is over, with pauses drawn around its mean."""

    def __init__(self, run):
        self.run, self.draw = run, run.scheduler.random
        self._made = 0

    def start(self):
        given = self.run.settings
        for every, act in (
            (given.pushes_every, self.push),
            (given.people_every, self.ask),
            (given.strangers_every, self.meddle),
            (given.namespaces_every, self.come_and_go),
            (given.freezes_every, self.stall),
            (given.clock_every, self.set_clock),
            (given.restarts_every, self.restart),
            (given.sizes.pods_every, self.run.workloads.replace_pod),
            (given.sizes.turns_every, self.run.workloads.turn),
            (20.0 if given.silence else 0.0, self.silence),
        ):
            if every:
                self._every(every, act)

    def _every(self, mean, act):
        scheduler = self.run.scheduler

        def again():
            if not self.run.quiet:
                act()
                scheduler.at(self.draw.expovariate(1 / mean), again)

        scheduler.at(self.draw.expovariate(1 / mean), again)

    def push(self):
        """A change of a source: good, hurting, broken, or none at all."""
        name = self.draw.choice(self.run.settings.sources)
        random_push(
            self.run.repositories[name], self.draw, self.run.settings.hurting, sizes=self.run.sizes(name)
        )

    # Strangers write as whoever they are, at once

    def _as(self, actor):
        self.run.cluster.actor = actor
        return self.run.cluster

    def _spaces(self):
        names = [o["metadata"]["name"] for o in self._as("stranger-0").list(NAMESPACE)]
        return [n for n in names if n != OWN]

    def meddle(self):
        """Edit or delete a policy of ours, or make one of one's own; a same name now and then."""
        cluster, space = self._as("stranger-0"), self.draw.choice(self._spaces())
        found = cluster.list(POLICY, space)
        if self.run.settings.sizes.wide and self.draw.random() < 0.3:
            self._meddle_with_all(cluster.list(WIDE))
            return
        choice = self.draw.random()
        try:
            if choice < 0.35 and found:
                obj = self.draw.choice(found)
                cluster.replace({**obj, "spec": random_spec(self.draw)})
            elif choice < 0.6 and found:
                meta = self.draw.choice(found)["metadata"]
                cluster.delete(POLICY, meta["name"], space, uid=meta["uid"], resource_version="")
            else:
                self._made += 1
                name = f"own-{self._made}" if choice < 0.95 else f"p{self.draw.randrange(3)}"
                cluster.create(policy(name, random_spec(self.draw), space))
        except NetpolCanaryError:
            return

    def _meddle_with_all(self, found):
        """Edit or delete a policy of the whole cluster, or make one of one's own."""
        cluster, draw = self._as("stranger-0"), self.draw
        try:
            if found and draw.random() < 0.7:
                obj = draw.choice(found)
                meta = obj["metadata"]
                if draw.random() < 0.5:
                    rest = {k: v for k, v in obj.items() if k not in ("spec", "specs")}
                    cluster.replace({**rest, "spec": random_wide(draw)})
                else:
                    cluster.delete(WIDE, meta["name"], None, uid=meta["uid"], resource_version="")
            else:
                self._made += 1
                kind = {"apiVersion": WIDE.api_version, "kind": WIDE.kind}
                cluster.create({**policy(f"own-{self._made}", random_wide(draw)), **kind})
        except NetpolCanaryError:
            return

    def come_and_go(self):
        """A namespace appears, or one that appeared is deleted."""
        cluster, draw = self._as("stranger-0"), self.draw
        source = draw.choice(self.run.settings.sources)
        fixed = {n for some in SPACES.values() for n in some}
        extra = [n for n in self._spaces() if n not in fixed]
        if extra and draw.random() < 0.5:
            meta = cluster.get(NAMESPACE, draw.choice(extra))["metadata"]
            cluster.delete(NAMESPACE, meta["name"], None, uid=meta["uid"], resource_version="")
            return
        self._made += 1
        name = draw.choice((f"new{self._made}", "new"))
        if name not in extra:
            make_namespace(cluster, name, source)
            if self.run.sizes(source).pods_every:
                self.run.workloads.populate(name)

    def stall(self):
        """A process stands still for a while, or its calls take long: a busy node, a bad line."""
        found, now = self._working(), self.run.scheduler.time
        if found and self.draw.random() < 0.5:
            self.run.count("freeze")
            self.draw.choice(found).frozen_until = now + self.draw.uniform(1, 60)
        elif found:
            self.run.count("slow spell")
            self.draw.choice(found).slow_until = now + self.draw.uniform(10, 60)

    def _working(self):
        kinds = ("engine", "runner", "pod", "guard")
        return [p for p in self.run.processes if p.alive and p.kind in kinds]

    def restart(self):
        """An engine is told to end in good order, as in an upgrade; another one begins."""
        found = [p for p in self.run.processes if p.alive and p.kind == "engine"]
        if found:
            self.run.count("restart")
            self.draw.choice(found).stopping = True

    def set_clock(self):
        """Somebody sets the wall clock of a process."""
        found = self._working()
        if found:
            self.run.count("clock")
            by = -given if (given := self.run.settings.setback) else self.draw.choice(JUMPS)
            self.draw.choice(found).wrong += by

    def silence(self):
        """The metrics go away and come back."""
        given = self.run.settings.silence
        self.run.truth.silent = (
            self.draw.choice(("empty", "error", "nan")) if self.draw.random() < given else ""
        )

    # People ask as the command line does

    def ask(self):
        verbs = VERBS + (HURRIED if self.run.settings.emergencies else ())
        verb, source = self.draw.choice(verbs), self.draw.choice(self.run.settings.sources)
        self.as_person(lambda ctx: self._asked(ctx, verb, source))

    def as_person(self, work):
        """In a process of their own, with what they may do."""
        run = self.run
        self._made += 1
        process = Process(run.scheduler, "person", f"person-{self._made}")
        user = self.draw.choice(("mia", "joe", "ann"))
        hurried = ("on-call",) if run.settings.emergencies else ()
        cluster = run.cluster.acting_as(user, "release-engineers", *hurried)
        ctx = run.context(process, cluster)

        def body():
            try:
                work(ctx)
            except NetpolCanaryError:
                return

        process.start(body, run.ended(process))

    def _asked(self, ctx, verb, source):
        if verb == "freeze":
            self._freeze(ctx)
            return
        if verb == "retry":
            requests.release(ctx, load(ctx.cluster.get(SOURCE, source, OWN)))
            return
        rollout = requests.find_rollout(ctx, source)
        if verb in ("by hand", "hurry by hand"):
            self._say_by_hand(ctx, rollout, "approve" if verb == "by hand" else "emergency")
            return
        if verb == "hurry":
            declare(ctx, read(ctx, rollout.name), "all is down")
            return
        if verb in ("approve", "reject"):
            decide(
                ctx, read(ctx, rollout.name), Decision(verb, "so be it", self.draw.choice((None, None, 1)))
            )
        elif verb == "delete":
            meta = rollout.manifest["metadata"]
            ctx.cluster.delete(ROLLOUT, rollout.name, OWN, uid=meta["uid"], resource_version="")
        else:
            requests.ask(ctx, rollout, verb)

    def _say_by_hand(self, ctx, rollout, decision):
        """What kubectl creates: by the change's author, or for a plan that there was yesterday."""
        user, groups = ctx.cluster.user()
        last = len(rollout.spec.waves) - 1 if decision == "approve" else rollout.status.wave
        spec = {"rollout": rollout.name, "wave": last, "user": user, "comment": "by hand"}
        digest = self.draw.choice((rollout.spec.plan_digest, "sha256:0"))
        spec |= {"groups": list(groups), "decision": decision, "planDigest": digest}
        self._made += 1
        meta = {"name": f"by-hand-{self._made}", "namespace": OWN}
        kind = {"apiVersion": APPROVAL.api_version, "kind": APPROVAL.kind}
        ctx.cluster.create({**kind, "metadata": meta, "spec": spec})

    def _freeze(self, ctx):
        standing = ctx.cluster.list(FREEZE, OWN)
        if standing:
            thaw(ctx)
            return
        meta = {"name": "freeze", "namespace": OWN}
        spec = {"reason": "a quiet hour", "user": "mia"}
        kind = {"apiVersion": FREEZE.api_version, "kind": FREEZE.kind}
        ctx.cluster.create({**kind, "metadata": meta, "spec": spec})


def thaw(ctx):
    """Every freeze ends."""
    for obj in ctx.cluster.list(FREEZE, OWN):
        meta = obj["metadata"]
        ctx.cluster.delete(FREEZE, meta["name"], OWN, uid=meta["uid"], resource_version="")


def attend(ctx, tries):
    """What a patient person does in the quiet time about every rollout that waits for one; `tries` counts by rollout."""
    thaw(ctx)
    for obj in ctx.cluster.list(ROLLOUT, OWN):
        rollout = load(obj)
        if rollout.status.phase != "Paused" or rollout.status.paused_for == "workload":
            continue
        tries[rollout.name] = count = tries.get(rollout.name, 0) + 1
        try:
            if count > 3:
                requests.ask(ctx, rollout, "abort")
            elif rollout.status.paused_for == "approval":
                decide(ctx, read(ctx, rollout.name), Decision("approve", "fine"))
            else:
                requests.ask(ctx, rollout, "resume")
        except NetpolCanaryError:
            continue


def make_namespace(cluster, name, source):
    meta = {"name": name, "labels": {"team": source}}
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})


def random_push(repository, draw, hurting, first=False, sizes=WHOLE):
    """One commit; the first one is good."""
    spaces = SPACES[repository.name]
    choice = draw.random()
    if not first and choice < 0.1:
        return repository.push({}, {}, draw.choice(BAD))
    shared = {f"p{i}": random_spec(draw) for i in range(3) if draw.random() < 0.6}
    own = {s: {f"q{i}": random_spec(draw) for i in range(2) if draw.random() < 0.4} for s in spaces}
    if not shared:
        shared = {"p0": random_spec(draw)}
    wide = {f"w{i}": random_wide(draw) for i in range(2) if draw.random() < 0.7} if sizes.wide else {}
    if sizes.expand or sizes.follow:
        shared, own = _on_one_port(draw, shared, own)
    if not first and draw.random() < hurting:
        if wide and draw.random() < 0.5:
            wide[HURT] = {"endpointSelector": INSIDE, "ingress": [{}]}
            return repository.push(shared, own, wide=wide)
        place = shared if draw.random() < 0.5 else own[draw.choice(spaces)]
        place[HURT] = {"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": ["Ingress"]}
    return repository.push(shared, own, wide=wide)


def _on_one_port(draw, shared, own):
    """In and out on a port that the next commit may change: where nothing else allows more, that needs both ends."""
    rule = {"ports": [{"port": draw.choice((80, 8080)), "protocol": "TCP"}]}
    spec = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [rule], "egress": [rule]}
    if draw.random() < 0.7:
        return {"port": spec}, {space: {} for space in own}
    return {**shared, "port": spec}, own
