"""A small application behind the sign-in, and a browser that visits it."""

import html
import re

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse
from stage import OWN, Stage
from starlette.testclient import TestClient

from orchestrator.ports import Kind
from orchestrator.sandbox.people import People
from orchestrator.server.parts import Parts, Person
from orchestrator.server.signin import install
from orchestrator.server.signin.signin_settings import SignIn

URL = "https://rollouts.example.com"
HTML = {"accept": "text/html,application/xhtml+xml"}
KEY = "k" * 32
ANN = ("ann@example.com", ("release-engineers",))
BOB = ("bob@example.com", ())
TOKENS = {"anns-token": ANN, "bobs-token": BOB}
PEOPLE = (Person("cleo@example.com", ("release-engineers",), "approves"), Person("dan@example.com"))
SECRET = Kind("v1", "Secret")


def pages():
    """Pages that say who looks at them."""
    router = APIRouter()

    @router.get("/")
    def home(request: Request):
        viewer = request.state.viewer
        return {
            "user": viewer.user,
            "groups": viewer.groups,
            "csrf": viewer.csrf,
            "asked": viewer.cluster.user(),
        }

    @router.get("/rollouts/{name}")
    def rollout(name: str):
        return PlainTextResponse(name)

    @router.post("/rollouts/{name}/approve")
    async def approve(name: str, request: Request):
        size = len(await request.body())
        form = await request.form()
        return {
            "user": request.state.viewer.user,
            "comment": form.get("comment"),
            "raw": size,
        }

    @router.get("/may/{verb}/{resource}")
    def may(verb: str, resource: str, request: Request):
        return request.state.viewer.may(verb, resource.replace("_", "/"))

    @router.get("/secret")
    def secret(request: Request):
        return request.state.viewer.cluster.list(SECRET, OWN)

    return router


class Door:
    """One application, and as many browsers as wanted."""

    def __init__(self, stage=None, people=(), tokens=TOKENS, **settings):
        self.stage = stage or Stage()
        self.clock = self.stage.clock
        self.app = FastAPI()
        self.tokens = dict(tokens)
        self.callers = settings.pop("callers", None) or People(self.stage.cluster, tokens=self.tokens)
        given = {"keys": [KEY], "external_url": URL, **settings}
        self.settings = SignIn(**given)

        @self.app.get("/healthz")
        def healthz():
            return PlainTextResponse("ok")

        @self.app.post("/webhooks/github")
        async def hook(request: Request):
            return {"size": len(await request.body()), "viewer": request.state.viewer}

        self.app.include_router(pages())
        parts = Parts(self.stage.context(), callers=self.callers, people=people)
        install(self.app, parts, self.settings)

    def browser(self):
        return Browser(self)


class Browser(TestClient):
    """Follows no redirects by itself, and asks for HTML."""

    def __init__(self, door):
        super().__init__(door.app, base_url=URL, headers=HTML, follow_redirects=False)

    def form(self, path="/signin"):
        """The token of the form that a page holds."""
        page = self.get(path)
        assert page.status_code == 200, page.text
        return html.unescape(re.search(r'name="csrf" value="([^"]+)"', page.text)[1])

    def sign_in(self, token="anns-token", next="/", **headers):
        data = {"csrf": self.form_of_way("/signin/token"), "token": token, "next": next}
        return self.post("/signin/token", data=data, headers={"origin": URL, **headers})

    def choose(self, number=0):
        data = {"csrf": self.form_of_way("/signin/person"), "person": str(number)}
        return self.post("/signin/person", data=data, headers={"origin": URL})

    def form_of_way(self, action):
        """The token of the form that leads to `action`."""
        page = self.get("/signin").text
        return re.search(rf'action="{action}">\s*<input type="hidden" name="csrf" value="([^"]+)"', page)[1]

    def csrf(self):
        return self.get("/").json()["csrf"]

    def held(self, name="session"):
        """The cookies of this kind that the browser holds."""
        return {c.name: c.value for c in self.cookies.jar if f"-{name}." in c.name}
