"""Which receiver an entry of an outbox goes to, as what, and with which settings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from orchestrator.context import SOURCE, Context, read
from orchestrator.errors import BadInput, NotFound
from orchestrator.ports import CommitStatus, GitHost, Message, Messenger, Reversal
from orchestrator.rollout import outbox
from orchestrator.rollout.notifications import feedback, texts
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import Rollout, Source, load
from orchestrator.sources.prune import closed


class Unwanted(Exception):
    """Nobody asks for it any more."""


@dataclass(frozen=True)
class Sender:
    """`hosts` and `messengers` are made anew for each send; `base` is the address of the pages, or empty."""

    ctx: Context
    hosts: Callable[[m.Feedback], GitHost]
    messengers: Callable[[m.Notification], Messenger]
    base: str = ""

    def batches(
        self, rollout: Rollout, to: str, entries: Sequence[m.Outgoing]
    ) -> Iterator[Sequence[m.Outgoing]]:
        """A message each; of statuses and the comment only what is so by now; the way back once all is recorded."""
        if to.startswith(outbox.NOTIFY):
            yield from ([entry] for entry in entries)
        elif entries and (to != outbox.REVERT or closed(rollout)):
            yield entries

    def send(self, rollout: Rollout, to: str, entries: Sequence[m.Outgoing]) -> None:
        """Raises what the receiver raises, and Unwanted.

        Settings are those of the source as it is now, so that what was wrong can be mended; where the source
        is gone, those that were frozen with the rollout.
        """
        source = self._source(rollout)
        if to.startswith(outbox.NOTIFY):
            self._message(rollout, source, to.removeprefix(outbox.NOTIFY), entries)
            return
        given = rollout.spec.feedback if source is None else source.spec.feedback
        if given is None or not _asked(given, to):
            raise Unwanted(f"the source does not ask for {to} any more")
        host = self.hosts(given)
        if to == outbox.STATUSES:
            self._statuses(host, rollout, entries)
        elif to == outbox.COMMENT:
            state = read(self.ctx, rollout.name)
            link = texts.page(self.base, rollout.name, state.rollout.status.phase)
            host.comment(rollout.spec.revision, feedback.marker(rollout), feedback.comment(state, link))
        else:
            self._revert(host, rollout, source)

    def _source(self, rollout: Rollout) -> Source | None:
        try:
            found: Source = load(self.ctx.cluster.get(SOURCE, rollout.spec.source, self.ctx.namespace))
        except (NotFound, BadInput):
            return None
        return found if rollout.spec.source_uid in ("", found.uid) else None

    def _message(
        self, rollout: Rollout, source: Source | None, name: str, entries: Sequence[m.Outgoing]
    ) -> None:
        known = (rollout.spec if source is None else source.spec).notifications
        given = next((n for n in known if n.name == name), None)
        if given is None:
            raise Unwanted(f"the source has no notification {name} any more")
        messenger = self.messengers(given)
        for entry in entries:
            told = texts.text(rollout, entry, self.base)
            messenger.send(Message(id=entry.id, severity=entry.severity, **vars(told)))

    def _statuses(self, host: GitHost, rollout: Rollout, entries: Sequence[m.Outgoing]) -> None:
        wanted = [
            CommitStatus(
                line.context,
                line.state,
                line.description,
                texts.page(self.base, rollout.name, entries[-1].phase),
            )
            for line in feedback.lines(rollout.spec.source, entries)
        ]
        host.status(rollout.spec.revision, wanted)

    def _revert(self, host: GitHost, rollout: Rollout, source: Source | None) -> None:
        if source is None:
            raise Unwanted("the source is gone")
        spec = rollout.spec
        if spec.revision != source.status.blocked_revision:
            raise Unwanted("the revision is not blocked any more")
        link = texts.page(self.base, rollout.name, "RolledBack")
        title, body = feedback.way_back(rollout, link)
        git = source.spec.git
        branch = f"{feedback.BRANCH}{spec.revision[:10]}"
        host.revert(
            Reversal(branch, git.branch, git.path, spec.revision, spec.previous_revision, title, body)
        )


def _asked(given: m.Feedback, to: str) -> bool:
    wanted = {outbox.STATUSES: given.statuses, outbox.COMMENT: given.comments, outbox.REVERT: given.revert}
    return wanted.get(to, False)
