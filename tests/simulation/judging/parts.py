"""Judges places that change for some of their pods at a time: by a reading of its own of who is under which policies.

Also what goes with a canary deployment, and which pods bear a label. Shares no code with what it judges.
"""

import json
from collections import defaultdict

from simulation.judging.reachability import connections, view
from simulation.workloads import CANARY, CLUSTER, DEPLOYMENTS, SPACE, selects, specs

PRODUCT = ("engine", "guard", "runner", "pod")
PLANNED = 30.0  # seconds at most between what a plan was made from and its records
SEEN = 130.0  # seconds within which somebody acts on what it has read of a deployment, stand still as it may
GIVEN_UP = 200.0  # seconds after which everybody has seen that a new version was given up
FORWARD = ("Pending", "Progressing", "Paused")
LEFT = ("--canary", "--rest", "--new", "netpol-canary-open")


def merged(records, end):
    """The records of each place as one: named and in the phase of the last for `after`, of the first for `before`.

    What changes in a wave that never came counts for `after` alone.
    """
    found = defaultdict(list)
    for record in records:
        found[record["spec"]["rollout"], record["spec"]["namespace"]].append(record)
    reached = {
        key: [r for r in some if end == "after" or _phase(r) != "Pending"] for key, some in found.items()
    }
    return [_as_one(_in_order(reached[key] or some), end) for key, some in found.items()]


def _as_one(some, end):
    if len(some) == 1:
        return some[0]
    named, before, after = some[-1] if end == "after" else some[0], {}, {}
    for record in some:
        old, new = (
            {_name(json.loads(o)): o for o in record["spec"].get(e) or []} for e in ("before", "after")
        )
        for name in {*old, *new}:
            before.setdefault(name, old.get(name))
            after[name] = new.get(name)
    ends = {"before": [o for o in before.values() if o], "after": [o for o in after.values() if o]}
    return {**named, "spec": {**named["spec"], **ends}}


def _in_order(records):
    return sorted(records, key=lambda record: record["spec"]["wave"])


