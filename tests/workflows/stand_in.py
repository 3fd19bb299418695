"""Argo in memory on a stage: its rounds come with the simulated clock, its pods are workers that look as time passes."""

from datetime import timedelta

from argo_walk import Argo
from stage import OWN, Stage

from orchestrator.errors import BadInput, NotFound
from workflows.shard_worker import Worker
from workflows.templates import templates
from workflows.wave_workflow import Waves

ROUND = 0.5


class Pod:
    """A worker with the arguments of a pod's command; it looks once each time that it is due."""

    def __init__(self, ctx, argv):
        assert argv[:2] == ["netpol-canary", "step"], argv
        given = dict(zip(argv[3::2], argv[4::2], strict=True))
        self.step, self.code, self.argv = argv[2], None, argv
        self.worker = Worker(ctx, given["--rollout"], int(given["--wave"]), int(given["--shard"]))
        self._due = ctx.clock.now()

    def poll(self):
        now = self.worker.ctx.clock.now()
        if self.code is None and now >= self._due:
            try:
                self.code, wait = self.worker.look(self.step)
            except (BadInput, NotFound):
                self.code, wait = 2, 0.0
            self._due = now + timedelta(seconds=wait)
        return self.code

    def kill(self):
        self.code = -9


class Theatre:
    """A stage whose source says `engine: argo`, with Argo beside it."""

    def __init__(self, good=True, installed=True, **strategy):
        self.stage = Stage(good, engine="argo", **strategy)
        self.before = self.stage.standing()
        if installed:
            for template in templates("netpol-canary:0.1.0", OWN):
                self.stage.cluster.create(template)
        self.pods = []
        self.argo = Argo(self.stage.cluster, OWN, self._begin, self.stage.clock.now)
        self.on_round = []
        self.stage.clock.subscribe(self._round, ROUND)

    def _begin(self, argv, env, name):
        pod = Pod(self.stage.context(), argv)
        self.pods.append(pod)
        return pod

    def _round(self, now):
        for act in self.on_round:
            act(now)
        self.argo.step()

    def engine(self, **more):
        """What `work` is given besides a context."""
        return {"elsewhere": Waves(), **more}
