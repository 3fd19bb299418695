"""What tests of rollouts leave on a real API server is taken away, whatever holds it."""

import json

from patience import eventually
from stage import OWN

# Whose finalizers nobody takes off here.
HELD = ("namespacerollouts", "policyrollouts", "persistentvolumeclaims")


def cleared(plane, *spaces):
    """Take away our namespace, these, and what we were granted in the cluster; AssertionError where one stays.

    No kubelet and no controller of ours runs any more: pods go by force, and finalizers are taken off.
    """
    going = (OWN, *spaces)
    ours = plane.run("get", "clusterroles,clusterrolebindings", "-o", "name").split()
    if granted := [name for name in ours if name.partition("/")[2].startswith(OWN)]:
        plane.run("delete", "--ignore-not-found", *granted)
    for space in going:  # first: the namespace controller comes back only after seconds to what was held
        plane.run("delete", "pods", "--all", "--force", "--grace-period=0", "-n", space, check=False)
    freed(plane)
    plane.run("delete", "namespace", "--ignore-not-found", "--wait=false", *going)

    def gone():
        if left := standing(plane, going):
            freed(plane)
        return not left

    try:
        eventually(gone, every=0.3)
    except AssertionError:
        raise AssertionError(f"these namespaces do not go: {standing(plane, going)}") from None


def standing(plane, names):
    """Which of these namespaces are there still, each with what the namespace controller says is left in it."""
    found = json.loads(plane.run("get", "namespace", "-o", "json"))["items"]
    conditions = {i["metadata"]["name"]: i["status"].get("conditions", []) for i in found}
    return {
        n: [c["message"] for c in told if c["status"] == "True"]
        for n, told in conditions.items()
        if n in names
    }


def freed(plane):
    """Take the finalizers off rollouts and what else has one, so that they can be deleted."""
    held = "jsonpath={range .items[?(@.metadata.finalizers)]}{.kind}/{.metadata.name} {end}"
    for name in plane.run("get", ",".join(HELD), "-n", OWN, "-o", held, check=False).split():
        patch = '{"metadata":{"finalizers":null}}'
        plane.run("patch", "-n", OWN, name, "--type=merge", "-p", patch, check=False)