class Parts:
    """Is told of what concerns it by the oracle, which keeps what stands."""

    def __init__(self, oracle, sizes):
        self._oracle, self._sizes = oracle, sizes
        self._pods, self._turns, self._began = {}, [], {}

    def current(self, records):
        """Of the records of one place the one that is being written, forwards or backwards; None where there is none."""
        if len(records) < 2:
            return records[0] if records else None
        rollout = self._oracle.rollouts[records[0]["spec"]["rollout"]]
        mine = _in_order(r for r in records if r["spec"]["rollout"] == rollout["metadata"]["name"])
        if _phase(rollout) in FORWARD:
            return next((r for r in mine if _phase(r) == "Pending"), mine[-1])
        mine = [r for r in mine if r["spec"]["wave"] < _started(rollout)] or mine[:1]
        left = [r for r in mine if _phase(r) not in ("Restored", "Deleted")]
        return left[-1] if left else _as_one(mine, "before")

    def record(self, rollout, item):
        """That of a place in a wave."""
        wanted = item["name"], item.get("stage", 0)
        mine = self._oracle.raw(rollout)
        return next((r for r in mine if (r["spec"]["namespace"], r["spec"].get("stage", 0)) == wanted), None)

    def answering(self, item):
        """The namespaces that have to answer before a wave with this place is promoted."""
        if item["name"] != CLUSTER:
            return [item["name"]]
        known = self._oracle.spaces
        return [n for n in item.get("covers") or [] if n in known and _team(known[n]) == "shop"]

    # Who is under which policies

    def applied(self, actor, record):
        """Each pod of a place is under the new policies alone where a wave has come to it, and else under the old ones."""
        spec = record["spec"]
        rollout = self._oracle.rollouts.get(spec["rollout"])
        mine = [r for r in self._oracle.raw(spec["rollout"]) if r["spec"]["namespace"] == spec["namespace"]]
        if rollout is None or len(mine) < 2 or self._disturbed(record, mine):
            return
        waves = rollout["spec"]["waves"][: spec["wave"] + 1]
        reached = [n for wave in waves for n in wave["namespaces"] if n["name"] == spec["namespace"]]
        whole = _as_one(_in_order(mine), "after")
        before, after = ({_name(o): o for o in _texts(whole, end)} for end in ("before", "after"))
        written = {_name(o) for r in mine for end in ("before", "after") for o in _texts(r, end)}
        live = self._oracle.policies[spec["namespace"]]
        if reached[-1].get("both"):
            rest = {n: o for n, o in live.items() if n not in written}
            self._allows_both(actor, spec["namespace"], {**rest, **before}, {**rest, **after}, live)
            return
        live = {n: o for n, o in live.items() if n in written}
        for pod in self._kinds_of_pods(spec["namespace"], reached):
            new = any(_comes(item, pod) for item in reached)
            found, wanted = _over(live, pod), _over(after if new else before, pod)
            if found != wanted:
                text = f"{actor} has written {spec['namespace']} in wave {spec['wave']}, and {pod} is under {found}"
                self._oracle.violated(f"each pod under {'new' if new else 'old'} policies", text[:600])

    def _disturbed(self, record, mine):
        space, oracle = record["spec"]["namespace"], self._oracle
        since = min(oracle.born(r) for r in mine) - PLANNED
        late = any(place == space for place, _ in oracle.unasked)
        return oracle.strange[space] >= since or late or oracle.another(record)

    def _allows_both(self, actor, space, before, after, live):
        """What either end allows is open; to and from pods elsewhere nothing else is."""
        seen = view(before, after, live)
        old, new, now = (connections(space, policies, seen) for policies in (before, after, live))
        closed = (old | new) - now
        opened = {c for c in now - (old | new) if "there" in (c[0][0], c[1][0])}
        if closed or opened:
            text = f"{actor} has written {space}: closed {sorted(closed, key=repr)[:2]}, open {sorted(opened, key=repr)[:2]}"
            self._oracle.violated("old and new are allowed", text)

    def _kinds_of_pods(self, space, reached):
        spaces = [n for n in self._oracle.spaces if n != CLUSTER] if space == CLUSTER else [space]
        labels = [{}, *({p["key"]: p["value"] for p in item["pods"]} for item in reached if item.get("pods"))]
        return [{SPACE: name, "app": app, **more} for name in spaces for app in "abc" for more in labels]

    # What opens

    def began(self, name, rollout):
        """A rollout was created."""
        self._began[name] = self._oracle.now
        asked = self._sizes.follow and rollout["spec"]["source"] == "shop"
        if asked and rollout["spec"].get("cause", "revision") == "revision" and _contract(rollout) is None:
            self._oracle.violated("opened first, closed later", f"{name} has no two phases")

    def opened(self, name, rollout, wave):
        """Nothing was written where no wave has come yet, and nothing is closed before the new version has all traffic."""
        for record in merged(self._oracle.raw(name), "before"):
            if record["spec"]["wave"] < wave or self._disturbed(record, [record]):
                continue
            for text in self._oracle.differs(record, "before"):
                place = record["spec"]["namespace"]
                self._oracle.violated(
                    "no place before its wave", f"{name} opens wave {wave}, and {place}{text}"
                )
        if self._sizes.follow and rollout["spec"]["source"] == "shop" and wave == _contract(rollout):
            began, now = self._began[name], self._oracle.now
            old = {stable for _, stable in self._states(began - PLANNED, began)}
            seen = {stable for state, stable in self._states(now - SEEN, now) if state == "promoted"}
            if not seen - old and len(old) < 2:
                text = f"{name} opens wave {wave} with {self._turns[-1]}"
                self._oracle.violated("opened first, closed later", text)

    def _states(self, since, until):
        before = [turn[1:] for turn in self._turns if turn[0] <= since][-1:]
        return before + [turn[1:] for turn in self._turns if since < turn[0] <= until]

    def deployment(self, actor, namespace, name, before, after):
        """What a source follows has changed."""
        if actor.split("-")[0] in PRODUCT:
            self._oracle.violated("3 what is not the source's is not written", f"{actor} wrote {name}")
        if not (after.get("status") or {}):
            return
        if (
            self._turns
            and self._turns[-1][1] == "failed"
            and self._oracle.now - self._turns[-1][0] >= GIVEN_UP
        ):
            self._rolled_back(self._turns[-1][0])
        states = DEPLOYMENTS[self._sizes.follow].states
        status = after["status"]
        stable = status[next(k for k, v in states["running"].items() if v == "STABLE")]
        state = next(n for n, s in states.items() if s["phase"] == status["phase"])
        if not self._turns or (state, stable) != self._turns[-1][1:]:
            self._turns.append((self._oracle.now, state, stable))

    def _rolled_back(self, since):
        """Of what has closed nothing yet, where its new version was given up long ago."""
        for name, rollout in self._oracle.rollouts.items():
            first = _contract(rollout)
            if rollout["spec"]["source"] != "shop" or first is None or _started(rollout) > first:
                continue
            if _phase(rollout) in ("Progressing", "Paused") and self._began[name] < since:
                text = f"{name} is {_phase(rollout)} though the new version was given up at {since:.1f} s"
                self._oracle.violated("an abort there rolls back here", text)

    # Pods

    def pod(self, actor, namespace, name, before, after):
        """A pod has changed: nobody of the product's writes anything but the one label."""
        self._oracle.kept(self._pods, (namespace, name), after)
        if actor.split("-")[0] not in PRODUCT:
            return
        asked = self._sizes.pods in ("count", "percent")
        if before is None or after is None or not asked or _without_label(before) != _without_label(after):
            self._oracle.violated("a pod gets one label alone", f"{actor} wrote {namespace}/{name}")

    def finish(self):
        """Nothing of a first step is left."""
        for (space, name), pod in self._pods.items():
            if CANARY in pod["metadata"]["labels"]:
                self._oracle.violated("no label is left", f"{space}/{name}")
        for space, found in self._oracle.policies.items():
            for name in found:
                actor, at = self._oracle.writer.get((space, name), ("", 0.0))
                if any(part in name for part in LEFT) and actor.split("-")[0] in PRODUCT:
                    text = f"{space}/{name} (last written by {actor} at {at:.1f} s)"
                    self._oracle.violated("nothing of a first step is left", text)


