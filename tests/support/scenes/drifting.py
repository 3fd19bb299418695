"""A stage whose first revision is in force, and what people change there by hand."""

from dataclasses import replace

from stage import Rounds, Stage

from orchestrator.context import POLICY

FIRST = "shop-cccccccccc"


class Told:
    """A notifier that keeps what it was told: `events` with the kind and the name of what each is about."""

    def __init__(self):
        self.events = []

    def notify(self, obj, reason, message, warning):
        self.events.append((obj["kind"], obj["metadata"]["name"], reason, message, warning))

    def of(self, kind):
        """Reason, message and whether it is a warning."""
        return [event[2:] for event in self.events if event[0] == kind]


class Drifting(Rounds):
    """A controller on a stage whose first revision is in force."""

    def __init__(self, good=True, **spec):
        super().__init__(Stage(good))
        self.told = Told()
        self.controller._drift.ctx = replace(self.controller.ctx, notifier=self.told)
        self.set(**spec)
        self.go(12)
        assert set(self.rollouts().values()) == {"Succeeded"}

    def set(self, **spec):
        self.stage.change(**spec)

    def edit(self, namespace="web", name="allow", manager="kubectl-edit", **spec):
        fresh = self.stage.cluster.get(POLICY, name, namespace)
        time = self.stage.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        fresh["metadata"]["managedFields"] = [{"manager": manager, "time": time, "fieldsV1": {}}]
        self.stage.cluster.replace({**fresh, "spec": {**fresh["spec"], **(spec or {"podSelector": {}})}})
        return time

    def remove(self, namespace, name):
        self.stage.remove(POLICY, name, namespace)

    def found(self, kind="Drifted"):
        return {c.type: c for c in self.stage.shop().status.conditions}[kind]
