"""An API server that trusts a provider takes the token that somebody signs in with as that person's."""

import json
import os
from datetime import UTC, datetime

import openid_provider
import pytest
from fastapi import FastAPI, Request
from patience import ENOUGH, eventually
from starlette.testclient import TestClient

from orchestrator.adapters.kube.cluster import connect
from orchestrator.cli.app import Target
from orchestrator.cli.wiring import over
from orchestrator.context import ROLLOUT
from orchestrator.errors import Forbidden
from orchestrator.ports import Kind
from orchestrator.server.parts import Parts
from orchestrator.server.signin import install
from orchestrator.server.signin.signin_settings import SignIn

pytestmark = pytest.mark.cluster

URL, OWN = "https://rollouts.example.com", "netpol-canary"
POD = Kind("v1", "Pod")


@pytest.fixture(scope="module")
def trusting(harness, tmp_path_factory):
    """A provider, its certificate, and an API server that docs/sign-in.md has told of it."""
    if os.environ.get("KUBECONFIG"):
        pytest.skip("needs a control plane of our own (KUBECONFIG names another)")
    folder = tmp_path_factory.mktemp("openid")
    tls = openid_provider.certificate(folder)
    with openid_provider.serving(lambda: datetime.now(UTC), tls) as provider:
        config = folder / "authentication.json"
        config.write_text(json.dumps(configuration(provider.issuer, tls[0].read_text())))
        flag = f"--authentication-config={config}"
        with harness.control_plane(folder, harness.Place(flags=(flag,))) as plane:
            plane.run("apply", "-k", str(harness.ROOT / "config" / "rbac"))
            bind = ["create", "rolebinding", "people", "-n", OWN, "--role=netpol-canary-release-engineer"]
            plane.run(*bind, "--group=oidc:release-engineers")
            yield plane, provider, tls[0]


def configuration(issuer, certificate):
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "jwt": [
            {
                "issuer": {
                    "url": issuer,
                    "audiences": [openid_provider.CLIENT],
                    "certificateAuthority": certificate,
                },
                "claimMappings": {
                    "username": {"claim": "email", "prefix": "oidc:"},
                    "groups": {"claim": "groups", "prefix": "oidc:"},
                },
            }
        ],
    }


@pytest.fixture
def browser(trusting):
    plane, provider, certificate = trusting
    app, own = FastAPI(), connect(plane.kubeconfig, timeout=ENOUGH)

    @app.get("/")
    def home(request: Request):
        viewer = request.state.viewer
        try:
            pods = len(viewer.cluster.list(POD, OWN))
        except Forbidden as error:
            pods = str(error)
        return {
            "asked": viewer.cluster.user(),
            "pods": pods,
            "rollouts": len(viewer.cluster.list(ROLLOUT, OWN)),
            "approves": viewer.may("create", "rolloutapprovals"),
        }

    oidc = {
        "issuer": provider.issuer,
        "client_id": openid_provider.CLIENT,
        "client_secret": openid_provider.SECRET,
        "ca_file": str(certificate),
    }
    install(
        app,
        Parts(over(own, Target()), callers=own),
        SignIn(external_url=URL, keys=["k" * 32], oidc=oidc, attempts_per_minute=1000),
    )
    return TestClient(app, base_url=URL, follow_redirects=False, headers={"accept": "text/html"})


def travel(browser, provider):
    address = browser.get("/signin/oidc").headers["location"]
    return browser.get("/signin/oidc/callback", params=provider.consent(address))


def test_whoever_the_provider_knows_acts_as_that_person(browser, trusting):
    _, provider, _ = trusting
    # Refused until the API server has asked the provider for its keys.
    eventually(lambda: travel(browser, provider).status_code != 403, every=0.5)
    answer = travel(browser, provider)
    assert answer.status_code == 303, answer.text
    shown = browser.get("/").json()
    assert shown["asked"][0] == "oidc:ann@example.com" and "oidc:release-engineers" in shown["asked"][1]
    assert (shown["rollouts"], shown["approves"]) == (0, True)
    assert 'User "oidc:ann@example.com" cannot list resource "pods"' in shown["pods"]
