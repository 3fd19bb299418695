"""Why a kubeconfig leads to no cluster: the file, the variable, the option or the context that is wrong. Its text is never shown."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from orchestrator.adapters.given_files import unreadable
from orchestrator.errors import BadInput
from orchestrator.policy.files.nearest import did_you_mean
from orchestrator.wording import few

VARIABLE, OPTION, USUAL = "KUBECONFIG", "--kubeconfig", "~/.kube/config"
MOST_NAMED = 5
MOST_BYTES = 1 << 20
# What the client lets out of itself where a kubeconfig is of another shape than it takes for granted.
UNUSABLE = (OSError, yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
_OTHERWISE = f"give {OPTION}, or set {VARIABLE}"


def explained(kubeconfig: str, context: str, said: str) -> BadInput:
    """The error to raise where the client could not use what it was given; `said` is its own reason."""
    where, paths = _named(kubeconfig)
    standing = [path for path in paths if path.exists()]
    if not standing:
        if not where:
            text = "there is no kubeconfig, and this process runs in no cluster"
            return BadInput(text, USUAL, f"give {OPTION} FILE, or set {VARIABLE}")
        return unreadable(FileNotFoundError(), paths[0], "correct it, or leave it out", where)
    configs = []
    for path in standing:
        try:
            configs.append(_read(path))
        except OSError as error:
            return unreadable(error, path, _OTHERWISE, where)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            return BadInput("it is no YAML", f"{where} {path}".strip(), "give a kubeconfig")
    return _of_contexts(configs, context, " and ".join(map(str, standing)), said)


def contexts(kubeconfig: str) -> list[str]:
    """The names of a kubeconfig's contexts, of MOST_BYTES of each file. Raises one of UNUSABLE."""
    return [name for path in _named(kubeconfig)[1] for name in _contexts(_read(path, MOST_BYTES))]


def _of_contexts(configs: Sequence[dict[str, Any]], context: str, files: str, said: str) -> BadInput:
    known = [name for config in configs for name in _contexts(config)]
    current = next((str(c["current-context"]) for c in configs if c.get("current-context")), "")
    held = f"it has {few(known, MOST_NAMED)}" if known else "it has no contexts"
    if context and context not in known:
        text = f"there is no context {context} in {files}"
        return BadInput(text, "--context", did_you_mean(context, known, held))
    if not context and not current:
        return BadInput("no context is chosen: current-context is not set", files, f"give --context; {held}")
    if not context and current not in known:
        text = f"the current-context {current} is none of its contexts"
        return BadInput(text, files, did_you_mean(current, known, f"give --context; {held}"))
    return BadInput(f"no cluster: {said}", files, "correct it, or give another --kubeconfig or --context")


def _named(kubeconfig: str) -> tuple[str, list[Path]]:
    """What named the files, and the files; nothing names the usual one."""
    if kubeconfig:
        return OPTION, [Path(kubeconfig).expanduser()]
    if os.environ.get(VARIABLE):
        found = os.environ[VARIABLE].split(os.pathsep)
        return VARIABLE, [Path(path).expanduser() for path in found if path]
    return "", [Path(USUAL).expanduser()]


def _read(path: Path, most: int = -1) -> dict[str, Any]:
    with path.open("rb") as file:
        found = yaml.safe_load(file.read(most))
    return found if isinstance(found, dict) else {}


def _contexts(config: dict[str, Any]) -> list[str]:
    found = config.get("contexts")
    items = found if isinstance(found, list) else []
    return [str(item["name"]) for item in items if isinstance(item, dict) and item.get("name")]