def _phase(obj):
    return ((obj or {}).get("status") or {}).get("phase") or "Pending"


def _started(rollout):
    return (rollout.get("status") or {}).get("wavesStarted", 0)


def _team(space):
    return (space["metadata"].get("labels") or {}).get("team")


def _name(obj):
    return obj["metadata"]["name"]


def _texts(record, end):
    return map(json.loads, record["spec"].get(end) or [])


def _contract(rollout):
    """The first wave after those in which old and new are allowed; None where there are none."""
    both = [
        n for n, wave in enumerate(rollout["spec"]["waves"]) if any(p.get("both") for p in wave["namespaces"])
    ]
    return both[-1] + 1 if both else None


def _comes(item, pod):
    """Whether a pod has come to the new policies with a place of a wave."""
    if item.get("both"):
        return False
    if not item.get("stage", 0):
        return True
    labelled = all(pod.get(p["key"]) == p["value"] for p in item.get("pods") or [])
    return labelled and (item["name"] != CLUSTER or pod[SPACE] in (item.get("covers") or []))


def _over(policies, pod):
    """What the policies say that select a pod, each once."""
    found = set()
    for obj in policies.values():
        for spec in specs(obj):
            part = "endpointSelector" if "endpointSelector" in spec else "podSelector"
            if selects(spec[part], pod):
                found.add(json.dumps({k: v for k, v in spec.items() if k != part}, sort_keys=True))
    return sorted(found)


def _without_label(pod):
    meta = {k: v for k, v in pod["metadata"].items() if k not in ("resourceVersion", "generation")}
    labels = {k: v for k, v in meta["labels"].items() if k != CANARY}
    return {**pod, "metadata": {**meta, "labels": labels}}
