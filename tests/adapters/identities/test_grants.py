"""Its own identity goes where whoever runs netpol-canary says, and to no other address, however that is written."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import settings as drawn
from hypothesis import strategies as st
from requests import Request

from orchestrator.adapters.identities.grants import covered
from orchestrator.adapters.identities.provider_identities import Identities
from orchestrator.errors import BadInput
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.clock import SimulatedClock
from orchestrator.server.settings import load

AMP = "https://aps-workspaces.eu-west-1.amazonaws.com"
WORKSPACE = f"{AMP}/workspaces/ws-1"
OWN = ["aws", "google", "azure", "tokenFile"]


@pytest.mark.parametrize(
    ("url", "granted"),
    [
        (AMP, AMP),
        (f"{AMP}/", AMP),
        (WORKSPACE, AMP),
        (WORKSPACE, f"{AMP}/workspaces"),
        (WORKSPACE, WORKSPACE),
        (f"{WORKSPACE}/", f"{WORKSPACE}/"),
        (f"{AMP}:443/x", AMP),
        (AMP, f"{AMP}:443"),
        ("https://10.0.0.7:9091", "https://10.0.0.7:9091"),
        ("https://[fd00::7]:9091/x", "https://[fd00::7]:9091"),
        ("http://127.0.0.1:8005/workspaces", "http://127.0.0.1:8005"),
        ("https://monitoring.googleapis.com/v1/projects/example.com:shop/location/global/prometheus",
         "https://monitoring.googleapis.com/v1/projects/example.com:shop"),
    ],
)  # fmt: skip
def test_what_is_listed_and_what_is_below_it_is_covered(url, granted):
    assert covered(url, ["https://elsewhere.example.com", granted])


HOSTILE = [
    "https://evil.example.com",
    "http://aps-workspaces.eu-west-1.amazonaws.com",
    f"{AMP}.evil.example.com",
    f"{AMP}:8443",
    f"{AMP}:0443",
    f"{AMP}:",
    f"{AMP}.",
    "https://aps-workspaces.eu-west-1.amazonaws.com@evil.example.com",
    "https://ann:hunter2@aps-workspaces.eu-west-1.amazonaws.com",
    "https://evil.example.com\\@aps-workspaces.eu-west-1.amazonaws.com",
    "https://evil.example.com#@aps-workspaces.eu-west-1.amazonaws.com",
    "https://evil.example.com?@aps-workspaces.eu-west-1.amazonaws.com",
    "https://evil.example.com/@aps-workspaces.eu-west-1.amazonaws.com",
    "https://aps-workspaces.eu-west-1.amazonaws.com%2eevil.example.com",
    "https://aps-workspaces.eu-west-1.amazonaws.com\x00.evil.example.com",
    "https://aps-workspaces.eu-west-1.amazonaws.com\n.evil.example.com",
    f"{AMP}\n",
    f"\t{AMP}",
    f" {AMP}",
    "https://aps-workspaces。eu-west-1。amazonaws。com",
    "https://ａps-workspaces.eu-west-1.amazonaws.com",
    "https://aps-workspaces.eu-west-1.amazonaws.com。evil.example.com",
    "HTTPS://APS-WORKSPACES.EU-WEST-1.AMAZONAWS.COM",
    "ftp://aps-workspaces.eu-west-1.amazonaws.com",
    "//aps-workspaces.eu-west-1.amazonaws.com",
    "https:///aps-workspaces.eu-west-1.amazonaws.com",
    "https://169.254.169.254",
    "https://2130706433",
    "https://0x7f.1",
    "https://[::ffff:127.0.0.1]",
    "http://127.1:8005",
    "http://0.0.0.0:8005",
    "http://127.0.0.1:8006",
    "http://127.0.0.1",
    "http://localhost:8005",
    f"{AMP}/workspaces?x=1",
    f"{AMP}/workspaces#x",
    f"{AMP}/a/../b",
    f"{AMP}/./b",
    f"{AMP}//b",
    f"{AMP}/%2e%2e/b",
    "",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_another_address_is_not_covered_however_it_is_written(url):
    assert not covered(url, [AMP, "http://127.0.0.1:8005"])


PIECES = ["https://", "http://", "//", "granted.example.com", "evil.example.com", "127.0.0.1", "[::1]"]
PIECES += [
    ":443",
    ":8443",
    ":",
    *"@/\\#?%.;&= \t\n\0。",
    "%2e",
    "%40",
    "..",
    "a",
    "workspaces",
    "ＧＲＡＮＴＥＤ",
]


@drawn(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_whatever_is_covered_leads_there_for_everybody_who_reads_it(rest):
    for url in (rest, f"https://granted.example.com{rest}", f"https://granted.example.com/workspaces{rest}"):
        if covered(url, ["https://granted.example.com/workspaces"]):
            for text in (url, Request("GET", url).prepare().url):
                parts = urlsplit(text)
                assert (parts.scheme, parts.hostname, parts.port or 443) == (
                    "https",
                    "granted.example.com",
                    443,
                )
                assert f"{parts.path}/".startswith("/workspaces/") and "/.." not in parts.path
                assert parts.username is None and not parts.query and not parts.fragment


@pytest.mark.parametrize(
    "url", [AMP, f"{AMP}/workspaces", f"{AMP}/workspaces/ws-10", f"{WORKSPACE}/../ws-2", f"{WORKSPACE}%2f..%2fws-2"]
)  # fmt: skip
def test_what_stands_beside_or_above_a_path_is_not_covered(url):
    assert not covered(url, [WORKSPACE])


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("url", [AMP, *HOSTILE])
def test_without_a_grant_no_identity_is_made(kind, url):
    given = m.Provider(name="amp", url=url, identity=m.MetricIdentity(type=kind, name="thanos"))
    with pytest.raises(
        BadInput, match=r"the provider amp: netpol-canary may not send .* to .*NETPOL_CANARY_IDENTITY__"
    ) as e:
        Identities(SimulatedClock()).get(given, {})
    assert "hunter2" not in str(e.value)


@pytest.fixture
def settings(monkeypatch):
    """`settings(name=value)` as the variables of the environment give them."""

    def run(**given):
        for name, value in given.items():
            monkeypatch.setenv(f"NETPOL_CANARY_IDENTITY__{name.upper()}", value)
        return load().identity

    return run


@pytest.mark.parametrize("kind", OWN)
def test_a_grant_for_one_identity_is_none_for_another(settings, kind):
    given = {n: f'["{AMP}"]' for n in ("aws", "google", "azure") if n != kind}
    files = {
        "other": {"file": "/x", "addresses": [AMP]},
        "thanos": {"file": "/x", "addresses": ["https://else"]},
    }
    grants = settings(**given, token_files=str(files).replace("'", '"'))
    wanted = m.Provider(name="amp", url=AMP, identity=m.MetricIdentity(type=kind, name="thanos"))
    with pytest.raises(BadInput, match="may not send"):
        Identities(SimulatedClock(), lambda: grants).get(wanted, {})


def test_a_secret_that_is_named_is_no_way_to_its_own_identity(settings):
    """An empty Secret gives no keys, and its own are not taken in their place."""
    grants = settings(aws=f'["{AMP}"]', google=f'["{AMP}"]', azure=f'["{AMP}"]')
    for kind in ("aws", "google", "azure"):
        given = m.Provider(name="amp", url=AMP, secret_ref="empty", identity=m.MetricIdentity(type=kind))
        with pytest.raises(BadInput, match=f"the Secret holds no .* for its identity {kind}"):
            Identities(SimulatedClock(), lambda: grants).get(given, {})


def test_it_is_sent_to_no_server_whose_certificate_is_not_verified(settings):
    grants = settings(aws=f'["{AMP}"]')
    given = m.Provider(
        name="a", url=AMP, insecure_skip_tls_verify=True, identity=m.MetricIdentity(type="aws")
    )
    with pytest.raises(BadInput, match="certificate is not verified; leave insecureSkipTlsVerify out"):
        Identities(SimulatedClock(), lambda: grants).get(given, {})


@pytest.mark.parametrize(
    "address",
    ["aps-workspaces.eu-west-1.amazonaws.com", "http://prometheus:9090", "https://*.amazonaws.com", "https://",
     "https://ann:b@x", "https://x/../y", "https://x?y", "https://X", "*", "https://x:99999999", ""],
)  # fmt: skip
def test_a_setting_that_would_cover_nothing_is_refused_when_it_is_read(settings, address):
    with pytest.raises(BadInput, match=r"the setting identity\.google.*no address such as https://HOST"):
        settings(google=f'["{address}"]')
