"""The commands below `netpol-canary notify`."""

from __future__ import annotations

import uuid
from typing import Annotated

import typer

from orchestrator.cli.app import OWN, ContextName, Kubeconfig, Namespace, SecretsDir, app

notify = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look after who is told of rollouts.")
app.add_typer(notify, name="notify", epilog="Example: netpol-canary notify test --source payments")


@notify.command("test", epilog="Example: netpol-canary notify test --source payments --name oncall")
def send_test(
    source: Annotated[str, typer.Option(help="a PolicySource: its name, or a file")],
    name: Annotated[str, typer.Option(help="one of its notifications; else all")] = "",
    namespace: Namespace = OWN,
    context: ContextName = "",
    kubeconfig: Kubeconfig = "",
    secrets: SecretsDir = None,
) -> int:
    """Send a test message to those whom a source names; exit code 1 where one was not taken."""
    from orchestrator.cli import wiring
    from orchestrator.cli.rollouts import sources
    from orchestrator.errors import BadInput, PortError
    from orchestrator.ports import Message

    target = wiring.Target(namespace, context, kubeconfig, secrets)
    ctx = wiring.connected(target)
    found = sources.find(ctx, source)
    wanted = [n for n in found.spec.notifications if name in ("", n.name)]
    if not wanted:
        what = f"no notification {name}" if name else "no notifications"
        raise BadInput(f"the source {found.name} has {what}", hint="spec.notifications says who is told")
    body = f"This is a test: {found.name} would tell you of its rollouts here."
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
