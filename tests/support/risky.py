"""A stage whose next change opens the database to the internet, and cuts one of its clients off a wave later."""

from stage import SPACES, Stage, files, policy

from orchestrator.rollout.resources.objects import SOURCE_LABEL

DB = [{"port": 5432, "protocol": "TCP"}]


def into(space, **rule):
    return policy("into", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}, space)


def near(space):
    return [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}}}]


def risky(**strategy):
    """cart, the canary, opens to everybody; web closes to pay in the wave after it."""
    stage = Stage(**strategy)
    for space in SPACES:
        stage.pod(space, port=5432)
    old = into("cart", **{"from": near("web"), "ports": DB})
    for obj in (old, into("web", **{"from": near("pay")})):
        stage.cluster.create({**obj, "metadata": {**obj["metadata"], "labels": {SOURCE_LABEL: "shop"}}})
    gone = policy("old", {"podSelector": {"matchLabels": {"app": "old"}}, "ingress": [{}]}, "cart")
    stage.repository.push("d", files(into("cart", ports=DB), into("web", **{"from": near("nobody")}), gone))
    return stage
