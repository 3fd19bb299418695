"""What can be set about webhooks."""

from pydantic import BaseModel, ConfigDict, Field


class Webhooks(BaseModel):
    """The section `webhooks`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="Take pushes that Git hosts report, at /webhooks/HOST.")
    secret_ref: str = Field(
        "",
        max_length=253,
        description="The Secret whose key webhookSecret proves a delivery for sources without a "
        "git.webhookSecretRef of their own. Without either, a source takes no webhook.",
    )
    max_bytes: int = Field(
        1 << 20, ge=1024, le=25 << 20, description="The largest body that is read; a larger one gets 413."
    )
    body_seconds: float = Field(
        10.0, gt=0, le=60, description="How long a body may take to arrive; a slower one gets 408."
    )
    max_bodies: int = Field(
        64,
        ge=1,
        le=1024,
        description="How many bodies are in memory at once; more of them wait, then get 503.",
    )
    coalesce_seconds: float = Field(
        5.0, ge=0.1, le=300, description="A source is woken at once, then at most once in so many seconds."
    )
