"""What `serve` puts together is guarded as a whole: no page or webhook that is added is forgotten."""

import pytest
from door import KEY, URL
from routes_of import routes_of
from stage import Stage
from starlette.testclient import TestClient

from orchestrator.sandbox.people import People
from orchestrator.server.parts import Parts
from orchestrator.server.signin.request_guard import public

app = pytest.importorskip("orchestrator.server.http_app", reason="needs the application of serve")


def test_every_route_of_the_server_refuses_without_a_session():
    from orchestrator.server.settings import load

    stage = Stage()
    settings = load(flags={"signin": {"keys": [KEY], "external_url": URL}})
    made = app.create(Parts(stage.context(), callers=People(stage.cluster)), settings)
    browser = TestClient(made, base_url=URL, headers={"accept": "*/*"}, follow_redirects=False)
    asked = 0
    for path, methods in routes_of(made.routes):
        if not public(path) and not path.startswith("/signin"):
            asked += 1
            for method in methods:
                answer = browser.request(method, path.replace("{name}", "x"))
                assert answer.status_code == 401, (method, path)
    assert asked
