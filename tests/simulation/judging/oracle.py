"""Judges a run by what the API server stored: the promises of README and design.md, worked out anew from raw objects.

Shares no code with what it judges.
"""

import json
from collections import defaultdict

from receivers import Receivers
from simulation.judging.parts import Parts, merged
from simulation.judging.reachability import connections, view
from simulation.process import REQUEST_SECONDS
from simulation.workloads import CLUSTER, DEPLOYMENTS, WIDE

TERMINAL = ("Succeeded", "RolledBack", "Failed", "Superseded")
SOURCE, BRIDGE, ROLLOUT = (f"netpol-canary.dev/{n}" for n in ("source", "bridge", "rollout"))
PRODUCT = ("engine", "guard", "runner", "pod")
LOOKS = 1  # good answers that a wave needs at least; errors are borne up to errorLimit
LATE = 65.0  # seconds within which a creation that landed late is undone
PLANNED = 30.0  # seconds at most between what a plan was made from and its records


class Oracle:
    """`saw` is told of each change; `violations` are kept as (rule, text)."""

    def __init__(self, scheduler, repositories, truth, sizes):
        self._scheduler, self._repositories, self._truth = scheduler, repositories, truth
        self.violations, self.journal = [], []
        self.policies, self.rollouts, self.records = defaultdict(dict), {}, {}
        self.analyses, self.approvals, self.spaces, self.sources = {}, {}, {}, {}
        self.writer, self.knew = {}, {}
        self.applied, self.strange, self.released = {}, defaultdict(float), defaultdict(int)
        self.receivers = Receivers()
        self.ended, self.tainted, self.frozen = {}, set(), {}
        self.holders, self.looked, self.wrote, self.sent_away = {}, {}, {}, defaultdict(set)
        self.passing, self.unasked, self.turned = {}, set(), {}
        self.made, self.sought = {}, {}  # who created what stands; when who looked for bridges alone
        self.sent, self.waits, self.checked = 0.0, True, ("", 0.0)  # of the request that takes effect
        self.parts = Parts(self, sizes)
        if sizes.wide:
            meta = {"name": CLUSTER, "uid": CLUSTER, "labels": {"team": "shop"}}
            self.spaces[CLUSTER] = {"metadata": meta}

    @property
    def now(self):
        return self._scheduler.time

    def violated(self, rule, text):
        if (rule, text) not in self.violations:
            self.violations.append((rule, f"at {self.now:.1f} s: {text}"))

    def read(self, actor, namespace, labels):
        """Policies were listed, in one namespace or all; with labels, some of them."""
        if labels:
            self.sought[actor] = self.now
        elif actor.split("-")[0] in PRODUCT:
            self.looked[actor, namespace] = self.now

    def asked(self, actor, namespace, deleted):
        """A write of a policy reaches the API server, whatever comes of it. `deleted` is a name."""
        record = self._open_record(namespace)
        if record is None or self._swept(actor, record, deleted) or self._own(actor, record, deleted):
            return
        holder, since, before = self.holders.get(record["spec"]["rollout"], ("", 0.0, ()))
        if holder and holder != actor and actor in before and self.sent > since:
            text = f"{actor} asks to write into {namespace} though {holder} has its place since {since:.1f} s"
            self.violated("one writer", text)

    def _swept(self, actor, record, name):
        """Whoever leads deletes a bridge that is of no walk of the rollout that works there, whoever works on that."""
        bridge = self.policies[record["spec"]["namespace"]].get(name)
        if bridge is None or not _bridge(bridge) or self.holders.get("controller", ("",))[0] != actor:
            return False
        forward = _phase(self.rollouts[record["spec"]["rollout"]]) in ("Progressing", "Paused")
        walk = (record.get("status") or {}).get("writes") or []
        return (forward and _phase(record) == "Applied") or not any(f'"{name}"' in text for text in walk)

    def _own(self, actor, record, name):
        """What it created itself, where the walk is over: it landed late, or is gone already."""
        mine = self.made.get((record["spec"]["namespace"], name)) == actor
        same = (
            r
            for r in self.raw(record["spec"]["rollout"])
            if r["spec"]["namespace"] == record["spec"]["namespace"]
        )
        return mine and any(_phase(r) in ("Applied", "Restored") for r in same)

    def saw(self, actor, kind, namespace, name, before, after):
        """One change that took effect."""
        meta = (after or before)["metadata"]
        self.journal.append((self.now, actor, kind, namespace, name, meta["resourceVersion"], after is None))
        if kind == WIDE.kind:
            namespace = CLUSTER
        known = {
            "NetworkPolicy": self._policy,
            WIDE.kind: self._policy,
            "Pod": self.parts.pod,
            **{one.kind.kind: self.parts.deployment for one in DEPLOYMENTS.values()},
            "PolicyRollout": self._rollout,
            "NamespaceRollout": self._record,
            "WaveAnalysis": self._analysis,
            "RolloutApproval": self._approval,
            "Namespace": self._space,
            "PolicySource": self._source,
            "Lease": self._lease,
        }.get(kind)
        if known is not None:
            known(actor, namespace, name, before, after)

    # What stands

    def _lease(self, actor, namespace, name, before, after):
        """Who has the place at a rollout, since when, and who had it before."""
        rollout = name.removeprefix("rollout-")
        holder = "" if after is None else (after.get("spec") or {}).get("holderIdentity", "")
        known = self.holders.get(rollout, ("", 0.0, ()))
        if holder != known[0]:
            self.holders[rollout] = holder, self.now, (*known[2], known[0])

    def _space(self, actor, namespace, name, before, after):
        self.kept(self.spaces, name, after)
        if after is None or before is None:
            self.policies.pop(name, None)

    @staticmethod
    def kept(found, name, after):
        if after is None:
            found.pop(name, None)
        else:
            found[name] = after

    def _source(self, actor, namespace, name, before, after):
        self.kept(self.sources, name, after)
        old, new = (((o or {}).get("status") or {}).get("blockedRevision", "") for o in (before, after))
        if old and not new and actor.startswith("person"):
            self.released[name, old] += 1

    def _analysis(self, actor, namespace, name, before, after):
        self.kept(self.analyses, name, after)

    def _approval(self, actor, namespace, name, before, after):
        self.kept(self.approvals, name, after)
        if before is None:
            self.approvals[name] = {**after, "at": self.now, "by": actor}

    def _record(self, actor, namespace, name, before, after):
        if after is None:
            old = self.records.get(name)
            if (
                old
                and (old.get("status") or {}).get("phase") == "Applied"
                and self._runs(old["spec"]["rollout"])
                and self._made(old)
            ):
                self.violated("before is kept", f"{name} was deleted while it was applied and not restored")
            self.records.pop(name, None)
            return
        self.records[name] = after
        if before is None:
            self.frozen[name] = self.now
            if after["spec"].get("stage", 0) < 2:
                self._outdated(after)
        phase = (after.get("status") or {}).get("phase")
        old = ((before or {}).get("status") or {}).get("phase")
        if phase != old and phase in ("Applied", "Restored"):
            self.applied[name, phase] = self.now
            self.knew[name, phase] = self._looked(actor, after["spec"]["namespace"])
        if phase != old and phase == "Restored":
            self._read_back(actor, after["spec"]["namespace"])
        elif phase != old and phase == "Applied":
            self._none_between(actor, after)
            self.parts.applied(actor, after)

    def _outdated(self, record):
        """A stranger changed what a plan was made from before its records were made: that counts as changed after them."""
        space = record["spec"]["namespace"]
        frozen = map(json.loads, record["spec"].get("before") or [])
        stands = all(_content(self.policies[space].get(_name(o))) == _content(o) for o in frozen)
        if not stands and self.strange[space] >= self.now - PLANNED:
            self.strange[space] = self.now

    def _read_back(self, actor, space):
        """Who says that a namespace is restored has read it after the last write of its own."""
        if self.wrote.get((actor, space), 0.0) > self._looked(actor, space):
            self.violated("5 RolledBack means restored", f"{actor} did not read {space} back")

    def _looked(self, actor, space):
        """When a process last listed the policies there."""
        return max(self.looked.get((actor, n), 0.0) for n in {space, None if space != CLUSTER else space})

    def _none_between(self, actor, record):
        """What is on its way back over what a stranger wrote arrives there; it is not what the change asks for."""
        space = record["spec"]["namespace"]
        for key, (_, at) in self.passing.items():
            if key[0] == space and at >= self.born(record):
                self.violated("drift is not written over", f"{actor} leaves {space}/{key[1]} on its way back")

    def _made(self, record):
        """Whether it is the present rollout's of that name, not one's that was deleted before."""
        uid = self.rollouts[record["spec"]["rollout"]]["metadata"]["uid"]
        return any(o["uid"] == uid for o in record["metadata"].get("ownerReferences") or [])

    def _runs(self, rollout):
        found = self.rollouts.get(rollout)
        return found is not None and _phase(found) not in TERMINAL

    # Rollouts

    def _rollout(self, actor, namespace, name, before, after):
        if after is None:
            old = self.rollouts.pop(name, None)
            if old is not None and _phase(old) not in TERMINAL:
                self.violated("before is kept", f"{name} is gone while it was {_phase(old)}")
            return
        if before is None:
            self._began(name, after)
        self.rollouts[name] = after
        old, new = _phase(before), _phase(after)
        status, past = after.get("status") or {}, (before or {}).get("status") or {}
        self._added_to(name, past, status, actor)
        if new == "RollingBack":
            self.turned.setdefault(name, self.now)
        if status.get("emergency") != past.get("emergency"):
            self._declared(name, after)
        opened = range(past.get("wavesStarted", 0), status.get("wavesStarted", 0))
        for wave in opened:
            self._opened(name, after, wave)
        if len(opened) > 1 and (
            opened[0] == 0 or "waves" not in (status.get("emergency") or {}).get("skips", [])
        ):
            self.violated("8 emergencies", f"{name} opens the waves {list(opened)} at once")
        if status.get("wave", 0) > past.get("wave", 0):
            self._promoted(name, after, range(past.get("wave", 0), status["wave"]))
        if new == "Paused" and status.get("pausedFor") == "drift" and old != "Paused":
            self._strayed(name)
        if new != old and new in TERMINAL:
            self.ended[name] = self.now
            if new == "Succeeded":
                self._promoted(name, after, range(status.get("wave", 0), len(after["spec"]["waves"])))
                self._stands(name, "after", "Applied", actor)
                self._cleaned(name)
            elif new == "RolledBack":
                self._stands(name, "before", "Restored", actor)
                if status.get("restoredSeconds") is None and status.get("detectedAt"):
                    self.violated("5 RolledBack means restored", f"{name} has no latency")
            if new in ("RolledBack", "Superseded"):
                self._left_written(name, new)

    def _added_to(self, name, past, status, actor):
        """What stood in a status is not lost, nor does come again what was sent: each is written on what was there."""
        old, new = past.get("transitions") or [], status.get("transitions") or []
        lost = len(new) < 200 and new[: len(old)] != old
        back = [key for key in ("epoch", "wavesStarted") if status.get(key, 0) < past.get(key, 0)]
        before, after = ({o["id"] for o in s.get("outbox") or []} for s in (past, status))
        again = sorted((after - before) & self.sent_away[name])
        self.sent_away[name] |= before - after
        if lost or back or again:
            what = "transitions are lost" if lost else f"{back or again} as before"
            self.violated("one writer", f"{actor} writes over the status of {name}: {what}")

    def _left_written(self, name, phase):
        """What ends without success leaves nothing of itself."""
        for record in self.raw(name):
            space = record["spec"]["namespace"]
            live_uid = (self.spaces.get(space) or {"metadata": {}})["metadata"].get("uid")
            if _phase(record) == "Applied" and live_uid == record["spec"].get("namespaceUid"):
                self.violated("the way back is complete", f"{name} is {phase}, and {space} is as it wrote it")

    def _began(self, name, after):
        spec = after["spec"]
        self.parts.began(name, after)
        self.turned.pop(name, None)
        others = [n for n, o in self.rollouts.items() if o["spec"]["source"] == spec["source"]]
        running = [n for n in others if _phase(self.rollouts[n]) not in TERMINAL]
        if running:
            self.violated("4 one active rollout a source", f"{name} begins while {running} runs")
        if spec.get("cause", "revision") == "revision":
            self._held(name, spec, others)

    def _held(self, name, spec, others):
        """A revision that was rolled back for what it did does not start again by itself; once verified, not where it was."""
        repository = self._repositories[spec["source"]]
        verified = (self.sources[spec["source"]].get("status") or {}).get("currentRevision")
        back = [
            self.rollouts[n]
            for n in others
            if self.rollouts[n]["spec"]["revision"] == spec["revision"]
            and self.rollouts[n]["spec"].get("cause", "revision") == "revision"
            and _phase(self.rollouts[n]) in ("RolledBack", "Failed")
            and (verified != spec["revision"] or _spaces(self.rollouts[n]["spec"]) & _spaces(spec))
        ]
        lost = [o for o in back if _turned(o) == "EngineLost"]
        count = len(back) - (1 if lost else 0)
        if count > self.released[spec["source"], spec["revision"]] and repository.head == spec["revision"]:
            why = [_turned(o) for o in back]
            self.violated("6 a rolled-back revision is blocked", f"{name} begins again after {why}")

    def _strayed(self, name):
        """What a killed worker left half written is no drift."""
        records = self._of_rollout(name)
        if all(self.strange[r["spec"]["namespace"]] < self.born(r) - PLANNED for r in records):
            self.violated("every next process finds its way", f"{name} takes what nobody changed for drift")

    def _opened(self, name, rollout, wave):
        self.parts.opened(name, rollout, wave)
        gates = [g for g in rollout["spec"]["strategy"].get("gates") or [] if g["wave"] == wave]
        for gate in gates:
            good = {
                a["spec"]["user"]
                for a in self.approvals.values()
                if a["spec"]["rollout"] == name
                and a["spec"]["wave"] == wave
                and a["spec"]["planDigest"] == rollout["spec"]["planDigest"]
                and a["spec"].get("decision", "approve") == "approve"
                and self.now - a["at"] <= gate.get("expiresAfterSeconds", 86400) + LATE
            }
            good -= {p[5:] for p in rollout["spec"].get("authors") or [] if p.startswith("user:")}
            if len(good) < gate.get("approvals", 1):
                self.violated("7 approvals", f"{name} opens wave {wave} with {sorted(good)}")

    def _declared(self, name, rollout):
        """One stands by the word of a person who said it of this plan, and skips what the source allows."""
        said, allowed = rollout["status"]["emergency"], rollout["spec"]["strategy"].get("emergency") or {}
        asked = any(
            a["spec"]["rollout"] == name
            and a["spec"]["planDigest"] == rollout["spec"]["planDigest"]
            and (a["spec"].get("decision"), a["spec"]["user"]) == ("emergency", said["user"])
            and self.now - a["at"] <= allowed.get("expiresAfterSeconds", 14400) + LATE
            for a in self.approvals.values()
        )
        if not asked or not set(said["skips"]) <= set(allowed.get("skip") or []):
            self.violated("8 emergencies", f"{name} has one by {said['user']} that skips {said['skips']}")

    def _promoted(self, name, rollout, waves):
        """Good answers since the wave was written, of every namespace of it; what hurts all the time is not promoted."""
        wave = waves[0]
        analysis = next((a for a in self.analyses.values() if _of(a, name, wave)), None)
        if analysis is None or _phase(analysis) != "Successful":
            self.violated(
                "2 no wave without its evidence", f"{name} promotes wave {wave}: {_phase(analysis)}"
            )
        for item in (n for w in waves for n in rollout["spec"]["waves"][w]["namespaces"]):
            record = self.parts.record(name, item)
            since = record and self.applied.get((record["metadata"]["name"], "Applied"))
            if record is None or since is None or _phase(record) == "Deleted" or self.another(record):
                continue
            for space in self.parts.answering(item):
                good = [t for t, n, v in self._truth.answers if n == space and v == 0.0 and t >= since]
                if len(good) < LOOKS:
                    text = f"{name} promotes wave {wave} on {len(good)} answers of {space}"
                    self.violated("2 no wave without its evidence", text)
            if self._hurts_since(record, item["name"], since):
                self.violated("2 no wave without its evidence", f"{name} promotes what hurts {item['name']}")

    def another(self, record):
        """The namespace that it wrote into is gone, whoever has its name now."""
        standing = self.spaces.get(record["spec"]["namespace"])
        return standing is None or standing["metadata"]["uid"] != record["spec"]["namespaceUid"]

    def _hurts_since(self, record, space, since):
        asked = {_name(json.loads(o)) for o in record["spec"].get("after") or []} & {"hurt", "hurt--canary"}
        writers = [self.writer.get((space, name)) for name in asked if name in self.policies[space]]
        return any(writer is not None and writer[1] <= since for writer in writers)

    # Namespaces

    def _policy(self, actor, namespace, name, before, after):
        kind = actor.split("-")[0]
        self.kept(self.policies[namespace], name, after)
        if before is None:
            self.made[namespace, name] = actor
        if kind not in PRODUCT:
            self.writer[namespace, name] = (actor, self.now)
            self.strange[namespace] = self.now
            self.tainted.add((namespace, name))
            self.passing.pop((namespace, name), None)
            return
        if (
            before is not None
            and not _bridge(before)  # one that somebody changed is set right
            and self._drifted(namespace, name)
            and not self._is_before(namespace, name, before)  # whoever changed it has taken that back
            and not self._is_before(namespace, name, after)
        ):
            if _selects_nobody(after) or self._joins(namespace, name, before, after):
                # on the way to something else: that decides
                self.passing[namespace, name] = self.writer[namespace, name]
            else:
                self.violated("drift is not written over", f"{actor} wrote {namespace}/{name}")
        self._late(actor, namespace, name, before, after)
        self.writer[namespace, name] = (actor, self.now)
        # what is written as it stands only refuses late writes
        if before is None or after is None or _rules(before) != _rules(after):
            self.wrote[actor, namespace] = self.now
        if before is not None and not _ours(before) and not self._taken(namespace, name, before, after):
            self.violated("3 what is not the source's is not written", f"{actor} wrote {namespace}/{name}")
        if namespace.startswith("kube-") or namespace == "netpol-canary" or namespace not in self.spaces:
            self.violated("3 what is not the source's is not written", f"{actor} wrote into {namespace}")
        record = self._open_record(namespace)
        if record is None:
            own = self.made.get((namespace, name)) == actor  # it was created late
            swept = before is not None and (_bridge(before) or own) and after is None  # nobody needs it
            if before is not None and not swept:
                self.violated("one writer", f"{actor} wrote {namespace}/{name} and no rollout works there")
        else:
            self._between(record, namespace, name, actor)

    def _late(self, actor, namespace, name, before, after):
        """A creation that lands when its sender waits no more: nothing can refuse it, and until it is undone it counts."""
        given_up = not self.waits or self.now - self.sent > REQUEST_SECONDS
        if after is None:
            self.unasked.discard((namespace, name))
        elif before is None and (given_up or self._overtaken(actor, namespace)):
            self.unasked.add((namespace, name))

    def _overtaken(self, actor, namespace):
        """A pod asked just before whether to write; somebody has finished the namespace since the pod had read it.

        Or the way back, which waits for no pod, has read it since.
        """
        rollout, at = self.checked
        if actor.split("-")[0] != "pod" or not rollout:
            return False
        mine = [r for r in self.raw(rollout) if r["spec"]["namespace"] == namespace]
        finished = [self.applied.get((_name(r), "Applied")) for r in mine]
        if any(at is not None and at > self._looked(actor, namespace) for at in finished):
            return True
        turned = self.turned.get(rollout)
        if turned is None or at > turned or not self._runs(rollout):
            return False
        others = {by for by, _ in self.looked} - {actor}
        return any(self._looked(by, namespace) > turned for by in others)

    def _drifted(self, namespace, name):
        """Forwards, over what a stranger wrote since the plan was frozen."""
        key = (namespace, name)
        actor, at = self.passing.pop(key, None) or self.writer.get(key, ("", 0.0))
        record = self._open_record(namespace)
        if record is None or actor.split("-")[0] in PRODUCT or at < self.born(record):
            return False
        return _phase(self.rollouts[record["spec"]["rollout"]]) == "Progressing"

    def _taken(self, namespace, name, before, after):
        """On the way back, a name that the source's own policy had: who took it meanwhile gives it back."""
        record = self._open_record(namespace)
        texts = [] if record is None else map(json.loads, record["spec"].get("before") or [])
        had = any(_name(o) == name and _owner(o) for o in texts)
        passing = _selects_nobody(after) or self._joins(namespace, name, before, after)
        return had and (passing or self._is_before(namespace, name, after))

    def _is_before(self, namespace, name, after):
        """Where it was half written, it goes back at once: what it was before is no drift that is written over."""
        texts = map(json.loads, self._open_record(namespace)["spec"].get("before") or [])
        wanted = next((o for o in texts if _name(o) == name), None)
        return _content(after) == _content(wanted)

    def _joins(self, namespace, name, stood, after):
        """A state on the way back: what stood and what it was before, both at once and nothing else."""
        texts = map(json.loads, self._open_record(namespace)["spec"].get("before") or [])
        wanted = next((o for o in texts if _name(o) == name), None)
        if namespace == CLUSTER or after is None or wanted is None:
            return False
        old, new, now = (_parts(o) for o in (stood, wanted, after))
        return old[0] == new[0] == now[0] and now[1] == old[1] | new[1]

    def _open_record(self, namespace):
        """That of the namespace which stands there, before one of another that had its name."""
        mine = [r for r in self.records.values() if r["spec"]["namespace"] == namespace]
        found = [r for r in mine if self._runs(r["spec"]["rollout"])]
        first = min(found, key=self.another, default=None)
        return self.parts.current([r for r in found if self.another(r) == self.another(first)])

    def _between(self, record, namespace, name, actor):
        """On the way no connection is open that neither end opens, and none closed that both open."""
        born = self.born(record)
        if self.strange[namespace] >= born or any(space == namespace for space, _ in self.unasked):
            return
        first, last = (
            {_name(o): o for o in map(json.loads, record["spec"].get(e) or [])} for e in ("before", "after")
        )
        if namespace == CLUSTER:
            return
        live = self.policies[namespace]
        rest = {n: o for n, o in live.items() if n not in first and n not in last and not _bridge(o)}
        seen = view(first, last, live)
        ends = {**rest, **first}, {**rest, **last}, live
        old, new, now = (connections(namespace, policies, seen) for policies in ends)
        if now - (old | new):
            self.violated(
                "safe order", f"{actor} wrote {namespace}/{name}: opens {sorted(now - (old | new))[:2]}"
            )
        if (old & new) - now:
            self.violated(
                "safe order", f"{actor} wrote {namespace}/{name}: cuts {sorted((old & new) - now)[:2]}"
            )

    def born(self, record):
        """When it was frozen."""
        return self.frozen[record["metadata"]["name"]]

    def _stands(self, name, end, phase, actor):
        """Each namespace at that end of its record, but for what a stranger wrote after it was read back."""
        for record in self._of_rollout(name, end):
            space = record["spec"]["namespace"]
            live_uid = (self.spaces.get(space) or {"metadata": {}})["metadata"].get("uid")
            if _phase(record) != phase or live_uid != record["spec"].get("namespaceUid"):
                continue
            knew = self.knew.get((record["metadata"]["name"], phase), 0.0)
            # what was read before the plan was frozen excuses nothing
            for text in self._differs(record, end, max(knew, self.born(record)), self.sought.get(actor, 0.0)):
                rule = "5 RolledBack means restored" if end == "before" else "1 exactly at before or after"
                self.violated(rule, f"{name} is {_phase(self.rollouts[name])}, and {space}{text}")

    def _cleaned(self, name):
        """What a rollout has just written is as it should be, whatever strangers had done to it when that was read."""
        for record in self._of_rollout(name, "after"):
            space, since = record["spec"]["namespace"], self.knew.get((record["metadata"]["name"], "Applied"))
            for text in (*record["spec"].get("before", ()), *record["spec"].get("after", ())):
                key = space, _name(json.loads(text))
                if since is not None and self.writer.get(key, ("", 0.0))[1] <= since:
                    self.tainted.discard(key)

    def differs(self, record, end):
        """In what its place is not at that end of a record, whatever anybody wrote since it was frozen."""
        return self._differs(record, end, self.born(record), 0.0)

    def _differs(self, record, end, looked, sought):
        space, other = record["spec"]["namespace"], "after" if end == "before" else "before"
        wanted = {_name(o): o for o in map(json.loads, record["spec"].get(end) or [])}
        keys = {*wanted, *(_name(json.loads(o)) for o in record["spec"].get(other) or [])}
        live = self.policies[space]
        for key in sorted({*keys, *(n for n, o in live.items() if _bridge(o))}):
            actor, at = self.writer.get((space, key), ("", 0.0))
            strange = actor.split("-")[0] not in PRODUCT and at > looked
            made = actor.startswith("stranger") and key in live and key not in wanted and not _ours(live[key])
            if end == "after" and (space, key) in self.unasked and _bridge(live[key]) and 0.0 < sought < at:
                continue  # it landed after who says so had looked
            if not strange and not made and _content(live.get(key)) != _content(wanted.get(key)):
                yield f"/{key} is not as {end} has it (last written by {actor} at {at:.1f} s)"

    def raw(self, name):
        """The records of a rollout, one for each wave in which a place changes."""
        return [r for r in self.records.values() if r["spec"]["rollout"] == name]

    def _of_rollout(self, name, end="before"):
        """The same, one for each place."""
        return merged(self.raw(name), end)

    # The end

    def all_ended(self):
        """Whether no rollout is under way."""
        return all(_phase(rollout) in TERMINAL for rollout in self.rollouts.values())

    def finish(self):
        """After the quiet time: every rollout has ended, and each namespace is as Git or as before."""
        for name, rollout in self.rollouts.items():
            if _phase(rollout) not in TERMINAL:
                status = rollout.get("status") or {}
                text = f"{name} is {_phase(rollout)} {status.get('pausedFor', '')}: {status.get('reason', '')[:150]}"
                self.violated("every next process finds its way", text)
            elif _phase(rollout) == "Failed":
                self.violated(
                    "the way back is complete", f"{name}: {rollout['status'].get('reason', '')[:200]}"
                )
        for space, found in self.policies.items():
            for name, obj in found.items():
                if _bridge(obj):
                    self.violated("no bridge is left", f"{space}/{name} {self.writer.get((space, name))}")
        self.parts.finish()
        self._told()
        for name, source in self.sources.items():
            self._settled(name, source.get("status") or {})

    def _told(self):
        """Everything was told, and to each receiver in order; again only what it may not have got."""
        for name, rollout in self.rollouts.items():
            if left := (rollout.get("status") or {}).get("outbox"):
                self.violated("everything is told", f"{name}: {len(left)} messages are left")
        last = {}
        for message in self.receivers.messages:
            rollout, _, number = message.id.rpartition("/")
            if number.isdigit() and int(number) < last.get(rollout, 0):
                self.violated("told in order", f"{message.id} came after {last[rollout]}")
            if number.isdigit():
                last[rollout] = int(number)

    def _settled(self, name, status):
        repository, verified = self._repositories[name], status.get("currentRevision", "")
        head, held = repository.head, status.get("blockedRevision", "")
        due = repository.wanted[head] is not None and head not in (verified, held)
        if due and not self._blocked(status) and not self._nothing_to_do(name, head):
            said = [c["message"] for c in status.get("conditions") or [] if c["type"] == "Ready"]
            self.violated("10 a good source goes on", f"{name}: {head[:8]} is not {verified[:8]}; {said}")
        if not verified:
            return
        for space, obj in self.spaces.items():
            labels = obj["metadata"].get("labels") or {}
            if labels.get("team") != name or obj["metadata"].get("deletionTimestamp"):
                continue
            wanted = repository.asks(verified, space)
            if self._left_out(name, space, status):
                continue
            live = {n: o for n, o in self.policies[space].items() if _owner(o) == name}
            for key in sorted({*wanted, *live}):
                actor, at = self.writer.get((space, key), ("nobody", 0.0))
                if (space, key) in self.tainted and actor != "start-0":
                    continue
                if (live.get(key) or {}).get("spec") != wanted.get(key):
                    text = f"{space}/{key} is not as {verified[:8]} has it (last written by {actor} at {at:.1f} s)"
                    self.violated("1 exactly as Git asks", text)

    def _left_out(self, name, space, status):
        """Exactly at `before`, since its last rollout was rolled back; then the source says so, or is not Ready at all."""
        mine = [
            r
            for r in merged(self.records.values(), "before")
            if r["spec"]["namespace"] == space
            and self._source_of(r) == name
            and self._ended_at(r) is not None
            and (_phase(r) != "Pending" or self._anew(r, status))  # it was written, or is refused from now on
        ]
        last = max(mine, key=self._ended_at, default=None)
        if last is None:  # it came after the last rollout, and what Git asks for now cannot be planned
            refused = self._ended_early(name, space, status) and _refusal_said(status, space)
            return self._blocked(status) or (refused and not self._holds(name, space))
        if _phase(self.rollouts.get(last["spec"]["rollout"])) != "RolledBack":
            return False
        cause = self._cause(last)
        if cause == "drift" and self._stands_as_before(name, space, last):  # the repair was taken back
            return True
        if cause == "revision" and self._anew(last, status) and self._holds(name, space):
            return self._stands_as_before(name, space, last)  # which is reported as drift
        if cause == "drift" or not self._stands_as_before(name, space, last):
            return False
        told = _refusal_said(status, space) or self._blocked(status)
        if self._anew(last, status):
            return told
        # A newer revision found what somebody had changed, which is drift, or nothing: the verified one had been rolled back.
        earlier = max((r for r in mine if self._anew(r, status)), key=self._ended_at, default=None)
        put_back = earlier is not None and _phase(self.rollouts[earlier["spec"]["rollout"]]) == "RolledBack"
        return _drift_said(status, space) or (put_back and told and not self._holds(name, space))

    def _ended_early(self, name, space, status):
        """Whether a rollout that was to bring the current revision there was taken back before it had records."""
        return any(
            r["spec"]["source"] == name
            and r["spec"]["revision"] == status.get("currentRevision")
            and space in _spaces(r["spec"])
            and _phase(r) == "RolledBack"
            for r in self.rollouts.values()
        )

    def _anew(self, record, status):
        """Whether its rollout brought the current revision once more, rather than a new one."""
        rollout = self.rollouts.get(record["spec"]["rollout"])
        again = rollout is not None and rollout["spec"]["revision"] == status.get("currentRevision")
        return self._cause(record) != "revision" or again

    def _holds(self, name, space):
        return any(_owner(o) == name for o in self.policies[space].values())

    def _stands_as_before(self, name, space, record):
        """All that its rollout changed."""
        wanted, after = (
            {_name(o): _rules(o) for o in map(json.loads, record["spec"].get(e) or [])}
            for e in ("before", "after")
        )
        live = {n: _rules(o) for n, o in self.policies[space].items() if _owner(o) == name}
        return all(live.get(key) == wanted.get(key) for key in {*wanted, *after})

    def _cause(self, record):
        return (self.rollouts.get(record["spec"]["rollout"]) or {"spec": {}})["spec"].get("cause", "revision")

    def _source_of(self, record):
        found = self.rollouts.get(record["spec"]["rollout"])
        return "" if found is None else found["spec"]["source"]

    def _ended_at(self, record):
        return self.ended.get(record["spec"]["rollout"])

    @staticmethod
    def _blocked(status):
        """Its source says aloud that it cannot be rolled out."""
        return any(c["type"] == "Ready" and c["status"] == "False" for c in status.get("conditions") or [])

    def _nothing_to_do(self, name, head):
        repository = self._repositories[name]
        for space, obj in self.spaces.items():
            if (obj["metadata"].get("labels") or {}).get("team") != name:
                continue
            live = {n: _rules(o) for n, o in self.policies[space].items() if _owner(o) == name}
            if live != repository.asks(head, space):
                return False
        return True


