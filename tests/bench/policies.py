"""What `reach` and `diff` cost as users run them: processes over a synthetic fleet, part of `make bench`.

Each namespace holds 4 workloads, default-deny, DNS egress, one targeted ingress policy a workload, some across namespaces; the same
intent as NetworkPolicies, as policies of Cilium and as policies of Calico. Seconds of processor time, and in brackets how many times
the bare parsing of one copy of the same YAML by PyYAML's C loader in a process of its own; the most memory of the process.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

SIZES = (10, 100, 400, 1000)
PROFILES = ("cilium", "calico", "kube-router", "ovn-kubernetes")
BARE = """
import pathlib, sys, yaml
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.yaml")):
    list(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader))
"""
COMMAND = Path(sys.executable).with_name("netpol-canary")


def policy(namespace, name, spec, version="networking.k8s.io/v1", kind="NetworkPolicy"):
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}


# A peer here is the namespace that it is in and the label `app` that it has, either of them or none.


def network_policy(space, name, app, ingress, egress):
    def peer(other, label):
        found = (
            {}
            if other == space
            else {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": other}}}
        )
        return {**found, **({"podSelector": {"matchLabels": {"app": label}}} if label else {})}

    def rules(word, given):
        return [
            {
                word: [peer(*p) for p in peers],
                **({"ports": [{"port": n, "protocol": p} for p, n in ports]} if ports else {}),
            }
            for peers, ports in given
        ]

    spec = {"podSelector": {"matchLabels": {"app": app}} if app else {}}
    spec["policyTypes"] = [
        word for word, given in (("Ingress", ingress), ("Egress", egress)) if given is not None
    ]
    spec |= {"ingress": rules("from", ingress)} if ingress else {}
    spec |= {"egress": rules("to", egress)} if egress else {}
    return policy(space, name, spec)


def cilium(space, name, app, ingress, egress):
    def peer(other, label):
        labels = {"app": label} if label else {}
        return {
            "matchLabels": labels | ({} if other == space else {"k8s:io.kubernetes.pod.namespace": other})
        }

    def rules(word, given):
        return [
            {
                word: [peer(*p) for p in peers],
                **(
                    {"toPorts": [{"ports": [{"port": str(n), "protocol": p} for p, n in ports]}]}
                    if ports
                    else {}
                ),
            }
            for peers, ports in given
        ] or [{}]

    spec = {"endpointSelector": {"matchLabels": {"app": app}} if app else {}}
    spec |= {"ingress": rules("fromEndpoints", ingress)} if ingress is not None else {}
    spec |= {"egress": rules("toEndpoints", egress)} if egress is not None else {}
    return policy(space, name, spec, "cilium.io/v2", "CiliumNetworkPolicy")


def calico(space, name, app, ingress, egress):
    def peer(other, label):
        found = {"selector": f"app == '{label}'"} if label else {}
        return (
            found
            if other == space
            else {**found, "namespaceSelector": f"projectcalico.org/name == '{other}'"}
        )

    def rule(word, other, protocol, number):
        ends = {word: peer(*other)}
        if protocol:
            ends = {
                **ends,
                "destination": {**ends.get("destination", {}), "ports": [number]},
                "protocol": protocol,
            }
        return {"action": "Allow", **ends}

    def rules(word, given):
        return [
            rule(word, p, *port) for peers, ports in given for p in peers for port in ports or [(None, None)]
        ]

    spec = {"selector": f"app == '{app}'" if app else "all()"}
    spec["types"] = [word for word, given in (("Ingress", ingress), ("Egress", egress)) if given is not None]
    spec |= {"ingress": rules("source", ingress)} if ingress else {}
    spec |= {"egress": rules("destination", egress)} if egress else {}
    return policy(space, name, spec, "projectcalico.org/v3")


APIS = {"NetworkPolicy": network_policy, "Cilium": cilium, "Calico": calico}


def namespace(number, size, written=network_policy):
    """The objects of one namespace, its policies as an API writes them."""
    own, after, before = (f"ns-{n % size:04d}" for n in (number, number + 1, number - 1))
    labels = {"team": f"t{number % 10}"}
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": own, "labels": labels}}
    for work in range(4):
        container = {"name": "app", "ports": [{"name": "http", "containerPort": 8080 + work}]}
        template = {"metadata": {"labels": {"app": f"w{work}"}}, "spec": {"containers": [container]}}
        meta = {"name": f"w{work}", "namespace": own}
        yield {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {"template": template},
        }
    yield written(own, "deny", "", [], [])
    dns = ([("kube-system", "")], [("UDP", 53), ("TCP", 53)])
    yield written(own, "egress", "", None, [dns, ([(after, "")], [])])
    for work in range(4):
        peers = [(own, f"w{(work + 1) % 4}"), *([(before, "w3")] if work == 0 else [])]
        yield written(own, f"in-{work}", f"w{work}", [(peers, [("TCP", 8080 + work)])], None)


def with_blocks(number):
    """A policy with 300 blocks of addresses of its own, for one workload of a namespace."""
    blocks = [{"ipBlock": {"cidr": f"{11 + number}.{n // 250}.{n % 250}.0/25"}} for n in range(300)]
    spec = {
        "podSelector": {"matchLabels": {"app": "w0"}},
        "policyTypes": ["Egress"],
        "egress": [{"to": blocks}],
    }
    return policy(f"ns-{number:04d}", "blocks", spec)


def folder(path, size, written, blocks=0, port=8080):
    """A file for each namespace, in one of which a port may be another one."""
    path.mkdir()
    for number in range(size):
        found = [*namespace(number, size, written), *([with_blocks(number)] if number < blocks else [])]
        text = yaml.dump_all(found, Dumper=yaml.CSafeDumper)
        (path / f"ns-{number:04d}.yaml").write_text(text.replace("8080", str(port)) if number == 0 else text)
    return path


def spent(*command):
    """Seconds of processor time and MiB, of a process that has to end well."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def line(name, size, cni, old, new):
    bare, _ = spent(sys.executable, "-c", BARE, old)
    costs = [spent(COMMAND, "reach", old, "--cni", cni), spent(COMMAND, "diff", old, new, "--cni", cni)]
    cells = "".join(f"{time:8.2f} ({time / bare:4.1f}) {memory:5.0f} MiB" for time, memory in costs)
    print(f"{name:22} {size:10} {cni:>14} {bare:8.2f}{cells}", flush=True)
    return costs


def main():
    largest = SIZES[-1]
    spent(COMMAND, "reach", "--help")  # compiled once
    print(f"\n{'policies':22} {'namespaces':>10} {'profile':>14} {'bare s':>8}{'reach s':>8}{'diff s':>25}")
    with tempfile.TemporaryDirectory() as root:
        for name, written in APIS.items():
            for size in SIZES:
                sides = [
                    folder(Path(root, f"{name}-{size}-{p}"), size, written, port=p) for p in (8080, 8079)
                ]
                line(name, size, "generic", *sides)
            if name == "NetworkPolicy":
                plain = {cni: line(name, size, cni, *sides) for cni in PROFILES}
        sides = [folder(Path(root, f"blocks-{p}"), largest, network_policy, 50, p) for p in (8080, 8079)]
        for cni in PROFILES:
            costs = zip(line("with 50 x 300 blocks", largest, cni, *sides), plain[cni], strict=True)
            times = [f"{more[0] / less[0]:.1f}" for more, less in costs]
            print(f"{'':22} as many times as without blocks: reach {times[0]}, diff {times[1]}")


if __name__ == "__main__":
    main()
