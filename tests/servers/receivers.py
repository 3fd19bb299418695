"""Receivers in memory: a Git host that keeps what it is told as real ones do, and a chat; and how a source asks for them."""

from collections import defaultdict

from stage import OWN

from orchestrator.context import ROLLOUT
from orchestrator.engine.delivery.dispatcher import Dispatcher
from orchestrator.engine.delivery.receivers import Sender
from orchestrator.errors import DeliveryError
from orchestrator.rollout.resources import model as m
from orchestrator.rollout.resources.resource import dump, load

FEEDBACK = m.Feedback(host="github", repository="shop/policies", secret_ref="host", revert=True)
CHAT = m.Notification(name="chat", secret_ref="chat", events=["all"])
BASE = "https://rollouts.example.com"


class Receivers:
    """`down` fails every send; `history` are the statuses of each context, in order."""

    def __init__(self, down=False):
        self.history, self.comments, self.pulls, self.messages = defaultdict(list), {}, [], []
        self.down, self.asked, self.retry_after = down, 0, 0.0

    def _reached(self):
        self.asked += 1
        if self.down:
            raise DeliveryError("no answer", self.retry_after)

    def status(self, revision, wanted):
        self._reached()
        for item in wanted:
            if self.history[item.context][-1:] != [item]:
                self.history[item.context].append(item)

    def comment(self, revision, marker, body):
        self._reached()
        self.comments[marker] = body

    def revert(self, wanted):
        self._reached()
        if wanted.branch not in [p.branch for p in self.pulls]:
            self.pulls.append(wanted)

    def send(self, message):
        self._reached()
        self.messages.append(message)

    def states(self, context):
        return [s.state for s in self.history[context]]

    def distinct(self):
        """Messages as a receiver sees them that drops doubles by their ids."""
        return list({message.id: message for message in self.messages}.values())


def inline(work):
    """The errand is done when this returns."""
    work()
    return True


def asking(stage, **spec):
    """The stage's source asks for feedback and for messages."""
    stage.change(**{"feedback": dump(FEEDBACK), "notifications": [dump(CHAT)], **spec})
    return stage


def courier(ctx, receivers, holder="one", start=inline, **more):
    post = Sender(ctx, lambda given: receivers, lambda given: receivers, BASE)
    return Dispatcher(ctx, holder, post, start, **more)


def rollouts(stage):
    return [load(o) for o in stage.cluster.list(ROLLOUT, OWN)]
