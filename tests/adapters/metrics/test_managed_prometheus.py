"""Managed services are asked as they want it: signed for AWS, with tokens of Google and Azure, and of files; all verified here."""

import json
import sys
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler

import clouds
import github_app
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from loopback import Quiet, serving
from private_https import private_tls

from orchestrator.adapters.clock import SystemClock
from orchestrator.adapters.identities import azure_token, google_token, vendor_call
from orchestrator.adapters.identities.grants import Grants, TokenFile
from orchestrator.adapters.identities.provider_identities import Identities
from orchestrator.adapters.metrics.metric_sources import Sources
from orchestrator.errors import BadInput, IdentityError, MetricError
from orchestrator.rollout.resources import model as m
from orchestrator.sandbox.cluster import MemoryCluster

CLOCK = SystemClock()  # vendors' libraries go by the machine's own
QUERY = 'sum by (namespace) (rate(http_requests_total{namespace=~"a|b"}[1m]))'


@pytest.fixture
def beside(monkeypatch):
    """`beside(handler)`: a server for as long as the test runs. Of the machine's own clouds nothing is seen."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with ExitStack() as stack:
        yield lambda handler, **given: stack.enter_context(serving(handler, asked=[], **given))


@pytest.fixture
def prometheus(beside):
    """`prometheus(proven)`: one that takes whoever is proven."""
    return lambda proven, **given: beside(clouds.Prometheus, proven=proven, **given)


def source(server, secret=None, grants=None, path="", **identity):
    """What asks it, in a process of its own."""
    given = m.Prometheus(
        url=server.url + path, secret_ref="s" if secret else "", identity=m.MetricIdentity(**identity)
    )
    process = Identities(CLOCK, lambda: grants or Grants())
    return Sources(MemoryCluster(), CLOCK, lambda name, where: secret or {}, process).get(
        m.Analysis(prometheus=given), "prometheus"
    )


def ask(source):
    """What a wave and `metrics try` ask: a moment, and a span of time."""
    now = CLOCK.now()
    assert source.query(QUERY, now) == []
    return source


def refused(source, said):
    with pytest.raises(MetricError, match=said) as error:
        source.query(QUERY, CLOCK.now())
    assert "\n" not in str(error.value)
    return str(error.value)


AWS = {"accesskey": b"AKIDSECRET\n", "secretkey": b"a-secret-of-a-Secret\n"}


@pytest.mark.parametrize("path", ["", "/workspaces/ws-1", "/a%20b/c~d"])
def test_requests_are_signed_with_the_keys_of_a_secret(prometheus, path):
    server = prometheus(clouds.signature_problem)
    ask(source(server, AWS, path=path, type="aws", region="eu-west-1"))
    assert [said for _, said in server.asked] == [""]


@pytest.mark.parametrize("given", [{**AWS, "secretkey": b"another"}, {**AWS, "accesskey": b"AKIDONE"}])
def test_a_wrong_signature_is_refused_and_shown_to_nobody(prometheus, given):
    server = prometheus(clouds.signature_problem)
    found = source(server, given, type="aws", region="eu-west-1")
    text = refused(found, r"answered 403: check the rights of the provider's identity: .*: \*\*\*$")
    assert len(server.asked) == 1 and "Signature=" not in text


@pytest.mark.parametrize(
    "given", [{"accesskey": b""}, {"secretkey": b"a\nhunter2"}, {"sessiontoken": b"hun ter2"}]
)
def test_keys_that_cannot_be_are_named_and_not_shown(prometheus, given):
    (key,) = given
    with pytest.raises(BadInput, match=f"the Secret holds no {key} for its identity aws") as error:
        source(prometheus(clouds.signature_problem), {**AWS, **given}, type="aws", region="eu-west-1")
    assert "ter2" not in str(error.value)


def test_a_region_is_read_from_the_host_or_given(prometheus):
    server = prometheus(clouds.signature_problem)
    with pytest.raises(BadInput, match=r"its identity aws needs a region; set identity\.region"):
        source(server, AWS, type="aws")
    refused(source(server, AWS, type="aws", region="us-east-1"), "another scope")


@pytest.fixture
def pod(beside, monkeypatch, tmp_path):
    """This process as a pod with an EKS Pod Identity."""
    agent = beside(clouds.PodIdentity, access="AKIDONE", broken=False)
    (tmp_path / "pod-token").write_text(clouds.POD_TOKEN)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/v1/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "pod-token"))
    return agent


def test_its_own_aws_identity_is_kept_and_signs_where_it_is_granted(prometheus, pod):
    server = prometheus(clouds.signature_problem)
    found = source(server, grants=Grants(aws=(server.url,)), type="aws", region="eu-west-1")
    ask(ask(found))
    assert pod.asked == [clouds.POD_TOKEN] and [said for _, said in server.asked] == ["", ""]
    assert all(clouds.SESSION not in authorization for authorization, _ in server.asked)


def test_a_role_of_the_service_account_is_taken_by_the_token_of_the_pod(
    prometheus, beside, monkeypatch, tmp_path
):
    issuer, server = beside(clouds.SecurityTokens), prometheus(clouds.signature_problem)
    (tmp_path / "pod-token").write_text(clouds.POD_TOKEN)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "pod-token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/netpol-canary")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", issuer.url)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    ask(ask(source(server, grants=Grants(aws=(server.url,)), type="aws", region="eu-west-1")))
    (form,) = issuer.asked
    assert (form["Action"], form["WebIdentityToken"]) == ("AssumeRoleWithWebIdentity", clouds.POD_TOKEN)
    assert [said for _, said in server.asked] == ["", ""]


def test_a_role_of_another_account_is_taken_as_the_configuration_of_aws_says(
    prometheus, pod, beside, monkeypatch, tmp_path
):
    issuer, server = beside(clouds.SecurityTokens), prometheus(clouds.signature_problem)
    pod.access, role = "AKIDTWO", "arn:aws:iam::210987654321:role/metrics"
    profile = f"role_arn = {role}\nregion = eu-west-1\ncredential_source = EcsContainer\n"
    (tmp_path / "config").write_text(f"[profile amp]\n{profile}")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "amp")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", issuer.url)
    ask(source(server, grants=Grants(aws=(server.url,)), type="aws", region="eu-west-1"))
    (form,) = issuer.asked
    assert (form["Action"], form["RoleArn"]) == ("AssumeRole", role) and pod.asked == [clouds.POD_TOKEN]
    assert "AKIDONE" in server.asked[0][0]


def test_keys_that_are_refused_are_looked_for_anew_once(prometheus, pod):
    def proven(handler, body):
        pod.access = "AKIDTWO"
        if "AKIDONE" in handler.headers["Authorization"]:
            return "ExpiredTokenException"
        return clouds.signature_problem(handler, body)

    server = prometheus(proven)
    found = source(server, grants=Grants(aws=(server.url,)), type="aws", region="eu-west-1")
    ask(ask(found))
    assert [said for _, said in server.asked] == ["ExpiredTokenException", "", ""] and len(pod.asked) == 2
    server.proven = lambda handler, body: "AccessDenied"
    text = refused(found, r"check the rights of the provider's identity: AccessDenied: \*\*\*$")
    assert (
        len(server.asked) == 4 and len(pod.asked) == 2 and "AKID" not in text
    )  # no third set within a minute


def test_where_aws_gives_no_keys_nobody_is_asked(prometheus, pod, monkeypatch, caplog, capfd):
    server = prometheus(clouds.signature_problem)
    pod.broken = True
    found = source(server, grants=Grants(aws=(server.url,)), type="aws", region="eu-west-1")
    refused(found, r"was not asked: AWS: .* 500 from container metadata: \*\*\*\.\*\*\*\.\*\*\*\? no$")
    assert not caplog.records and not any(capfd.readouterr())
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    found = source(server, grants=Grants(aws=(server.url,)), type="aws", region="eu-west-1")
    refused(found, "was not asked: this process has no AWS identity: give its ServiceAccount a role")
    assert server.asked == []


SERVICE = {
    "type": "service_account",
    "client_email": "canary@shop.iam.gserviceaccount.com",
    "project_id": "shop",
}


def google_secret(**more):
    found = {
        **SERVICE,
        "private_key": github_app.key().decode(),
        "token_uri": "https://evil.example.com",
        **more,
    }
    return {"serviceaccount": json.dumps(found).encode()}


def test_a_google_service_account_of_a_secret_gets_a_token_to_read_metrics(prometheus, beside, monkeypatch):
    issuer, server = beside(clouds.GoogleTokens), prometheus(clouds.bearer("google-1"))
    monkeypatch.setattr(google_token, "TOKENS", issuer.url)
    found = source(server, google_secret(), type="google")
    ask(ask(found))
    (assertion,) = issuer.asked  # not at the token_uri of the Secret
    claims = jwt.decode(assertion, RSAKey.import_key(github_app.key()), algorithms=["RS256"]).claims
    assert claims["iss"] == SERVICE["client_email"] and claims["scope"] == google_token.SCOPE


@pytest.mark.parametrize(
    "given",
    [
        {"serviceaccount": b""},
        {"serviceaccount": b"hunter2"},
        {"serviceaccount": b'["hunter2"]'},
        {"serviceaccount": b"[" * 100_000},
        {"bearer": b"hunter2"},
        google_secret(type="external_account", credential_source={"executable": {"command": "hunter2"}}),
        google_secret(private_key="hunter2"),
        google_secret(private_key=None),
    ],
)
def test_a_google_secret_that_is_no_service_account_is_bad_input(prometheus, given):
    with pytest.raises(
        BadInput, match=r"holds no service account for its identity google|beside its identity"
    ) as error:
        source(prometheus(clouds.bearer("x")), given, type="google")
    assert "hunter2" not in str(error.value)


def test_its_own_google_identity_is_the_metadata_servers_token(prometheus, beside, monkeypatch):
    node, server = (
        beside(clouds.GoogleMetadata),
        prometheus(clouds.bearer("google-1", "google-2"), refusal=401),
    )
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    place = node.url.removeprefix("http://")
    monkeypatch.setenv("GCE_METADATA_IP", place)
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", place)
    found = source(server, grants=Grants(google=(server.url,)), type="google")
    ask(ask(found))
    assert len(node.asked) == 1
    server.proven = clouds.bearer("google-2")
    ask(found)
    assert len(node.asked) == 2


AZURE = {"tenantId": b"tenant", "clientId": b"app", "clientSecret": b"hunter2\n"}


def test_an_azure_application_of_a_secret_gets_a_token_for_its_cloud(
    prometheus, beside, monkeypatch, tmp_path
):
    context, authority = private_tls(tmp_path / "chain.pem")
    (tmp_path / "ca.pem").write_bytes(authority)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    issuer, server = beside(clouds.AzureAuthority, tls=context), prometheus(clouds.bearer("azure-1"))
    monkeypatch.setattr(azure_token, "PUBLIC", (azure_token.PUBLIC[0], issuer.url))
    ask(ask(source(server, AZURE, type="azure")))
    (form,) = issuer.asked
    assert (form["client_id"], form["client_secret"]) == ("app", "hunter2")
    assert form["scope"] == "https://prometheus.monitor.azure.com/.default"


def test_its_own_azure_identity_is_a_managed_one(prometheus, beside, monkeypatch):
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    node, server = beside(clouds.AzureIdentity), prometheus(clouds.bearer("azure-1", "azure-2"), refusal=401)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{node.url}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "hunter2")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    found = source(server, grants=Grants(azure=(server.url,)), type="azure")
    ask(ask(found))
    assert [q["resource"] for q in node.asked] == ["https://prometheus.monitor.azure.com"]
    server.proven = clouds.bearer("azure-2")
    ask(found)
    assert len(node.asked) == 2


def test_why_azure_gives_no_token_is_one_line_and_nothing_is_logged(
    prometheus, beside, tmp_path, caplog, capfd
):
    context, _ = private_tls(tmp_path / "chain.pem")
    issuer, server = beside(clouds.AzureAuthority, tls=context), prometheus(clouds.bearer("azure-1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(azure_token, "PUBLIC", (azure_token.PUBLIC[0], issuer.url))
        found = source(server, AZURE, type="azure")
    text = refused(found, r"was not asked: Azure: ")
    assert "hunter2" not in text and server.asked == issuer.asked == []
    assert not caplog.records and not any(capfd.readouterr())


@pytest.mark.parametrize(
    ("url", "audience", "authority"),
    [
        (
            "https://shop-a1.westeurope.prometheus.monitor.azure.com",
            "monitor.azure.com",
            "microsoftonline.com",
        ),
        ("https://shop.usgovvirginia.prometheus.monitor.azure.us", "monitor.azure.us", "microsoftonline.us"),
        ("https://shop.chinaeast.prometheus.monitor.azure.cn", "monitor.azure.cn", "chinacloudapi.cn"),
        ("https://evil-prometheus.monitor.azure.us.example.com", "monitor.azure.com", "microsoftonline.com"),
    ],
)
def test_a_token_is_for_the_cloud_of_its_workspace(url, audience, authority):
    found = azure_token.cloud(url)
    assert found == (f"https://prometheus.{audience}", found[1]) and found[1].endswith(authority)


@pytest.mark.parametrize("missing", AZURE)
def test_a_key_that_an_azure_secret_lacks_is_named(prometheus, missing):
    given = {k: v for k, v in AZURE.items() if k != missing}
    with pytest.raises(BadInput, match=f"holds no {missing} for its identity azure"):
        source(prometheus(clouds.bearer("x")), given, type="azure")


@pytest.fixture
def file(tmp_path):
    (tmp_path / "token").write_text("file-1\n")
    return tmp_path / "token"


def test_a_token_of_a_file_goes_where_it_is_granted_with_other_headers_of_a_secret(prometheus, file):
    def proven(handler, body):
        return clouds.bearer("file-1")(handler, body) or (
            "" if handler.headers["X-Scope-OrgID"] == "shop" else "whose?"
        )

    server = prometheus(proven)
    grants = Grants(token_files={"thanos": TokenFile(file=str(file), addresses=(server.url,))})
    ask(source(server, {"header.X-Scope-OrgID": b"shop"}, grants, type="tokenFile", name="thanos"))


@pytest.mark.parametrize(
    "key", ["bearer", "username", "header.authorization", "header.Host", "header.X-Amz-Date"]
)
@pytest.mark.parametrize("kind", ["tokenFile", "aws"])
def test_a_secret_says_nothing_else_of_who_asks(prometheus, file, key, kind):
    server = prometheus(clouds.bearer("x"))
    grants = Grants(token_files={"thanos": TokenFile(file=str(file), addresses=(server.url,))})
    with pytest.raises(BadInput, match=f"the Secret's {key} stands beside its identity {kind}") as error:
        source(server, {**AWS, key: b"hunter2"}, grants, type=kind, name="thanos", region="eu-west-1")
    assert "hunter2" not in str(error.value)


def test_what_is_not_encrypted_passes_no_proxy(prometheus, beside, file, monkeypatch):
    thief, server = prometheus(lambda handler, body: ""), prometheus(clouds.bearer("file-1"))
    monkeypatch.setenv("http_proxy", thief.url)
    monkeypatch.delenv("no_proxy", raising=False)
    grants = Grants(token_files={"thanos": TokenFile(file=str(file), addresses=(server.url,))})
    ask(source(server, None, grants, type="tokenFile", name="thanos"))
    assert thief.asked == [] and len(server.asked) == 1


class Away(Quiet, BaseHTTPRequestHandler):
    """Redirects to `server.place`."""

    def do_POST(self):
        self.send_response(self.server.status)
        self.send_header("Location", self.server.place)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("kind", ["aws", "tokenFile"])
def test_a_redirect_takes_nothing_to_another_host(beside, pod, file, prometheus, status, kind):
    thief = prometheus(lambda handler, body: "")
    server = beside(Away, place=f"{thief.url}/api/v1/query", status=status)
    grants = Grants(
        aws=(server.url,), token_files={"thanos": TokenFile(file=str(file), addresses=(server.url,))}
    )
    found = source(server, None, grants, type=kind, name="thanos", region="eu-west-1")
    refused(found, "a redirect, which is not followed")
    assert thief.asked == []


@pytest.mark.parametrize(
    ("kind", "library", "package"),
    [("aws", "botocore", "botocore"), ("google", "google.auth", "google-auth"), ("azure", "azure.identity", "azure-identity")],
)  # fmt: skip
def test_a_library_that_is_missing_is_one_line_that_says_what_to_install(
    prometheus, monkeypatch, kind, library, package
):
    monkeypatch.setitem(sys.modules, library, None)
    server = prometheus(clouds.bearer("x"))
    with pytest.raises(BadInput) as error:
        source(server, grants=Grants(**{kind: (server.url,)}), type=kind, region="eu-west-1")
    said = f"the provider prometheus: its identity {kind} needs {package}; install netpol-canary[{kind}]"
    assert str(error.value) == said


def test_a_library_that_never_answers_or_breaks_is_left_in_time():
    over = threading.Event()
    with pytest.raises(IdentityError, match=r"^Azure gave no answer within 0\.1 s$"):
        vendor_call.within("Azure", lambda: over.wait(60), 0.1)
    over.set()
    with pytest.raises(IdentityError, match=r"^AWS: ZeroDivisionError: division by zero$"):
        vendor_call.within("AWS", lambda: 1 / 0)


def test_sources_that_are_built_anew_every_minute_share_a_token(prometheus, pod):
    server = prometheus(clouds.signature_problem)
    given = m.Prometheus(url=server.url, identity=m.MetricIdentity(type="aws", region="eu-west-1"))
    process = Identities(CLOCK, lambda: Grants(aws=(server.url,)))
    for _ in range(3):
        found = Sources(MemoryCluster(), CLOCK, lambda name, where: {}, process)
        ask(found.get(m.Analysis(prometheus=given), "prometheus"))
    assert len(pod.asked) == 1


def test_plain_json_is_asked_by_the_same_identities(prometheus, file):
    server = prometheus(clouds.bearer("file-1"))
    grants = Grants(token_files={"billing": TokenFile(file=str(file), addresses=(server.url,))})
    given = m.Provider(
        name="billing", type="http", url=server.url, result="length(data.result)",
        identity=m.MetricIdentity(type="tokenFile", name="billing"),
    )  # fmt: skip
    sources = Sources(MemoryCluster(), CLOCK, lambda name, where: {}, Identities(CLOCK, lambda: grants))
    (sample,) = sources.get(m.Analysis(providers=[given]), "billing").query("failures", CLOCK.now())
    assert sample.value == 0.0
