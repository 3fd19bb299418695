"""A stage whose next change opens the database to the internet, and cuts one of its clients off a wave later."""

from stage import Stage, files, policy

from orchestrator.rollout.resources.objects import SOURCE_LABEL

DB = [{"port": 5432, "protocol": "TCP"}]


def into(space, **rule):
    return policy("into", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}, space)


def near(space):
    return [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": space}}}]


def risky(**strategy):
    """cart, the canary, opens to everybody; web closes to pay in the wave after it."""
    stage = Stage(**strategy)
    for space in ("cart", "pay", "web"):
        containers = [{"name": "c", "image": "c", "ports": [{"containerPort": 5432}]}]
        meta = {"name": "a", "namespace": space, "labels": {"app": "a"}}
        stage.cluster.create(
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers}}
        )
    old = into("cart", **{"from": near("web"), "ports": DB})
    for obj in (old, into("web", **{"from": near("pay")})):
        stage.cluster.create({**obj, "metadata": {**obj["metadata"], "labels": {SOURCE_LABEL: "shop"}}})
    gone = policy("old", {"podSelector": {"matchLabels": {"app": "old"}}, "ingress": [{}]}, "cart")
    stage.repository.push("d", files(into("cart", ports=DB), into("web", **{"from": near("nobody")}), gone))
    return stage
