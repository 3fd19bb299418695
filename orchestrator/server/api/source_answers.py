"""A source, as the API tells it."""

from typing import Literal

from pydantic import Field

from orchestrator.record.view import WaveState
from orchestrator.rollout.resources.conditions import of_type, whole
from orchestrator.rollout.resources.model import Condition, ConditionStatus, Git
from orchestrator.server.api.answers import Answer, Moment, Page, fields_of
from orchestrator.server.pages.read import Standing
from orchestrator.server.pages.standing.source_state import address, state_of


class Repository(Answer):
    """Where its policies are."""

    url: str
    branch: str
    path: str = Field(description="The directory in it; empty for the whole.")


class SourceSummary(Answer):
    """A source: what is in force, what is on its way, what is blocked."""

    name: str
    state: WaveState = Field(description="A state as waves have it, for a colour or a shape.")
    word: str = Field(
        description="The state in a word, such as `In force`, or the reason why it is not ready."
    )
    message: str = Field(description="What the controller says.")
    suspended: bool
    repository: Repository | None = Field(description="null where the source cannot be read.")
    current_revision: str = Field(description="The commit in force; empty before the first rollout.")
    current_revision_rollout: str = Field(description="The rollout that brought it.")
    current_revision_since: Moment
    namespace_count: int = Field(description="How many namespaces it is in force in.")
    active_rollout: str = Field(description="The rollout that is under way; empty for none.")
    queued_revision: str = Field(description="What comes after that; empty for nothing.")
    blocked_revision: str = Field(
        description="The commit that is not rolled out again unless somebody releases it; empty for none."
    )
    blocked_reason: str
    orphaned: ConditionStatus | Literal[""] = Field(
        description="Whether its policies stand in namespaces that it does not select any more; empty before that was looked for."
    )
    problem: str = Field(description="Why the source cannot be read; empty where it can.")


class SourceCondition(Answer):
    """One condition of its status."""

    type: str
    status: ConditionStatus
    reason: str
    message: str = Field(description="All that is said of it, in one line or more.")
    last_transition_time: Moment


class SourceAnswer(SourceSummary):
    """A source with the namespaces that its revision is in force in, and the conditions of its status."""

    namespaces: list[str]
    conditions: list[SourceCondition]


class SourceList(Page):
    """Sources by name."""

    items: list[SourceSummary]


def source_summary(source: Standing) -> SourceSummary:
    """For a list."""
    return SourceSummary.model_validate(_fields(source))


def source_answer(source: Standing) -> SourceAnswer:
    """For itself."""
    status = source.status
    conditions = [_condition(source, c) for c in status.conditions]
    more = {"namespaces": status.current_revision_namespaces, "conditions": conditions}
    return SourceAnswer.model_validate({**_fields(source), **more})


def _fields(source: Standing) -> dict[str, object]:
    status = source.status
    state, word, message = state_of(source)
    orphaned = of_type(status.conditions, "Orphaned")
    return {
        **fields_of(SourceSummary, source),
        **fields_of(SourceSummary, status),
        "state": state,
        "word": word,
        "message": message,
        "suspended": source.suspend,
        "repository": _repository(source.spec.git) if source.spec else None,
        "namespace_count": len(status.current_revision_namespaces),
        "orphaned": orphaned.status if orphaned else "",
    }


def _repository(git: Git) -> Repository:
    return Repository(url=address(git.url), branch=git.branch, path=git.path)


def _condition(source: Standing, condition: Condition) -> SourceCondition:
    said = whole(source.status.conditions, source.status.details, condition.type)
    return SourceCondition.model_validate({**fields_of(SourceCondition, condition), "message": said})
