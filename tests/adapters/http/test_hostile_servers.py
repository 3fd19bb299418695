"""Whatever a server does, whoever asks ends with an answer or one clear line, in time, within its memory, its secrets kept."""

import dataclasses
import math
import tempfile
import time
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import hostile
import pytest
from loopback import endpoints, kubeconfig

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.githosts.git_host import Hosts
from orchestrator.adapters.kube.cluster import connect
from orchestrator.adapters.metrics.metric_sources import Settings, build
from orchestrator.adapters.openid.provider import AuthRequest, Client, Provider
from orchestrator.errors import DeliveryError, IdentityError, MetricError, Refused
from orchestrator.rollout.resources import model as m

SHORT, PATIENT = 0.4, 20  # seconds, for servers that would take hostile.DRIPPING, and for the others
MOST_MEMORY = 96 * 1024 * 1024  # twice the largest answer that is read at all, while it grows and is parsed
SECRETS = ("hunter2+/", "hunter2%2B%2F", "cm9sbG91dHM6aHVudGVyMisv")  # and rollouts:hunter2+/ in base64
NOTE = AuthRequest("state-1", "nonce-1", "verifier-hunter2+/" * 3)


def metrics(type_, expression, secret=None):
    def ask(url, seconds):
        spec = m.Provider(name="x", type=type_, url=url, result="rows")
        source = build(Settings(spec, secret or {"bearer": b"hunter2+/"}, None, SystemClock()))
        source = dataclasses.replace(source, client=dataclasses.replace(source.client, seconds=seconds))
        return source.query(expression, datetime.now(UTC))

    return ask


def git_host(kind):
    def ask(url, seconds):
        given = m.Feedback(host=kind, repository="shop/policies", secret_ref="x", api_url=url)
        host = Hosts(SystemClock(), lambda name, where: {"token": b"hunter2+/"}, seconds).get(given)
        return host.comment("c" * 40, "<!-- marker -->", "text")

    return ask


def provider(url, seconds):
    return Provider(Client(url, "rollouts", "https://x/back", ("openid",), "", seconds), SystemClock())


def document(url, seconds):
    return provider(url, seconds).address(NOTE)


def token(methods):
    def ask(url, seconds):
        return provider(url, seconds).redeem("code-hunter2+/", "hunter2+/", NOTE)

    ask.good = lambda url: {
        "/.well-known/openid-configuration": {
            **endpoints(url),
            "token_endpoint_auth_methods_supported": [methods],
        }
    }
    return ask


def kubernetes(url, seconds):
    with tempfile.TemporaryDirectory() as folder:
        cluster = connect(kubeconfig(Path(folder) / "config", url, token="hunter2+/"), timeout=seconds)
        spec = m.Provider(name="x", type="kubernetes")
        source = build(Settings(spec, {}, cluster, SystemClock()))
        return source.query('ready{namespace="pay"}', datetime.now(UTC))


METRICS = {
    "prometheus": metrics("prometheus", "up"),
    "json": metrics("http", "rows"),
    "kubernetes": kubernetes,
    "json with a password": metrics("http", "rows", {"username": b"rollouts", "password": b"hunter2+/"}),
}
CALLERS = {
    **METRICS,
    "github": git_host("github"),
    "gitlab": git_host("gitlab"),
    "gitea": git_host("gitea"),
    "openid document": document,
    "openid token, secret in the header": token("client_secret_basic"),
    "openid token, secret in the form": token("client_secret_post"),
}
ERRORS = {c: MetricError if c in METRICS else DeliveryError for c in CALLERS} | {
    c: (IdentityError, Refused) for c in CALLERS if c.startswith("openid")
}
SLOW = ("drip", "drip_head", "drip_chunks", "silence")
# Of each kind the text that says what is wrong.
SAID = {
    **dict.fromkeys(SLOW, f"gave no whole answer within {SHORT:g} s"),
    **dict.fromkeys(("huge", "huge_and_told"), "larger than"),
    **dict.fromkeys(("bomb", "bomb_in_another_dress"), "compressed although that was not asked for"),
    **dict.fromkeys(("not_json", "invalid_utf8", "in_utf16", "deep", "long_number"), "HTTP 200, not JSON"),
    **dict.fromkeys(
        ("cut_chunk", "odd_chunk", "two_lengths", "no_http", "closed", "half"), "gave no usable answer: "
    ),
    # What these say depends on who reads it, or on how far the server came before it was left.
    **dict.fromkeys(("broken", "busy", "deep_but_whole", "echo", "echo_in_the_first_line", "error_body"), ""),
    **dict.fromkeys(
        ("endless_chunk_line", "endless_continue", "endless_heads", "endless_line_of_the_head"), ""
    ),
    **dict.fromkeys(("endless_trailers", "huge_cookies", "many_values", "unauthorized"), ""),
    "redirect": "redirect",
    "redirect_to_metadata": "redirect",
    "redirect_to_other_scheme": "redirect",
    "redirect_to_nowhere": "redirect",
    "redirect_without_end": "redirect",
    "redirect_with_a_huge_body": "redirect",
    "redirect_with_a_bomb": "redirect",
    "echo_in_a_redirect": "redirect",
}
MOODS = sorted(SAID)