def _phase(obj):
    return ((obj or {}).get("status") or {}).get("phase") or "Pending"


def _of(analysis, rollout, wave):
    return (analysis["spec"]["rollout"], analysis["spec"]["wave"]) == (rollout, wave)


def _name(obj):
    return obj["metadata"]["name"]


def _owner(obj):
    return (obj["metadata"].get("labels") or {}).get(SOURCE, "")


def _ours(obj):
    return bool(_owner(obj)) or _bridge(obj)


def _bridge(obj):
    return BRIDGE in (obj["metadata"].get("labels") or {})


def _selects_nobody(obj):
    terms = ((obj or {}).get("spec", {}).get("podSelector") or {}).get("matchExpressions") or []
    asked = {(term["key"], term["operator"]) for term in terms}
    return any((key, "DoesNotExist") in asked for key, operator in asked if operator == "Exists")


def _parts(policy):
    """Whom a policy selects and in which directions, and its rules, each with its direction."""
    spec = policy["spec"]
    shape = json.dumps(spec.get("podSelector") or {}, sort_keys=True), sorted(spec["policyTypes"])
    sides = ((side, rule) for side in ("ingress", "egress") for rule in spec.get(side) or [])
    return shape, {(side, json.dumps(rule, sort_keys=True)) for side, rule in sides}


