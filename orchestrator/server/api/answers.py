"""What every answer of the API has in common."""

import math
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Answer(BaseModel):
    """camelCase, each field always there; made from what the pages are drawn from, field by field."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, from_attributes=True, frozen=True
    )


def fields_of(answer: type[Answer], found: object) -> dict[str, object]:
    """Those fields of an answer that what it is made from has by the same name."""
    return {name: getattr(found, name) for name in answer.model_fields if hasattr(found, name)}


def finite(value: float | None) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return value if value is not None and math.isfinite(value) else None


Number = Annotated[float | None, BeforeValidator(finite)]
Seconds = Annotated[float | None, BeforeValidator(finite), Field(description="In seconds.")]
Moment = Annotated[datetime | None, Field(description="In UTC; null where it has not happened.")]


class Page(Answer):
    """A part of a list."""

    continue_: str = Field(
        alias="continue", description="For the query parameter of that name: the next part; empty at the end."
    )
    remaining: int = Field(description="How many come after this part.")


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = Field(description="Always `about:blank`: the status says what kind of problem it is.")
    title: str = Field(description="The name of the HTTP status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What happened here, for people.")
