"""`controller`: the process that runs in the cluster."""

from __future__ import annotations

from orchestrator.cli import logs, wiring
from orchestrator.cli.run import holder, stopping
from orchestrator.cli.wiring import Target
from orchestrator.errors import BadInput


def serve(target: Target, poll: float, listen: str, log: str, level: str) -> int:
    """Until SIGTERM or SIGINT; 0 then."""
    from orchestrator.adapters.counted import CountedCluster
    from orchestrator.adapters.kubernetes import connect
    from orchestrator.engine.controller import Controller
    from orchestrator.engine.exposition import address, served
    from orchestrator.engine.instruments import Instruments

    if not 1 <= poll <= 86400:
        raise BadInput(f"{poll:g} s is no interval", "--poll", "take 1 to 86400")
    where = address(listen)
    logs.configure(log, level)
    instruments = Instruments()
    with stopping() as stop:
        cluster = CountedCluster(connect(target.kubeconfig, target.context), instruments.called)
        ctx = wiring.over(cluster, target, stop)
        name = holder()
        courier = wiring.courier(ctx, target, name, told=instruments.delivered, stop=stop.is_set)
        found = Controller(ctx, name, instruments, poll, stop.is_set, courier=courier)
        with served(where, instruments.registry, lambda: True, found.ready):
            found.serve()
    return 0
