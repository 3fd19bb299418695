"""The WorkflowTemplates that are installed once: what a pod runs, and how a wave's pods follow each other.

Every pod runs `netpol-canary step` with identifiers alone. There is no mutex, no suspend and no exit handler: what a
pod may do is decided by the rollout as it stands in the cluster, by compare-and-swap.
"""

import json
from typing import Any

from hera.workflows import DAG, Container, EmptyDirVolume, Env, Parameter, Resources, Task, WorkflowTemplate
from hera.workflows import models as argo

from orchestrator.rollout.order.shards import MOST_AT_ONCE
from workflows.exit_codes import AGAIN, KILLED

WAVE, STEP = "netpol-canary-wave", "netpol-canary-step"
ACCOUNT = "netpol-canary-step"
LABELS = {"app.kubernetes.io/name": "netpol-canary-step", "app.kubernetes.io/part-of": "netpol-canary"}
USER = 65532
DAY = 86_400
SUCCESS_SECONDS, FAILURE_SECONDS = DAY, 7 * DAY  # that an ended workflow is kept for
POD_SECONDS = "10m"  # that the pod of a step that succeeded is kept for
RETRIES = 5
# What is the same when it is asked again is not asked again: only a pod that was lost, killed, or says that something
# outside gave no answer.
INFRASTRUCTURE = (
    f'lastRetry.status == "Error" || lastRetry.exitCode in {[str(c) for c in (AGAIN, *KILLED)]}'.replace(
        "'", '"'
    )
)
IDENTIFIERS = ("rollout", "wave")
LOCKED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
OF_ARGO = {"securityContext": LOCKED, "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}}}
# What Argo adds to a pod: without this, a namespace that enforces the restricted Pod Security Standard refuses it.
PATCH = {"initContainers": [{"name": "init", **OF_ARGO}], "containers": [{"name": "wait", **OF_ARGO}]}


def templates(image: str, namespace: str) -> list[dict[str, Any]]:
    """Both WorkflowTemplates as manifests; pods run `image`, and live in `namespace`, the orchestrator's own."""
    found = [_step(image, namespace), _wave(namespace)]
    return [dict(template.to_dict()) for template in found]


def _step(image: str, namespace: str) -> WorkflowTemplate:
    given = [Parameter(name=n) for n in ("step", *IDENTIFIERS)] + [Parameter(name="shard", value="0")]
    args = ["step", "{{inputs.parameters.step}}", "--log", "json", "-n", "{{workflow.namespace}}"]
    for name in (*IDENTIFIERS, "shard"):
        args += [f"--{name}", f"{{{{inputs.parameters.{name}}}}}"]
    pod = Container(
        name="step",
        inputs=given,
        image=image,
        command=["netpol-canary"],
        args=args,
        env=[Env(name="NETPOL_CANARY_PROBE_IMAGE", value=image), Env(name="HOME", value="/tmp")],
        volumes=[EmptyDirVolume(name="tmp", mount_path="/tmp", size_limit=argo.Quantity(root="64Mi"))],
        resources=Resources(cpu_request="50m", memory_request="128Mi", memory_limit="512Mi"),
        labels=LABELS,
        security_context=argo.SecurityContext(
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            run_as_non_root=True,
            run_as_user=USER,
            capabilities=argo.Capabilities(drop=["ALL"]),
        ),
        retry_strategy=argo.RetryStrategy(
            limit=argo.IntOrString(root=str(RETRIES)),
            retry_policy="Always",
            expression=INFRASTRUCTURE,
            # No longest duration: Argo would count it from the first try's start, and end a long look with it.
            backoff=argo.Backoff(duration="5s", factor=argo.IntOrString(root="2"), cap="1m"),
        ),
    )
    return WorkflowTemplate(name=STEP, namespace=namespace, labels=LABELS, templates=[pod])


def _wave(namespace: str) -> WorkflowTemplate:
    shard = DAG(name="shard", inputs=[*(Parameter(name=n) for n in IDENTIFIERS), Parameter(name="shard")])
    with shard:
        written = _task("apply", inside="inputs", shard="{{inputs.parameters.shard}}")
        settled = _task("settle", inside="inputs", shard="{{inputs.parameters.shard}}")
        written >> settled
    wave = DAG(name="wave")
    with wave:
        baseline = _task("baseline")
        write = Task(
            name="write",
            template="shard",
            arguments=_identifiers("workflow", shard="{{item}}"),
            with_sequence=_sequence("writers"),
        )
        analyze = _task("analyze", shard="{{item}}", with_sequence=_sequence("readers"))
        verdict = _task("verdict")
        baseline >> write
        write >> analyze
        write >> verdict
    return WorkflowTemplate(
        name=WAVE,
        namespace=namespace,
        labels=LABELS,
        entrypoint="wave",
        arguments=[Parameter(name=n) for n in (*IDENTIFIERS, "writers", "readers")],
        service_account_name=ACCOUNT,
        parallelism=MOST_AT_ONCE,
        pod_gc=argo.PodGC(strategy="OnPodSuccess", delete_delay_duration=POD_SECONDS),
        ttl_strategy=argo.TTLStrategy(
            seconds_after_success=SUCCESS_SECONDS, seconds_after_failure=FAILURE_SECONDS
        ),
        security_context=argo.PodSecurityContext(
            run_as_non_root=True, run_as_user=USER, seccomp_profile=argo.SeccompProfile(type="RuntimeDefault")
        ),
        pod_spec_patch=json.dumps(PATCH),
        templates=[wave, shard],
    )


def _task(step: str, inside: str = "workflow", shard: str = "", **more: Any) -> Task:
    """A pod of one step; `inside` says whose parameters name the rollout and the wave."""
    given = {"step": step, **({"shard": shard} if shard else {})}
    reference = argo.TemplateRef(name=STEP, template="step")
    return Task(name=step, template_ref=reference, arguments=_identifiers(inside, **given), **more)


def _identifiers(inside: str, **more: str) -> list[Parameter]:
    given = {name: f"{{{{{inside}.parameters.{name}}}}}" for name in IDENTIFIERS}
    return [Parameter(name=name, value=value) for name, value in {**given, **more}.items()]


def _sequence(count: str) -> argo.Sequence:
    return argo.Sequence(count=argo.IntOrString(root=f"{{{{workflow.parameters.{count}}}}}"))
