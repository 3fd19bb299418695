"""What a provider says counts only where it is signed, fresh and meant for us; however it answers, that ends soon."""

import base64
import json
import time
from datetime import timedelta

import openid_provider
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from orchestrator.adapters.openid.provider import AuthRequest, Client, Provider
from orchestrator.errors import IdentityError, Refused
from orchestrator.sandbox.clock import SimulatedClock

BACK = "https://rollouts.example.com/signin/oidc/callback"
NOTE = AuthRequest("state-1", "nonce-1", "v" * 43)
DISCOVERY = "/.well-known/openid-configuration"
SECONDS, PATIENT = 0.3, 60


@pytest.fixture
def clock():
    return SimulatedClock()


@pytest.fixture
def theirs(clock):
    with openid_provider.serving(clock.now) as found:
        yield found


@pytest.fixture
def ours(theirs, clock):
    client = Client(theirs.issuer, openid_provider.CLIENT, BACK, ("openid", "email"), "", PATIENT)
    return Provider(client, clock)


def hurried(theirs, clock):
    return Provider(Client(theirs.issuer, "x", BACK, ("openid",), "", SECONDS), clock)


def redeem(ours, theirs, note=NOTE, secret=openid_provider.SECRET):
    query = theirs.consent(ours.address(NOTE))
    return ours.redeem(query["code"], secret, note)


def test_a_code_becomes_a_token_with_claims_and_an_end(ours, theirs, clock):
    found = redeem(ours, theirs)
    assert (found.claims["email"], found.raw) == ("ann@example.com", theirs.tokens[0])
    assert found.expires == clock.now().replace(microsecond=0) + timedelta(seconds=600)


def test_the_address_carries_state_nonce_and_the_hashed_verifier(ours, theirs):
    theirs.consent(ours.address(NOTE))
    query = theirs.asked[openid_provider.CODE]
    assert (query["state"], query["nonce"], query["response_type"]) == ("state-1", "nonce-1", "code")
    assert query["code_challenge_method"] == "S256" and NOTE.verifier not in query.values()


def test_a_public_client_needs_no_secret(ours, theirs):
    theirs.secret = ""
    assert redeem(ours, theirs, secret="").claims["sub"] == "42"


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"nonce": "of-another-attempt"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "another-client"}, "aud"),
        ({"aud": ["another-client"]}, "aud"),
        ({"aud": [openid_provider.CLIENT, "another-client"]}, "another client"),
        ({"azp": "another-client"}, "another client"),
        ({"iss": "https://evil.example.com"}, "iss"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
        ({"sub": None}, "sub"),
    ],
)
def test_a_token_that_is_not_for_this_attempt_is_refused(ours, theirs, claims, says):
    theirs.claims = claims
    with pytest.raises(Refused, match=says):
        redeem(ours, theirs)


def test_a_token_signed_with_another_key_is_refused(ours, theirs):
    theirs.signs = openid_provider.key("first")  # it even has the name of the right one
    with pytest.raises(Refused, match="none of the provider's keys"):
        redeem(ours, theirs)


def test_keys_of_a_kind_that_is_not_known_hinder_nobody(ours, theirs):
    theirs.odd = [
        {"kty": "new-kind"},
        {},
        7,
        {"kty": "EC", "crv": "P-256"},
        openid_provider.key("x").as_dict(private=False),
    ]
    assert redeem(ours, theirs).claims["sub"] == "42"


def test_a_token_without_a_signature_is_refused(ours, theirs):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    query = theirs.consent(ours.address(NOTE))
    good = jwt.decode(theirs.id_token(theirs.asked[query["code"]]), theirs.key)
    theirs.raw = f"{part({'alg': 'none'})}.{part(good.claims)}."
    with pytest.raises(Refused, match="proves nothing"):
        redeem(ours, theirs)


def test_a_token_signed_with_the_public_key_as_a_password_is_refused(ours, theirs):
    query = theirs.consent(ours.address(NOTE))
    good = jwt.decode(theirs.id_token(theirs.asked[query["code"]]), theirs.key)
    secret = OctKey.import_key(json.dumps(theirs.key.as_dict(private=False)))
    theirs.raw = jwt.encode({"alg": "HS256"}, good.claims, secret)
    with pytest.raises(Refused, match="proves nothing"):
        redeem(ours, theirs)


@pytest.mark.parametrize("raw", ["", "x", "a.b.c", 7, "x" * 20_000, "a.b.c.d.e"])
def test_what_is_no_token_is_refused(ours, theirs, raw):
    theirs.raw = raw
    with pytest.raises(Refused):
        redeem(ours, theirs)


def test_a_code_of_another_browser_is_worth_nothing(ours, theirs):
    with pytest.raises(Refused, match="invalid_grant"):
        redeem(ours, theirs, note=AuthRequest("state-1", "nonce-1", "w" * 43))


def test_new_keys_of_the_provider_are_fetched_but_not_at_every_wrong_token(ours, theirs, clock):
    redeem(ours, theirs)
    theirs.key = theirs.signs = openid_provider.key("second")
    with pytest.raises(Refused):
        redeem(ours, theirs)
    clock.sleep(31)
    assert redeem(ours, theirs).claims["sub"] == "42"


@pytest.mark.parametrize("path", [DISCOVERY, "/keys", "/token"])
@pytest.mark.parametrize("mood", ["endless", "redirect", "nothing", "listed", "nested", "failing"])
def test_a_provider_that_answers_badly_is_one_clear_error(ours, theirs, path, mood):
    theirs.moods[path] = mood
    with pytest.raises((IdentityError, Refused)) as error:
        redeem(ours, theirs)
    assert len(str(error.value)) < 300 and openid_provider.SECRET not in str(error.value)


@pytest.mark.parametrize("path", [DISCOVERY, "/keys", "/token"])
def test_a_provider_that_drips_is_left_in_time(theirs, clock, path):
    theirs.moods[path], theirs.secret = "dripping", ""
    began = time.monotonic()
    with pytest.raises(IdentityError, match="no whole answer within"):
        redeem(hurried(theirs, clock), theirs, secret="")
    assert time.monotonic() - began < openid_provider.LASTS / 2  # it did not wait for the end


def test_those_who_wait_for_a_provider_that_hangs_do_not_wait_one_after_the_other(theirs, clock):
    theirs.moods[DISCOVERY], asked = "dripping", hurried(theirs, clock)
    for _ in range(40):
        with pytest.raises(IdentityError, match="no whole answer within"):
            asked.address(NOTE)
    assert len(theirs.visits) < 4
    theirs.moods.clear()
    clock.sleep(6)
    assert asked.address(NOTE).startswith(theirs.issuer)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"issuer": "https://evil.example.com"}, "of the issuer"),
        ({"token_endpoint": "file:///etc/passwd"}, "token_endpoint"),
        ({"jwks_uri": None}, "jwks_uri"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
    ],
)
def test_a_document_that_leads_astray_is_refused(ours, theirs, document, says):
    theirs.document = document
    with pytest.raises(IdentityError, match=says):
        ours.address(NOTE)
