"""Messages to those whom a source names: sent from here where no controller does, or as a test."""

import sys
import threading
import uuid

from orchestrator.cli import wiring
from orchestrator.cli.app import Target
from orchestrator.cli.process import holder
from orchestrator.cli.rollouts import sources
from orchestrator.context import Context
from orchestrator.errors import BadInput, PortError
from orchestrator.ports import Message

DELIVERY_SECONDS = 10.0


def deliver(ctx: Context, target: Target, source: str, stop: threading.Event) -> None:
    """Tell receivers what happened; what they do not take in time waits in the cluster."""
    courier = wiring.courier(ctx, target, holder(), stop=stop.is_set)
    if not courier.deliver(source, DELIVERY_SECONDS) and not stop.is_set():
        text = "not every notification could be sent yet; the next run or controller goes on"
        print(f"{source}: {text}", file=sys.stderr)
    courier.close()


def send_test(target: Target, source: str, name: str) -> int:
    """To one of a source's notifications, or to all; 1 where one was not taken. Raises BadInput where there is none."""
    ctx = wiring.connected(target)
    found = sources.find(ctx, source)
    wanted = [n for n in found.spec.notifications if name in ("", n.name)]
    if not wanted:
        what = f"no notification {name}" if name else "no notifications"
        raise BadInput(f"the source {found.name} has {what}", hint="spec.notifications says who is notified")
    body = f"This is a test: {found.name} would notify you of its rollouts here."
    message = Message(f"test/{uuid.uuid4()}", f"netpol-canary: {found.name}: test", body)
    messengers, code = wiring.messengers(ctx, target), 0
    for item in wanted:
        try:
            messengers.get(item).send(message)
            print(f"{item.name}: sent")
        except (BadInput, PortError) as error:
            print(f"{item.name}: not sent: {error}")
            code = 1
    return code
