"""Changes of objects that others write, too: made anew on what stands there, a few times, where somebody was quicker."""

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestrator.errors import Conflict
from orchestrator.ports import Clock

ATTEMPTS = 6


def attempts(clock: Clock) -> Retrying:
    """For about a second and a half; then the last Conflict is raised. Each attempt reads anew."""
    return Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(0.05, max=1.0),
        retry=retry_if_exception_type(Conflict),
        sleep=clock.sleep,
        reraise=True,
    )