def _content(obj):
    if obj is None:
        return None
    return _rules(obj), obj["metadata"].get("labels") or {}, obj["metadata"].get("annotations") or {}


def _rules(obj):
    """What it says: one spec, or several."""
    return obj.get("spec", obj.get("specs"))


def _drift_said(status, space):
    """The source says that a namespace differs from what it should hold."""
    texts = [
        c["message"]
        for c in status.get("conditions") or []
        if (c["type"], c["status"]) == ("Drifted", "True")
    ]
    texts += [d["text"] for d in status.get("details") or [] if texts and d["type"] == "Drifted"]
    return any(f"{space}/" in text for text in texts)


def _refusal_said(status, space):
    """The source says that the current revision was rolled back in a namespace and is not tried there again."""
    said = " ".join(c["message"] for c in status.get("conditions") or [] if c["type"] == "Ready")
    words = said.replace(",", " ").replace(":", " ").split()
    return space in words and "rolled back by" in said


def _spaces(spec):
    return {n["name"] for wave in spec["waves"] for n in wave["namespaces"]}


def _turned(rollout):
    """Why it was rolled back."""
    found = [t["reason"] for t in rollout["status"].get("transitions") or [] if t["phase"] == "RollingBack"]
    return next((r for r in found if r != "TakenOver"), "")
