"""How a provider is asked: its address, its credentials, whom to trust, and again where it wants that."""

from collections.abc import Mapping
from typing import Any

from orchestrator.adapters.http.allowed_addresses import problem
from orchestrator.adapters.http.client import Answer, Basic, Client
from orchestrator.adapters.http.deadline import Deadline
from orchestrator.adapters.http.proof import Identity
from orchestrator.adapters.http.retry_after import retry_after
from orchestrator.errors import BadInput, MetricError
from orchestrator.ports import Clock
from orchestrator.rollout.resources import model as m

MOST_BYTES = 16 * 1024 * 1024
ATTEMPTS = 3
AGAIN = (429, 503)
UNPROVEN = (401, 407)
PROOF = ("authorization", "host")  # headers that an identity answers for


def access(secret: Mapping[str, bytes], where: str = "secretRef") -> tuple[dict[str, str], Basic | None]:
    """Headers and basic authentication from a Secret: bearer; username and password; header.NAME.

    Raises BadInput for a value that cannot stand in a header; the message names the key alone.
    """
    text = {k: v.decode(errors="replace").strip() for k, v in secret.items()}
    for key, value in text.items():
        if (key == "bearer" or key.startswith("header.")) and not (value.isprintable() and value.isascii()):
            raise BadInput(f"the Secret's {key} has a character that no header can carry", where)
    headers = {k.removeprefix("header."): v for k, v in text.items() if k.startswith("header.")}
    if text.get("bearer"):
        headers["Authorization"] = f"Bearer {text['bearer']}"
    basic = (text["username"], text.get("password", "")) if text.get("username") else None
    return headers, basic


def client(
    provider: m.Provider,
    secret: Mapping[str, bytes],
    most_bytes: int = MOST_BYTES,
    identity: Identity | None = None,
) -> Client:
    """For a provider's settings. Raises BadInput for an address that cannot be meant."""
    where = f"the provider {provider.name}"
    if said := problem(provider.url, plain=True):
        hint = "give the address alone; credentials go into the Secret that secretRef names"
        raise BadInput(f"its url {said}", where, hint)
    headers, basic = access(secret, where)
    if identity is not None and (key := _rival(secret)):
        text = f"the Secret's {key} stands beside its identity {provider.identity.type}"
        raise BadInput(text, where, "leave one of them out")
    return Client(
        provider.url,
        MetricError,
        provider.timeout_seconds,
        most_bytes,
        credentials=headers,
        basic=basic,
        identity=identity,
        verify=provider.ca_file or not provider.insecure_skip_tls_verify,
        plain=True,  # what stands in the cluster speaks http mostly
        # A proxy reads what is sent by http: what proves who asks is not for it.
        proxies=identity is None or provider.url.startswith("https:"),
    )


def exchange(
    client: Client, clock: Clock, path: str, form: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Status and parsed JSON of a path; a POST where there is a form, else a GET.

    429 and 503 with a Retry-After that fits into the time are tried again. Raises MetricError.
    """
    until = Deadline(client.seconds)
    for attempt in range(1, ATTEMPTS + 1):
        answer = client.ask("GET" if form is None else "POST", path, form=form, deadline=until)
        if answer.status in UNPROVEN:
            what = "the provider's identity" if client.identity else "the credentials that secretRef names"
            raise client.error(f"answered {answer.status}: check {what}")
        if answer.status == 403 and client.identity:
            text = _body(client, answer)
            raise client.error(
                f"answered 403: check the rights of the provider's identity{text and f': {text}'}"
            )
        after = retry_after(answer.headers, clock.now()) if answer.status in AGAIN else None
        if after is None:
            break
        text = f"answered {answer.status} and asks to come again in {after:g} s"
        if after >= until.left:
            raise client.error(f"{text}, which is later than the timeout of {client.seconds:g} s")
        if attempt == ATTEMPTS:
            raise client.error(text)
        clock.sleep(after)
    return answer.status, client.json(answer)


def said(body: Any) -> str:
    """What an error's body says, under the names that are usual."""
    if not isinstance(body, Mapping):
        return ""
    found = next((body[k] for k in ("error", "message", "Message", "detail") if body.get(k)), "")
    return said(found) if isinstance(found, Mapping) else str(found)


def _body(client: Client, answer: Answer) -> str:
    try:
        return said(client.json(answer))
    except MetricError:
        return ""


def _rival(secret: Mapping[str, bytes]) -> str:
    """The key of a Secret by which somebody else would ask than the identity."""
    for key in secret:
        header = key.removeprefix("header.").lower()
        named = key.startswith("header.") and (header in PROOF or header.startswith("x-amz-"))
        if named or key in ("bearer", "username", "password"):
            return key
    return ""
