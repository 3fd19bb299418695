"""On a real API server each page shows what the person who looks at it may see, and acts in that person's name."""

import contextlib
import re
import uuid

import pytest
from clearing import OWN, cleared
from fastapi import FastAPI, Request
from patience import ENOUGH, eventually
from starlette.testclient import TestClient

from orchestrator.adapters.kube.cluster import connect
from orchestrator.cli.app import Target
from orchestrator.cli.wiring import over
from orchestrator.context import ROLLOUT
from orchestrator.errors import Forbidden, Refused
from orchestrator.ports import Kind
from orchestrator.server.parts import Parts
from orchestrator.server.signin import install
from orchestrator.server.signin.signin_settings import SignIn

pytestmark = pytest.mark.cluster

URL = "https://rollouts.example.com"
SECRET = Kind("v1", "Secret")
VIEWER = "signin-viewer"


@pytest.fixture(scope="module")
def granted(plane, harness):
    """config/rbac and config/impersonation in force, and a service account bound to the viewer's role."""
    plane.run("apply", "-k", str(harness.ROOT / "config" / "rbac"))
    built = plane.run("kustomize", str(harness.ROOT / "config" / "impersonation"))
    plane.run("apply", "-f", "-", stdin=built)
    plane.run("create", "serviceaccount", VIEWER, "-n", OWN, check=False)
    bind = ["create", "rolebinding", "-n", OWN, "--role=netpol-canary-viewer", VIEWER]
    plane.run(*bind, f"--serviceaccount={OWN}:{VIEWER}", check=False)
    people = ["create", "rolebinding", "-n", OWN, "--role=netpol-canary-release-engineer", "signin-engineers"]
    plane.run(*people, "--group=release-engineers", check=False)
    yield plane
    cleared(plane)


@pytest.fixture
def token(granted):
    """`token(account)`: a token of a service account that ends in ten minutes."""
    return lambda account: granted.run("create", "token", account, "-n", OWN, "--duration=10m").strip()


@pytest.fixture
def own(granted):
    """The cluster as this process itself reaches it: as an administrator, who may do everything."""
    return connect(granted.kubeconfig, timeout=ENOUGH)


@pytest.fixture
def browser(own):
    app = FastAPI()

    @app.get("/")
    def home(request: Request):
        viewer = request.state.viewer
        answers = {"user": viewer.cluster.user()[0], "rollouts": len(viewer.cluster.list(ROLLOUT, OWN))}
        try:
            answers["secrets"] = len(viewer.cluster.list(SECRET, OWN))
        except Forbidden as error:
            answers["secrets"] = str(error)
        answers["may"] = [viewer.may(verb, "rolloutapprovals") for verb in ("list", "create")]
        return answers

    install(app, Parts(over(own, Target()), callers=own), SignIn(external_url=URL, keys=["k" * 32]))
    return TestClient(app, base_url=URL, follow_redirects=False, headers={"accept": "text/html"})


def sign_in(browser, token):
    page = browser.get("/signin").text
    csrf = re.search(r'action="/signin/token">\s*<input type="hidden" name="csrf" value="([^"]+)"', page)[1]
    return browser.post("/signin/token", data={"csrf": csrf, "token": token}, headers={"origin": URL})


def test_a_page_shows_what_the_token_may_see_and_not_what_the_process_may(browser, own, token):
    assert sign_in(browser, token(VIEWER)).status_code == 303
    shown = browser.get("/").json()
    assert shown["user"] == f"system:serviceaccount:{OWN}:{VIEWER}"
    assert shown["rollouts"] == len(own.list(ROLLOUT, OWN))
    assert "cannot list resource" in shown["secrets"] and VIEWER in shown["secrets"]
    assert shown["may"] == [True, False]
    own.list(SECRET, OWN)


def test_a_token_that_the_api_server_does_not_know_lets_nobody_in(browser):
    answer = sign_in(browser, "unknown")
    assert answer.status_code == 401 and browser.get("/").status_code == 303


def test_a_token_that_is_revoked_ends_the_session(browser, granted, token):
    account = f"signin-{uuid.uuid4().hex[:8]}"
    granted.run("create", "serviceaccount", account, "-n", OWN)
    bind = ["create", "rolebinding", "-n", OWN, "--role=netpol-canary-viewer", account]
    granted.run(*bind, f"--serviceaccount={OWN}:{account}")
    assert sign_in(browser, token(account)).status_code == 303
    assert browser.get("/").status_code == 200
    granted.run("delete", "serviceaccount,rolebinding", account, "-n", OWN)
    assert left(browser) == "/signin?next=%2F"


def left(browser):
    """Where the browser is sent once the API server, which remembers a token for some seconds, knows it no more."""

    def sent():
        with contextlib.suppress(Forbidden):  # its role goes before its token
            answer = browser.get("/")
            return answer.headers["location"] if answer.status_code == 303 else ""
        return ""

    return eventually(sent, every=0.5)


def test_the_service_account_acts_in_the_names_that_are_granted_and_in_no_others(own, token):
    account = own.with_token(token(OWN))
    ann = account.impersonating("oidc:ann@example.com", ("release-engineers",))
    user, groups = ann.user()
    assert user == "oidc:ann@example.com" and set(groups) == {"release-engineers", "system:authenticated"}
    assert isinstance(ann.list(ROLLOUT, OWN), list)
    with pytest.raises(Forbidden, match="cannot list resource"):
        ann.list(SECRET, OWN)
    for user, groups in (("oidc:eve@example.com", ()), ("oidc:ann@example.com", ("platform",))):
        with pytest.raises(Forbidden, match="cannot impersonate"):
            account.impersonating(user, groups).user()
    with pytest.raises(Refused):
        account.impersonating("oidc:ann@example.com", ("system:masters",))


def test_two_people_at_once_are_not_mixed_up(own, token, browser):
    one, two = own.with_token(token(VIEWER)), own.with_token(token(OWN))
    for _ in range(3):
        assert [c.user()[0].rpartition(":")[2] for c in (one, two)] == [VIEWER, OWN]
    assert own.user()[0] not in (one.user()[0], two.user()[0])
