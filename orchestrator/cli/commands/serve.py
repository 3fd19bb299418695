"""The processes that run in the cluster: `serve`, `controller`, whose settings `settings` prints, and `guard`; and `ui`, by which people reach them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator.cli.app import Log, LogLevel, Target, app, on_cluster

Config = Annotated[Path | None, typer.Option("--config", help="a YAML file of settings", metavar="FILE")]
Poll = Annotated[
    float | None, typer.Option(help="seconds between two polls of a source's repository", show_default="30")
]
SetLog = Annotated[str | None, typer.Option(help="json or console; else what suits standard error")]
SetLogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error", show_default="info")]
Namespace = Annotated[
    str | None,
    typer.Option("-n", "--namespace", help="the orchestrator's own namespace", show_default="netpol-canary"),
]
ContextName = Annotated[str | None, typer.Option("--context", help="the kubeconfig's context")]
Kubeconfig = Annotated[
    str | None, typer.Option("--kubeconfig", help="the kubeconfig file; else KUBECONFIG", metavar="FILE")
]
SecretsDir = Annotated[
    Path | None, typer.Option("--secrets", help="a directory NAME/KEY in place of Secrets", metavar="DIR")
]


@app.command(epilog="Example: netpol-canary serve --config settings.yaml --no-pages")
def serve(
    config: Config = None,
    controller: Annotated[
        bool | None, typer.Option("--controller/--no-controller", help="roll out, and roll back")
    ] = None,
    webhooks: Annotated[
        bool | None, typer.Option("--webhooks/--no-webhooks", help="take pushes that Git hosts report")
    ] = None,
    pages: Annotated[bool | None, typer.Option("--pages/--no-pages", help="serve the web pages")] = None,
    poll: Poll = None,
    listen: Annotated[
        str | None, typer.Option(help="where everything is served", show_default=":8080")
    ] = None,
    log: SetLog = None,
    log_level: SetLogLevel = None,
    namespace: Namespace = None,
    context: ContextName = None,
    kubeconfig: Kubeconfig = None,
    secrets: SecretsDir = None,
) -> int:
    """Run controller, webhooks and web pages in one process; docs/settings.md has every setting."""
    from orchestrator.cli.operate import service
    from orchestrator.server.settings import load

    flags = _flags(
        controller={"enabled": controller, "poll_seconds": poll},
        webhooks={"enabled": webhooks},
        pages={"enabled": pages},
        listen=listen,
        log=log,
        log_level=log_level,
        namespace=namespace,
        context=context,
        kubeconfig=kubeconfig,
        secrets=secrets,
    )
    return service.run(load(config, flags))


@app.command(epilog="Example: netpol-canary controller --poll 60 --listen :8080")
def controller(
    config: Config = None,
    poll: Poll = None,
    listen: Annotated[
        str | None,
        typer.Option(help="where /metrics, /healthz and /readyz are served", show_default=":8080"),
    ] = None,
    log: SetLog = None,
    log_level: SetLogLevel = None,
    namespace: Namespace = None,
    context: ContextName = None,
    kubeconfig: Kubeconfig = None,
    secrets: SecretsDir = None,
) -> int:
    """The controller alone, as `serve --no-webhooks --no-pages`."""
    alone = (config, True, False, False)
    return serve(*alone, poll, listen, log, log_level, namespace, context, kubeconfig, secrets)


@app.command(epilog="Example: netpol-canary ui --context production")
@on_cluster()
def ui(
    target: Target,
    service: Annotated[str, typer.Option(help="the Service of the pages")] = "netpol-canary",
    port: Annotated[
        int, typer.Option(help="on the loopback address; else one that is free", min=0, max=65535)
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="open the pages in a browser")
    ] = True,
) -> int:
    """Open the web pages of an installation in a browser, signed in with your own token."""
    from orchestrator.cli.ui import opened_pages

    return opened_pages.ui(target, service, port, browser)


@app.command(epilog="Example: netpol-canary guard --interval 5 --listen :8080")
@on_cluster()
def guard(
    target: Target,
    interval: Annotated[
        float, typer.Option(help="seconds between two checks of the rollouts' Leases, 1 to 60")
    ] = 5.0,
    listen: Annotated[str, typer.Option(help="where /metrics, /healthz and /readyz are served")] = ":8080",
    log: Log = "",
    log_level: LogLevel = "info",
) -> int:
    """Roll back rollouts that nobody works on any more; needs the API server alone."""
    from orchestrator.cli.operate import guard_service

    return guard_service.run(target, interval, listen, log, log_level)


@app.command(epilog="Example: netpol-canary settings --docs > docs/settings.md")
def settings(
    docs: Annotated[bool, typer.Option("--docs", help="what can be set, as Markdown")] = False,
    config: Config = None,
) -> int:
    """Print the settings that `serve` would work with, from the environment and a file, as YAML."""
    import yaml

    from orchestrator.server import settings_reference
    from orchestrator.server.settings import load

    if docs:
        print(settings_reference.page())
    else:
        print(yaml.safe_dump(load(config).model_dump(mode="json"), sort_keys=False), end="")
    return 0


def _flags(**given: Any) -> dict[str, Any]:
    """Those that were given."""
    found = {k: _flags(**v) if isinstance(v, dict) else v for k, v in given.items()}
    return {k: v for k, v in found.items() if v is not None and v != {}}
