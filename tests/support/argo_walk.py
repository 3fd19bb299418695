"""Walks a Workflow as Argo would, and hands each pod's command to whoever runs it; knows what our templates use.

That is: workflowTemplateRef and templateRef, DAG tasks with `depends`, withSequence, parameters, retryStrategy with an
expression, parallelism, activeDeadlineSeconds, suspend and shutdown. Anything else is refused, so that a template which
says more is never taken for one that says less.
"""

import re
import uuid
from dataclasses import dataclass, field

from orchestrator.errors import Conflict, NotFound
from workflows.submission import TEMPLATE, WORKFLOW

DAG_KEYS = {"tasks"}
TASK_KEYS = {"name", "template", "templateRef", "arguments", "depends", "withSequence"}
TEMPLATE_KEYS = {"name", "dag", "container", "inputs", "metadata", "retryStrategy", "volumes"}
SPEC_KEYS = {
    "arguments",
    "activeDeadlineSeconds",
    "entrypoint",
    "parallelism",
    "podGC",
    "podSpecPatch",
    "securityContext",
    "serviceAccountName",
    "shutdown",
    "suspend",
    "templates",
    "ttlStrategy",
    "workflowTemplateRef",
}
OVER = ("Succeeded", "Failed", "Error", "Omitted")


@dataclass
class Node:
    """A pod with its tries, a DAG, or a task that has several of them below it."""

    name: str
    display: str
    template: dict = None
    inputs: dict = field(default_factory=dict)
    kind: str = "DAG"
    phase: str = "Pending"
    message: str = ""
    children: dict = field(default_factory=dict)
    tries: int = 0
    pod: object = None
    codes: list = field(default_factory=list)

    @property
    def over(self):
        return self.phase in OVER


