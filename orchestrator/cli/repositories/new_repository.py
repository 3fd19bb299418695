"""`init`: writes what a repository of policies begins with, and asks for what is missing where somebody is there."""

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from orchestrator.adapters.git.worktree import git, root_of
from orchestrator.cli import new_files
from orchestrator.cli.repositories.ci_files import CI_FILES, POLICIES
from orchestrator.cli.repositories.editor_schemas import schemas
from orchestrator.cli.repositories.first_files import EXPORT, SCHEMAS, SOURCE, STANDING_IN, Wanted, files
from orchestrator.cli.repositories.new_options import (
    Given,
    canary_of,
    ci_host,
    labels_of,
    namespaces_of,
    parts,
    read,
    repository_url,
    source_name,
)
from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.schemas.fields import dns_label
from orchestrator.rollout.resources.resource import load
from orchestrator.wording import agreeing

_USERINFO = re.compile(r"^(https?://)[^/@]*@")


def init(directory: Path, given: Given, force: bool) -> int:
    """Writes all files or none, and says what to do next. Raises BadInput."""
    _at_root(directory)
    given = _guessed(directory, given)
    missing = given.missing()
    if missing and not sys.stdin.isatty():
        raise BadInput(
            f"{' and '.join(missing)} {agreeing(len(missing), 'is', 'are')} missing",
            hint="give them, or start it in a terminal, which asks",
        )
    wanted = read(_asked(directory, given) if missing else given)
    texts = files(wanted)
    load(parse(texts[SOURCE].encode(), SOURCE)[0].obj, SOURCE)  # where it names more than a source may
    kept = {f"{SCHEMAS}/{name}.json": text for name, text in schemas().items()}
    new_files.write(directory, {**texts, **kept}, "give --force to replace it, or another --directory", force)
    print(f"written below {directory}: {', '.join(texts)}, {SCHEMAS}")
    print(
        "before you commit it, put the cluster's workloads in place of the stand-ins, bring in its policies, and run the test:"
    )
    for line in _next(directory, wanted):
        print(f"  {line}")
    return 0


def _at_root(directory: Path) -> None:
    """CI files work in a repository's root alone, and paths are meant from there."""
    try:
        root = root_of(directory)
    except BadInput:
        return  # it will be a repository later
    if root.resolve() != directory.resolve():
        raise BadInput(
            "this is within a repository, not its root", str(directory), f"give --directory {root}"
        )


def _guessed(directory: Path, given: Given) -> Given:
    """With the address of the remote origin, and the host that an address names."""
    url = given.repository or _origin(directory)
    named = next((host for host in CI_FILES if host in url.lower()), "")
    return replace(given, repository=url, host=given.host or named)


def _origin(directory: Path) -> str:
    """Without credentials, which must not get into a file."""
    try:
        return _USERINFO.sub(r"\1", git(directory, "remote", "get-url", "origin").decode().strip())
    except (BadInput, UnicodeDecodeError):
        return ""


def _asked(directory: Path, given: Given) -> Given:
    """With what was missing, from whoever sits at the terminal."""
    folder = directory.resolve().name
    proposed = "" if any(dns_label(folder, "")) else folder
    name = given.name or _answer("Name of the source", source_name, proposed)
    url = given.repository or _answer("URL of the repository", repository_url)
    found = _guessed(directory, replace(given, name=name, repository=url))
    if not given.namespaces and not given.selector:
        scope = _answer("Namespaces, as cart,checkout, or their labels, as team=shop", _scope)
        found = replace(found, **{"selector" if "=" in scope else "namespaces": scope})
    spaces, labels = namespaces_of(found.namespaces, "--namespaces"), labels_of(found.selector)
    if not found.canary and len(spaces) > 1:
        found = replace(
            found, canary=_answer("First wave", lambda t: canary_of(t, spaces, labels), spaces[0])
        )
    return replace(found, host=found.host or _answer("CI of github or gitlab", ci_host))


def _scope(text: str) -> object:
    if not parts(text):
        raise BadInput("a source needs at least one")
    return labels_of(text) if "=" in text else namespaces_of(text, "--namespaces")


def _answer(question: str, read: Callable[[str], object], proposed: str = "") -> str:
    """Asks until the answer can be read. Raises BadInput where no more answers come."""
    while True:
        try:
            said = input(f"{question}{f' [{proposed}]' if proposed else ''}: ").strip() or proposed
            read(said)
            return said
        except BadInput as error:
            print(error)
        except EOFError:
            raise BadInput("no answer came", hint="give the options; --help lists them") from None


def _next(directory: Path, wanted: Wanted) -> Iterator[str]:
    """Three commands, in their order."""
    policies = shlex.quote(str(directory / POLICIES))
    only = " ".join(f"--only {name}" for name in wanted.namespaces)
    if wanted.labels:
        chosen = ",".join(f"{k}={v}" for k, v in wanted.labels)
        listed = "{range .items[*]}--only {.metadata.name} {end}"
        only = f"{only} $(kubectl get ns -l {chosen} -o jsonpath='{listed}')".strip()
    yield f"{EXPORT} > {shlex.quote(str(directory / STANDING_IN))}"
    yield f"netpol-canary import --cluster {only} --to {policies}"
    yield f"netpol-canary test {policies}"
