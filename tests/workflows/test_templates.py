"""The WorkflowTemplates say what they must, never what they must not, and stay small however large a wave is."""

import json

import pytest

from orchestrator.rollout.handoff import called
from orchestrator.rollout.order.shards import MOST_AT_ONCE, MOST_WRITERS, part, readers, writers
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.objects import MOST_LABEL
from orchestrator.rollout.resources.resource import load, new
from workflows.submission import workflow
from workflows.templates import templates

MOST_BYTES = 4096  # of etcd's 1.5 MiB
FORBIDDEN = ("onExit", "hooks", "synchronization", "suspend", "withParam", "artifacts", "script")


def rollout(namespaces, **strategy):
    digest = "sha256:" + "0" * 64
    wave = m.Wave(
        namespaces=[m.WaveNamespace(name=f"n{i}", before=digest, after=digest) for i in range(namespaces)]
    )
    spec = m.PolicyRolloutSpec(
        source="shop",
        revision="c" * 40,
        strategy=m.Strategy(engine="argo", **strategy),
        plan_digest=digest,
        waves=[wave],
    )
    made = new("PolicyRollout", "shop-cccccccccc", "netpol-canary", spec)
    return load({**made, "metadata": {**made["metadata"], "uid": "u"}})


def keys(value):
    """Every key at any depth."""
    if isinstance(value, dict):
        return {*value, *(k for v in value.values() for k in keys(v))}
    return {k for v in value for k in keys(v)} if isinstance(value, list) else set()


@pytest.mark.parametrize("document", templates("image", "netpol-canary"), ids=lambda d: d["metadata"]["name"])
def test_nothing_waits_for_a_person_or_decides_besides_the_resources(document):
    assert not keys(document) & set(FORBIDDEN)


def test_every_pod_runs_one_command_with_identifiers_alone():
    step, _ = templates("image", "netpol-canary")
    (template,) = step["spec"]["templates"]
    container = template["container"]
    assert container["command"] == ["netpol-canary"] and container["args"][0] == "step"
    assert [p["name"] for p in template["inputs"]["parameters"]] == ["step", "rollout", "wave", "shard"]
    assert container["securityContext"]["readOnlyRootFilesystem"] and container["resources"]["limits"]


def test_what_argo_adds_to_a_pod_keeps_to_the_restricted_standard_too():
    _, wave = templates("image", "netpol-canary")
    patch = json.loads(wave["spec"]["podSpecPatch"])
    added = {c["name"]: c for group in ("initContainers", "containers") for c in patch[group]}
    assert set(added) == {"init", "wait"}
    for container in added.values():
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False and context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"]


@pytest.mark.parametrize("count", [1, 12, 1000])
def test_a_wave_s_workflow_is_small(count):
    made = workflow(rollout(count), 0, "shop-cccccccccc-w0-0")
    assert len(json.dumps(made)) < MOST_BYTES
    given = {p["name"]: p["value"] for p in made["spec"]["arguments"]["parameters"]}
    shards = {1: "1", 12: "1", 1000: "20"}[count]
    assert given == {
        "rollout": "shop-cccccccccc",
        "wave": "0",
        "writers": shards,
        "readers": str(min(int(shards), 15)),
    }


def test_shards_cover_a_wave_once_and_all_readers_run_at_once():
    for count, size in [(1, 1), (7, 3), (1000, 50), (1000, 1), (2000, 500)]:
        found = rollout(count, shard_size=size)
        names = found.spec.waves[0].namespaces
        for shards in (writers(found, 0), readers(found, 0)):
            assert [n for k in range(shards) for n in part(names, k, shards)] == names
        assert writers(found, 0) <= MOST_WRITERS
        assert readers(found, 0) + 1 <= MOST_AT_ONCE


def test_a_workflow_s_name_fits_a_label_and_is_its_own():
    long = "a" * 200
    assert len(called(long, 12, 3)) <= MOST_LABEL
    assert called(long, 12, 3) != called(long + "b", 12, 3)
    assert called("shop-1", 0, 0) == "shop-1-w0-0"
