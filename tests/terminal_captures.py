"""Pictures of commands on a terminal, as SVG: `python tests/terminal_captures.py DIR`."""

import io
import os
import pty
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import on_path  # noqa: F401
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console, Group
from rich.text import Text

from orchestrator.cli import logs
from orchestrator.cli.demo import past, shop_demo
from orchestrator.cli.live.fitted_rows import fitted
from orchestrator.cli.live.live_view import rows
from orchestrator.engine.worker import Embedded
from orchestrator.operations.start import find_source, start
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox import shop_workloads
from orchestrator.sandbox.shop_source import SOURCE_NAME
from orchestrator.sandbox.world import build

COLUMNS, LINES = 110, 44
CHECKED = 26  # lines of a summary that goes on
# Nothing is loaded from elsewhere: the reader's own font for code, in place of one from a server.
FACES = CONSOLE_SVG_FORMAT[
    CONSOLE_SVG_FORMAT.index("@font-face") : CONSOLE_SVG_FORMAT.index(".{unique_id}-matrix")
]
FORMAT = CONSOLE_SVG_FORMAT.replace(FACES, "").replace(
    "Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
)
ANN = ("ann", "ann@example.com")
SOURCE = """\
apiVersion: netpol-canary.dev/v1alpha1
kind: PolicySource
metadata:
  name: shop
spec:
  git:
    url: https://git.example.com/platform/network-policies.git
  namespaces:
    matchLabels: [{key: team, value: shop}]
  strategy:
    analysis:
      metrics:
      - {name: errors, qurey: "sum(rate(errors_total[1m]))"}
"""


def main(target):
    logs.configure(level="error")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, shop_demo.repository(None) as root:
        (Path(folder) / "source.yaml").write_text(SOURCE)
        good, bad, *_ = shop_demo.scenarios()
        shop_demo.commit(root, {shop_workloads.FLOWS: None}, "Keep recordings elsewhere")
        plan = ["plan", "--source", "source.yaml", "--sandbox"]
        save(target, "help", "netpol-canary --help", said("--help"))
        save(target, "error", f"netpol-canary {' '.join(plan)}", said(*plan, at=folder))
        save(target, "watch", "netpol-canary watch shop", drawn(root, folder, good, "Analysing"))
        save(target, "watch-waits", "netpol-canary watch shop", drawn(root, folder, good))
        save(target, "watch-rolled-back", "netpol-canary watch shop", drawn(root, folder, bad))
        shop_demo.commit(root, bad.files, bad.subject, ANN)
        plan = ["plan", ".", "--sandbox", "--no-diff"]
        save(target, "plan", f"netpol-canary {' '.join(plan)}", said(*plan, at=root))
        lines = said("check", ".", "--base", "HEAD~1", at=root).split("\n")
        save(
            target,
            "check",
            f"netpol-canary check . --base HEAD~1 | head -{CHECKED}",
            Text("\n").join(lines[:CHECKED]),
        )


def save(target, name, title, content):
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(content, end="")
    (target / f"terminal-{name}.svg").write_text(console.export_svg(title=title, code_format=FORMAT))


def said(*args, at=None):
    """What a command says on a terminal, with its colours."""
    master, slave = pty.openpty()
    size = {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color", "FORCE_COLOR": "1"}
    command = [Path(sys.executable).with_name("netpol-canary"), *args]
    process = subprocess.Popen(command, stdout=slave, stderr=slave, cwd=at, env={**os.environ, **size})
    os.close(slave)
    found = []
    reader = threading.Thread(target=lambda: found.extend(parts(master)))
    reader.start()
    process.wait()
    reader.join()
    os.close(master)
    return Text.from_ansi(b"".join(found).decode().replace("\r", ""))


def parts(master):
    try:
        while part := os.read(master, 65536):
            yield part
    except OSError:
        return  # the program has closed its end


def drawn(root, folder, scenario, reason=""):
    """What `watch` draws of the last moment at which a rollout waits for this, or of its end."""
    world, seen = build(), []
    strategy = past.gated()
    analysis = strategy.analysis.model_copy(update={"count": 20, "interval_seconds": 10})
    strategy = strategy.model_copy(update={"analysis": analysis})
    identities = [m.Identity(email=ANN[1], user=ANN[0])]
    ctx = shop_demo.prepare(world, root, Path(folder) / "cache", strategy, identities)
    revision = shop_demo.commit(root, scenario.files, scenario.subject, ANN)
    name = start(ctx, find_source(ctx, SOURCE_NAME), revision).rollout
    worker = Embedded(ctx, "captures", watch=lambda s, a: seen.append((a.reason, s, ctx.clock.now())))
    seen.append(("", worker.drive(name), ctx.clock.now()))
    shop_demo.revert(root)
    state, now = [(found, now) for why, found, now in seen if why == reason][-1]
    return Group(*fitted(rows(state, now, COLUMNS), LINES))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
