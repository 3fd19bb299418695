"""Some pods of the canary, in a wave before their namespaces: which these are, and where there are none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.adapters.kube.canary_deployments import NoCanary, canary_labels
from orchestrator.adapters.kube.cni import detected
from orchestrator.errors import BadInput, Conflict, Forbidden, NotFound
from orchestrator.planning.touched_pods import TouchedPods
from orchestrator.policy.narrow.scopes import Scope, Unnarrowable
from orchestrator.policy.narrow.unseen_labels import unseen
from orchestrator.ports import Cluster
from orchestrator.rollout.order.plan import NamespacePlan, Plan
from orchestrator.rollout.order.stages import narrowed
from orchestrator.rollout.order.waves import Part, PlannedWave, labels_text, selector_of
from orchestrator.rollout.order.write_path import tag
from orchestrator.rollout.resources.model import Label, Strategy
from orchestrator.rollout.resources.objects import CANARY_LABEL
from orchestrator.rollout.resources.places import worded

LABELS = "grant the right to label pods (`install --with podlabels`), or take matchLabels"
WAYS = "matchLabels, argoRollout, flagger, count and percent"


def unnarrowable(item: NamespacePlan, scope: Scope) -> str:
    """Why what changes in a place cannot change for some of its pods; empty where it can."""
    try:
        narrowed(item, scope)
    except Unnarrowable as why:
        return str(why)
    return ""


@dataclass(frozen=True)
class SomePods:
    """Of a plan that has no such wave yet; `pods` are those that run."""

    cluster: Cluster
    plan: Plan
    strategy: Strategy
    pods: TouchedPods

    def before(self, waves: Sequence[PlannedWave]) -> tuple[Sequence[PlannedWave], tuple[str, ...]]:
        """The waves with theirs in front, and what does not begin with some pods, in words. Raises BadInput."""
        given = self.strategy.canary_pods.model_dump(exclude_defaults=True)
        if len(given) > 1:
            raise BadInput(f"it takes one of {WAYS}", "strategy.canaryPods")
        parts, told = dict[str, Part](), list[str]()
        for place in waves[0].namespaces if given else ():
            found = self._part(place, waves[0].part(place))
            if isinstance(found, Part):
                parts[place] = found
            else:
                told.append(f"{worded(place)} does not begin with some pods: {found}")
        if not parts:
            return waves, tuple(told)
        self._may_label(parts)
        steps = [-1, *range(1, len(waves))]  # the gates of the first wave stand before its pods
        whole_ones = [replace(wave, step=step) for wave, step in zip(waves, steps, strict=True)]
        return [PlannedWave(tuple(parts), f"canary: {self._some(parts)}", parts, 0), *whole_ones], tuple(told)

    def _part(self, place: str, part: Part) -> Part | str:
        """What of a place comes first; why nothing of it does."""
        item, covers, pods, why = self.plan.namespaces[place], list[str](), tuple[Label, ...](), ""
        for name in part.covers:
            found = self._labels(item, name)
            if isinstance(found, str):
                why = found
            elif not pods or found == pods:
                pods, covers = found, [*covers, name]
        if not pods:
            return why or "no pod is there that the change is about"
        scope = Scope(None, selector_of(pods))
        why = unnarrowable(item, scope)
        if "cilium" in detected(self.cluster, self.strategy.cni):
            why = why or unseen(scope, self.pods.agent)
        return why or Part(tuple(covers), pods)

    def _labels(self, item: NamespacePlan, namespace: str) -> tuple[Label, ...] | str:
        """Those of the pods of a namespace that come first; why there are none."""
        plan, policies = self.strategy.canary_pods, [*item.before, *item.after]
        if plan.labels:
            if namespace.startswith("kube-"):  # as config/podlabels has it
                return "pods of the system are not labelled"
            several = any(plan.of(len(pods)) > 0 for pods in self.pods.ready(policies, namespace))
            ours = (Label(key=CANARY_LABEL, value=tag(self.plan.source)),)
            return ours if several else "no workload that the change is about has two pods that are ready"
        try:
            labels = tuple(plan.match_labels) or canary_labels(self.cluster, plan, namespace)
        except NoCanary as why:
            return str(why)
        there = namespace in self.pods.namespaces(policies, labels)
        return labels if there else f"no pod with {labels_text(labels)} is there that the change is about"

    def _may_label(self, parts: Mapping[str, Part]) -> None:
        """Raises BadInput where pods may not get the label: a dry run on one of them."""
        if not self.strategy.canary_pods.labels:
            return
        place, part = next(iter(parts.items()))
        item = self.plan.namespaces[place]
        pod = self.pods.ready([*item.before, *item.after], part.covers[0])[0][0]
        labels = {**(pod["metadata"].get("labels") or {}), part.pods[0].key: part.pods[0].value}
        try:
            self.cluster.replace({**pod, "metadata": {**pod["metadata"], "labels": labels}}, dry_run=True)
        except Forbidden as error:
            raise BadInput(f"pods may not be labelled: {error}", "strategy.canaryPods", LABELS) from None
        except (Conflict, NotFound):  # it moves, as pods do
            return

    def _some(self, parts: Mapping[str, Part]) -> str:
        plan = self.strategy.canary_pods
        if plan.labels:
            return f"{plan.count if plan.count else f'{plan.percent} %'} of the pods of each workload"
        return f"pods with {labels_text(next(iter(parts.values())).pods)}"
