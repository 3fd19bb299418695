"""Whether an id_token is this provider's word, for this client, for this very attempt to sign in, and still holds."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestrator.errors import Refused

# Asymmetric ones alone: `none` proves nothing, and with HS256 whoever knows the public key could sign.
ALGORITHMS = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
]  # fmt: skip
LEEWAY = 30  # seconds that the provider's clock may differ
MOST_TOKEN = 16384


@dataclass(frozen=True)
class IdToken:
    """A checked token: `raw` as it came, `expires` in UTC."""

    raw: str
    claims: Mapping[str, Any]
    expires: datetime


def checked(
    raw: Any,
    keys: Callable[[bool], dict[str, Any]],
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
) -> IdToken:
    """OpenID Connect Core 1.0, section 3.1.3.7. `keys(fresh)` gives the key set. Raises Refused."""
    from joserfc.errors import JoseError
    from joserfc.jwt import JWTClaimsRegistry

    if not isinstance(raw, str) or not raw or len(raw) > MOST_TOKEN:
        raise Refused("the provider gave no usable id_token")
    rules = JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    claims = _signed(raw, keys)
    try:
        rules.validate(claims)
    except JoseError as error:
        raise Refused(f"the id_token is not valid: {str(error)[:200]}") from None
    party, audience = claims.get("azp"), claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if (party is not None or several) and party != client_id:
        raise Refused("the id_token was made for another client")
    return IdToken(raw, claims, datetime.fromtimestamp(int(claims["exp"]), UTC))


def _signed(raw: str, keys: Callable[[bool], dict[str, Any]]) -> dict[str, Any]:
    """The claims of a token that one of the keys signed; keys that are new since are fetched once."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    for fresh in (False, True):
        for key in _usable(keys(fresh)["keys"]):
            # What fails is another key's, or nobody's.
            with suppress(JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
                return dict(jwt.decode(raw, key, algorithms=ALGORITHMS).claims)
    raise Refused("the id_token is signed with none of the provider's keys, or in a way that proves nothing")


def _usable(listed: list[Any]) -> list[Any]:
    """The public keys for signatures; those of a kind that is not known here are left out."""
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    found = []
    for item in listed:
        if not isinstance(item, dict) or item.get("kty") == "oct" or item.get("use", "sig") != "sig":
            continue
        with suppress(JoseError, ValueError, TypeError, KeyError, AttributeError):
            found.append(JWKRegistry.import_key(item))
    return found
