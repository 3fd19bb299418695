"""The policy agent of the test node: drops packets as the policies in the API server ask.

`python policy_agent.py KUBECONFIG FOLDER`, in the node's network namespace. FOLDER/settings.json may hold
`{"reject": true, "cut": true, "delay": 2}`, read again when it changes (see policy_rules.py; `delay` is seconds
from a change to its enforcement, as on a busy node). What is in force is written to FOLDER/in-force.json.
SIGTERM takes the rules away, so that nothing is enforced; after SIGKILL the last ones stay.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from policy_rules import TABLE, Rules, live
from watching import Objects, end_with_parent, tell

LOOK_SECONDS = 0.1


def settings(folder):
    """The settings as they now stand in the file; none where there is none."""
    try:
        return json.loads((folder / "settings.json").read_text())
    except FileNotFoundError:
        return {}


def load(text):
    """Hand rules to the kernel, all or nothing."""
    done = subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"nft refused:\n{done.stderr}\n{text}")


def stop(*_):
    load(f"table inet {TABLE} {{}}\ndelete table inet {TABLE}\n")
    raise SystemExit(0)


def rules(found, wanted):
    """The table for what stands in the API server."""
    spaces = {o["metadata"]["name"]: o["metadata"].get("labels") or {} for o in found["Namespace"]}
    made = Rules(spaces, live(found["Pod"]), found["NetworkPolicy"], found["AdminNetworkPolicy"])
    return made.text(reject=wanted.get("reject", False), cut=wanted.get("cut", False))


def main(kubeconfig, folder):
    folder, last = Path(folder), None
    end_with_parent()
    signal.signal(signal.SIGTERM, stop)
    objects = Objects(kubeconfig, "Namespace", "Pod", "NetworkPolicy", "AdminNetworkPolicy")
    while True:
        changed = objects.changed.wait(LOOK_SECONDS)
        if changed:  # else what comes just now would be cleared unread
            objects.changed.clear()
        wanted = settings(folder)
        if not changed and last is not None and wanted == last[1]:
            continue
        found = objects.all()
        if found is None:
            continue
        text = rules(found, wanted)
        if (text, wanted) == last:
            continue
        if last is not None:
            time.sleep(wanted.get("delay", 0))
        load(text)
        last = text, wanted
        tell(folder / "in-force.json", json.dumps(wanted))


if __name__ == "__main__":
    main(*sys.argv[1:])