# The API server has a client of its own, which answers for itself.
KUBERNETES = {
    "broken": "Internal Server Error",
    "busy": "Too Many Requests",
    "drip": f"took longer than {SHORT:g} s",
    "error_body": "bad selector",
    "half": "gave no answer",
    "huge": "larger than",
    "huge_and_told": "larger than",
    "redirect": "Found",
    "silence": "gave no answer",
    "unauthorized": "Unauthorized",
}


def met(caller, mood):
    return mood in KUBERNETES if caller == "kubernetes" else True


def dialect(caller):
    return caller.split()[0] if caller in METRICS else "json"


def fails(caller, mood, **more):
    """The one line of the error that comes in time."""
    ask, began = CALLERS[caller], time.monotonic()
    with hostile.serving(dialect(caller), mood, good=getattr(ask, "good", None), **more) as url:
        with pytest.raises(ERRORS[caller]) as error:
            ask(url, SHORT if mood in SLOW else PATIENT)
        assert time.monotonic() - began < hostile.DRIPPING / 2  # it did not wait for the end
    text = str(error.value)
    assert text and "\n" not in text and len(text) < 600
    assert not [s for s in (*SECRETS, "verifier-hunter2") if s in text]
    return text


@pytest.mark.exhaustive
@pytest.mark.parametrize(("caller", "mood"), [(c, mood) for c in CALLERS for mood in MOODS if met(c, mood)])
def test_a_bad_answer_is_one_line_in_time_and_within_memory(caller, mood):
    tracemalloc.start()
    try:
        said = fails(caller, mood)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (KUBERNETES[mood] if caller == "kubernetes" else SAID[mood]) in said
    assert peak < MOST_MEMORY


@pytest.mark.parametrize("caller", [c for c in CALLERS if c != "kubernetes"])
@pytest.mark.parametrize(
    "wait", ["soon", "-1", "\xb2", "9" * 500, "1e400", "Mon, 99 Foo 99999 99:99:99 +999999", "x" * 60000]
)
def test_nonsense_about_when_to_come_again_is_none(caller, wait):
    assert "429" in fails(caller, "nonsense_to_wait", wait=wait) or caller.startswith("openid token")


@pytest.mark.parametrize("caller", METRICS)
@pytest.mark.parametrize("mood", ["values", "chunked"])
def test_values_are_values_however_they_are_sent(caller, mood):
    with hostile.serving(dialect(caller), mood) as url:
        (sample,) = METRICS[caller](url, PATIENT)
    assert (sample.labels["namespace"], sample.value) == ("pay", 1.0 if caller == "kubernetes" else 0.5)


@pytest.mark.parametrize("caller", [c for c in METRICS if c != "kubernetes"])
def test_a_server_that_asks_to_come_again_at_once_is_asked_again(caller):
    with hostile.serving(dialect(caller), "busy_once") as url:
        assert len(METRICS[caller](url, PATIENT)) == 1


@pytest.mark.parametrize("caller", METRICS)
def test_nan_is_passed_on_for_the_analysis_to_judge_and_nothing_is_no_error(caller):
    with hostile.serving(dialect(caller), "nan") as url:
        value = METRICS[caller](url, PATIENT)[0].value
        assert value == 0.0 if caller == "kubernetes" else math.isnan(value)
    with hostile.serving(dialect(caller), "nothing") as url:
        assert METRICS[caller](url, PATIENT) == []
