"""Two changes of one connection that must not stand alone: between their waves more is open than before or after."""

from stage import SPACES, Stage, files, policy

from orchestrator.planning.forecast import forecast
from orchestrator.planning.planner import plan

PORTS = [{"port": 80, "protocol": "TCP"}]


def out(space, ports=None):
    rule = {**({"ports": ports} if ports else {})}
    return policy("out", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]}, space)


def into(space, ports=None):
    rule = {**({"ports": ports} if ports else {})}
    return policy("into", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}, space)


def crossing(**strategy):
    """cart narrows what it calls while pay opens all ports: if pay is first, more is open than before or after."""
    stage = Stage(**strategy)
    for space in SPACES:
        stage.pod(space)
    label = {"netpol-canary.dev/source": "shop"}
    for old in (out("pay"), into("cart", PORTS)):
        stage.cluster.create({**old, "metadata": {**old["metadata"], "labels": label}})
    stage.repository.push(
        "d", files(out("pay", PORTS), into("cart"), policy("old", {"podSelector": {}}, "web"))
    )
    return stage


def asked(stage, mark="d"):
    """What is known beforehand of the change to that commit."""
    ctx = stage.context()
    made = plan(ctx, stage.shop(), mark * 40)
    return forecast(ctx, made, stage.shop().spec.strategy, stage.repository.files(mark * 40))
