"""What is typed of a new repository, held against what the cluster and Git take."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.adapters.git.program import Credentials, check_url
from orchestrator.cli.repositories.ci_files import CI_FILES
from orchestrator.cli.repositories.first_files import Labels, Wanted
from orchestrator.errors import BadInput
from orchestrator.policy.files.nearest import did_you_mean
from orchestrator.policy.schemas.fields import dns_label, label_key, label_value


@dataclass(frozen=True)
class Given:
    """What was typed; empty where nothing was."""

    name: str = ""
    repository: str = ""
    namespaces: str = ""
    selector: str = ""
    canary: str = ""
    host: str = ""
    private: bool = False

    def missing(self) -> list[str]:
        """The options without which nothing can be written."""
        scope = self.namespaces or self.selector
        options = {"--name": self.name, "--repository": self.repository, "--namespaces or --selector": scope}
        return [option for option, value in options.items() if not value]


def read(given: Given) -> Wanted:
    """What was typed, held against what the cluster and Git take. Raises BadInput that names the option."""
    spaces, labels = namespaces_of(given.namespaces, "--namespaces"), labels_of(given.selector)
    if not spaces and not labels:
        raise BadInput("no namespace is named", "--namespaces", "name one, or give --selector")
    canary = canary_of(given.canary, spaces, labels) or (() if labels else spaces[:1])
    return Wanted(
        source_name(given.name),
        repository_url(given.repository),
        spaces,
        labels,
        canary,
        ci_host(given.host),
        given.private,
    )


def source_name(text: str) -> str:
    """The value of a label on whatever the source writes, too. Raises BadInput, as all of these."""
    return _held(text, dns_label(text, "--name"))


def repository_url(text: str) -> str:
    """As a source takes it; the keys of ssh servers come with a Secret, later."""
    if not text.isprintable() or " " in text:
        raise BadInput("an address has no spaces", "--repository", "give an https:// or ssh:// address")
    try:
        check_url(text, Credentials(known_hosts="later"))
    except BadInput as error:
        hint = "give an https:// or ssh:// address" if "git.url" in error.hint else error.hint
        raise BadInput(error.message, "--repository", hint) from None
    return text


def namespaces_of(text: str, option: str) -> tuple[str, ...]:
    """Each once, in their order."""
    return tuple(_held(name, dns_label(name, option)) for name in dict.fromkeys(parts(text)))


def labels_of(text: str) -> Labels:
    """As kubectl takes labels that must be equal."""
    found = {}
    for part in parts(text):
        key, sign, value = part.partition("=")
        if not sign:
            raise BadInput(f"{part} is no label", "--selector", "write it as team=shop")
        found[_held(key, label_key(key, "--selector"))] = _held(value, label_value(value, "--selector"))
    return tuple(found.items())


def canary_of(text: str, spaces: tuple[str, ...], labels: Labels) -> tuple[str, ...]:
    """Where namespaces are chosen by labels too, it cannot be known here which ones there are."""
    names = namespaces_of(text, "--canary")
    if outside := [name for name in names if name not in spaces and not labels]:
        hint = did_you_mean(outside[0], spaces, "name one of those")
        raise BadInput(f"{outside[0]} is not among --namespaces", "--canary", hint)
    return names


def ci_host(text: str) -> str:
    """One whose CI files are known, or none."""
    if text and text not in CI_FILES:
        raise BadInput(f"there is no CI file for {text!r}", "--host", f"take {' or '.join(CI_FILES)}")
    return text


def parts(text: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _held(value: str, wrong: Iterator[str]) -> str:
    if said := next(wrong, ""):
        raise BadInput(said)
    return value