class Walk:
    """One Workflow of a cluster.

    `begin(argv, env, name)` starts a pod: something with `poll()`, which gives its exit code or None, and `kill()`.
    `step()` is one round of Argo's controller, and writes the status as Argo does.
    """

    def __init__(self, cluster, name, namespace, begin, now):
        self.cluster, self.name, self.namespace = cluster, name, namespace
        self._begin, self._now = begin, now
        manifest = cluster.get(WORKFLOW, name, namespace)
        self.uid = manifest["metadata"]["uid"]
        self._spec = self._merged(manifest["spec"])
        self._given = {p["name"]: p["value"] for p in self._spec["arguments"]["parameters"]}
        self._templates = {t["name"]: t for t in self._spec["templates"]}
        root = self._template({"template": self._spec["entrypoint"]})
        self.root = Node(name, name, root)
        self._began = now()
        self.commands = []
        self.most_at_once = 0

    def _merged(self, spec):
        """The workflow's own fields go before its template's."""
        reference = spec["workflowTemplateRef"]["name"]
        base = self.cluster.get(TEMPLATE, reference, self.namespace)["spec"]
        own = {k: v for k, v in spec.items() if k not in ("workflowTemplateRef", "arguments")}
        given = {p["name"]: p for p in base.get("arguments", {}).get("parameters", [])}
        given |= {p["name"]: p for p in spec["arguments"]["parameters"]}
        assert {*base, *spec} <= SPEC_KEYS, {*base, *spec} - SPEC_KEYS
        return {**base, **own, "arguments": {"parameters": list(given.values())}}

    def _template(self, task):
        if "templateRef" in task:
            reference = task["templateRef"]
            found = self.cluster.get(TEMPLATE, reference["name"], self.namespace)["spec"]["templates"]
            template = next(t for t in found if t["name"] == reference["template"])
        else:
            template = self._templates[task["template"]]
        assert set(template) <= TEMPLATE_KEYS, set(template) - TEMPLATE_KEYS
        return template

    def step(self):
        """One round; True while there is something left of it. Where the workflow was deleted, its pods are killed."""
        try:
            manifest = self.cluster.get(WORKFLOW, self.name, self.namespace)
        except NotFound:
            self.end("Error", "deleted")
            return False
        if manifest["metadata"]["uid"] != self.uid:
            self.end("Error", "deleted")
            return False
        spec = manifest["spec"]
        if spec.get("shutdown"):
            self.end("Failed", f"Stopped with strategy '{spec['shutdown']}'")
        elif (self._now() - self._began).total_seconds() > self._spec["activeDeadlineSeconds"]:
            self.end("Failed", "Step exceeded its deadline")
        elif not self.root.over:
            self._suspended = bool(spec.get("suspend"))
            self._dag(self.root)
        self._write(manifest)
        return not self.root.over

    def end(self, phase, message):
        """Kill what runs."""
        for node in self.pods():
            if node.pod is not None and not node.over:
                node.pod.kill()
                node.phase, node.message = "Failed", message
        if not self.root.over:
            self.root.phase, self.root.message = phase, message

    def pods(self, node=None):
        """Every pod's node so far."""
        node = node or self.root
        found = [node] if node.kind == "Pod" else []
        return found + [p for child in node.children.values() for p in self.pods(child)]

    def _dag(self, node):
        """Begin what may begin; a task that failed lets no other one begin (failFast)."""
        tasks = node.template["dag"]["tasks"]
        assert set(node.template["dag"]) <= DAG_KEYS
        node.phase = "Running"
        for child in node.children.values():
            self._look(child)
        failed = any(c.phase in ("Failed", "Error") for c in node.children.values())
        for task in tasks:
            assert set(task) <= TASK_KEYS, set(task) - TASK_KEYS
            if task["name"] not in node.children and not failed and self._ready(task, node):
                node.children[task["name"]] = self._task(task, node)
        running = any(not c.over for c in node.children.values())
        if failed and not running:
            node.phase = "Failed"
            node.message = next(c.message for c in node.children.values() if c.phase in ("Failed", "Error"))
        elif not running and len(node.children) == len(tasks):
            node.phase = "Succeeded"

    def _ready(self, task, node):
        needed = [n.strip() for n in task.get("depends", "").split("&&") if n.strip()]
        assert all(re.fullmatch(r"[\w-]+", n) for n in needed), needed
        return all(n in node.children and node.children[n].phase == "Succeeded" for n in needed)

    def _task(self, task, parent):
        name = f"{parent.name}.{task['name']}"
        if "withSequence" not in task:
            return self._node(task, parent, name, task["name"], {})
        count = int(self._filled(task["withSequence"]["count"], parent.inputs))
        group = Node(name, task["name"], kind="TaskGroup")
        for item in range(count):
            shown = f"{task['name']}({item}:{item})"
            group.children[item] = self._node(task, parent, f"{name}({item})", shown, {"item": str(item)})
        return group

    def _node(self, task, parent, name, display, scope):
        template = self._template(task)
        given = {p["name"]: p.get("value") for p in template.get("inputs", {}).get("parameters", [])}
        for p in task.get("arguments", {}).get("parameters", []):
            given[p["name"]] = self._filled(p["value"], parent.inputs, scope)
        assert None not in given.values(), given
        return Node(name, display, template, given, "DAG" if "dag" in template else "Pod")

    def _filled(self, text, inputs, scope=()):
        known = {f"inputs.parameters.{k}": v for k, v in inputs.items()}
        known |= {f"workflow.parameters.{k}": v for k, v in self._given.items()}
        known |= {"workflow.namespace": self.namespace, **dict(scope)}
        return re.sub(r"\{\{(.*?)\}\}", lambda found: known[found.group(1)], str(text))

    def _look(self, node):
        if node.over:
            return
        if node.kind == "DAG":
            self._dag(node)
        elif node.kind == "TaskGroup":
            for child in node.children.values():
                self._look(child)
            phases = {c.phase for c in node.children.values()}
            if all(c.over for c in node.children.values()):
                node.phase = "Failed" if phases & {"Failed", "Error"} else "Succeeded"
                node.message = next((c.message for c in node.children.values() if c.message), "")
        else:
            self._pod(node)

    def _pod(self, node):
        if node.pod is None:
            running = [n for n in self.pods() if n.pod is not None and not n.over]
            if self._suspended or len(running) >= self._spec["parallelism"]:
                return
            container = node.template["container"]
            argv = [*container["command"], *(self._filled(a, node.inputs) for a in container["args"])]
            env = {e["name"]: e["value"] for e in container.get("env", [])}
            self.commands.append(argv)
            node.phase, node.tries = "Running", node.tries + 1
            node.pod = self._begin(argv, env, f"{node.name}-{node.tries}")
            self.most_at_once = max(self.most_at_once, len(running) + 1)
            return
        code = node.pod.poll()
        if code is None:
            return
        node.codes.append(code)
        if code == 0:
            node.phase = "Succeeded"
        elif self._again(node, code):
            node.pod = None
        else:
            node.phase, node.message = "Failed", f"main: Error (exit code {code})"

    @staticmethod
    def _again(node, code):
        """Whether its retryStrategy gives it another try; a killed process counts as Argo counts a killed container."""
        strategy = node.template["retryStrategy"]
        shown = str(128 - code if code < 0 else code)
        text = strategy["expression"].replace("||", " or ").replace("&&", " and ")

        class Last:
            status, exitCode = "Failed", shown

        wanted = eval(text, {"__builtins__": {}}, {"lastRetry": Last})
        return wanted and node.tries <= int(strategy["limit"])

    def _write(self, manifest):
        nodes = {}

        def add(node):
            kind = "Retry" if node.kind == "Pod" else node.kind
            nodes[node.name] = {
                "id": node.name,
                "name": node.name,
                "displayName": node.display,
                "type": kind,
                "phase": node.phase,
                "message": node.message,
                "children": [c.name for c in node.children.values()],
            }
            for child in node.children.values():
                add(child)

        add(self.root)
        status = {"phase": self.root.phase, "message": self.root.message, "nodes": nodes}
        if manifest.get("status") == status:
            return
        try:
            self.cluster.replace({**manifest, "status": status})
        except (Conflict, NotFound):
            return


