"""`init`: writes what a repository of policies begins with, and asks for what is missing where somebody is there."""

import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from orchestrator.adapters.git.program import is_ssh
from orchestrator.adapters.git.worktree import git, root_of
from orchestrator.cli import new_files, wiring
from orchestrator.cli.app import Target
from orchestrator.cli.authoring.importing import MOST_NAMED
from orchestrator.cli.repositories.ci_files import CI_FILES, POLICIES
from orchestrator.cli.repositories.editor_schemas import schemas
from orchestrator.cli.repositories.first_files import (
    EXPORT,
    POLICY,
    SCHEMAS,
    SOURCE,
    STANDING_IN,
    Wanted,
    files,
)
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
from orchestrator.cli.repositories.taken_over import Found, found_in
from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import parse
from orchestrator.policy.schemas.fields import dns_label
from orchestrator.rollout.resources.resource import load
from orchestrator.wording import agreeing, few, many

_USERINFO = re.compile(r"^(https?://)[^/@]*@")


def init(directory: Path, given: Given, force: bool, target: Target | None = None) -> int:
    """Writes all files or none, and says what to do next; `target` is the cluster to begin from. Raises BadInput."""
    _at_root(directory)
    given = _guessed(directory, given)
    missing = given.missing()
    if missing and not sys.stdin.isatty():
        raise BadInput(
            f"{' and '.join(missing)} {agreeing(len(missing), 'is', 'are')} missing",
            hint=f"give {agreeing(len(missing), 'it', 'them')}, or start it in a terminal, which asks",
        )
    wanted = read(_asked(directory, given) if missing else given)
    found = found_in(wiring.connected(target).cluster, wanted) if target else None
    if found:
        wanted = replace(wanted, needed=found.needed)
        wanted = replace(wanted, kinds=(POLICY, *found.policies.kinds) if found.policies.files else ())
    texts = files(wanted)
    begun = {**texts, **(_taken(found) if found else {})}
    load(parse(texts[SOURCE].encode(), SOURCE)[0].obj, SOURCE)  # where it names more than a source may
    kept = {f"{SCHEMAS}/{name}.json": text for name, text in schemas().items()}
    new_files.write(directory, {**begun, **kept}, "give --force to replace it, or another --directory", force)
    print(f"written below {directory}: {', '.join(texts)}, {SCHEMAS}")
    if not wanted.host:
        print(f"no CI file: --host {' or '.join(CI_FILES)} writes one")
    for line in [*_before(directory, wanted, found), "then:", *_then(directory, wanted)]:
        print(line)
    return 0


def _taken(found: Found) -> dict[str, str]:
    """The cluster's workloads in place of the stand-ins, and its policies."""
    return {
        STANDING_IN: f"# What ran in the cluster when this began; applied nowhere.\n{found.workloads}",
        **{f"{POLICIES}/{path}": text for path, text in found.policies.files.items()},
    }


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
        found = replace(found, selector=scope) if "=" in scope else replace(found, namespaces=scope)
    spaces, labels = namespaces_of(found.namespaces, "--namespaces"), labels_of(found.selector)
    if not found.canary and len(spaces) > 1:
        found = replace(
            found, canary=_answer("First wave", lambda t: canary_of(t, spaces, labels), spaces[0])
        )
    return replace(found, host=found.host or _answer("CI of github or gitlab, or nothing for none", ci_host))


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


def _before(directory: Path, wanted: Wanted, found: Found | None) -> Iterator[str]:
    """What was taken from the cluster, or how it is; and where there are no policies, how the first are written."""
    policies = shlex.quote(str(directory / POLICIES))
    if found is None:
        only = " ".join(f"--only {name}" for name in wanted.namespaces)
        if wanted.labels:
            chosen = ",".join(f"{k}={v}" for k, v in wanted.labels)
            listed = "{range .items[*]}--only {.metadata.name} {end}"
            only = f"{only} $(kubectl get ns -l {chosen} -o jsonpath='{listed}')".strip()
        yield "before you commit it, put the cluster's workloads in place of the stand-ins, bring in its policies, and run the test;"
        yield "with --cluster, init does the first two itself:"
        yield f"  {EXPORT} > {shlex.quote(str(directory / STANDING_IN))}"
        yield f"  netpol-canary import --cluster {only} --to {policies}"
    elif found.policies.files:
        where = few(found.namespaces, MOST_NAMED)
        yield f"taken from the cluster: its workloads, and {many(found.policies.count, 'policy')} of {where}; before you commit it, run the test:"
    else:
        yield f"the cluster's workloads are in {STANDING_IN}; no policy stands in {few(found.namespaces, MOST_NAMED)}."
        yield "Write the first ones, by hand or from what the workloads ask for, and run the test:"
        only = " ".join(f"--only {name}" for name in found.namespaces)
        yield f"  netpol-canary generate {policies} {only} --to {policies}"
    yield f"  netpol-canary test {policies}"


def _then(directory: Path, wanted: Wanted) -> Iterator[str]:
    """From files to the first rollout."""
    if wanted.secret:
        keys = "--from-literal=token=TOKEN"
        if is_ssh(wanted.url):
            keys = "--from-file=sshKey=FILE --from-file=knownHosts=FILE"
        yield f"  kubectl -n netpol-canary create secret generic {wanted.secret} {keys}"
    git = "git" if directory == Path(".") else f"git -C {shlex.quote(str(directory))}"
    yield f"  {git} add -A && {git} commit -m 'Begin with policies' && {git} push origin HEAD:main"
    yield f"  kubectl apply -f {shlex.quote(str(directory / SOURCE))}"
    yield f"  netpol-canary watch {wanted.name}"