class Argo:
    """A controller over every Workflow of a namespace; while it is `down` it does nothing, and pods go on."""

    def __init__(self, cluster, namespace, begin, now):
        self.cluster, self.namespace, self._begin, self._now = cluster, namespace, begin, now
        self.walks, self.down = {}, False

    def step(self):
        """One round."""
        if self.down:
            return
        found = self.cluster.list(WORKFLOW, self.namespace)
        for obj in found:
            key = obj["metadata"]["uid"]
            if key not in self.walks:
                self.walks[key] = Walk(
                    self.cluster, obj["metadata"]["name"], self.namespace, self._begin, self._now
                )
        for walk in self.walks.values():
            walk.step()

    def resubmit(self, name):
        """What `argo resubmit` does: the same workflow under another name."""
        old = self.cluster.get(WORKFLOW, name, self.namespace)
        meta = {k: old["metadata"][k] for k in ("namespace", "labels", "ownerReferences")}
        meta["name"] = f"{name}-{uuid.uuid4().hex[:5]}"
        made = {"apiVersion": old["apiVersion"], "kind": "Workflow", "metadata": meta, "spec": old["spec"]}
        return self.cluster.create(made)["metadata"]["name"]

    def retry(self, name):
        """What `argo retry` does: pods that failed are run again."""
        walk = next(w for w in self.walks.values() if w.name == name)
        spec = walk.cluster.get(WORKFLOW, name, self.namespace)
        walk.cluster.replace({**spec, "spec": {k: v for k, v in spec["spec"].items() if k != "shutdown"}})
        self._reset(walk.root)

    def _reset(self, node):
        if node.phase == "Succeeded":
            return
        node.phase, node.message, node.pod, node.tries = "Pending", "", None, 0
        for child in node.children.values():
            self._reset(child)

    def change(self, name, **spec):
        """What `argo stop`, `terminate` and `suspend` do: a field of the workflow's spec."""
        old = self.cluster.get(WORKFLOW, name, self.namespace)
        self.cluster.replace({**old, "spec": {**old["spec"], **spec}})

    def delete(self, name):
        meta = self.cluster.get(WORKFLOW, name, self.namespace)["metadata"]
        self.cluster.delete(WORKFLOW, name, self.namespace, uid=meta["uid"], resource_version="")

    def names(self):
        """Of the workflows that stand, in the order of their names."""
        return sorted(o["metadata"]["name"] for o in self.cluster.list(WORKFLOW, self.namespace))
