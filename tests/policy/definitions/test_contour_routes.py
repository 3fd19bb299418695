"""HTTPProxies: from Contour's Envoys to where those with a virtual host, and what these include, lead."""

import pytest
from made import made, service, workload

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.files.unread import meaning
from orchestrator.policy.impact.exposure import entrances

STALL = workload("stall", ports=[8080]) + service("stall", 80, target=8080)
ENVOY = workload("contour-envoy", space="edge")


def proxy(spec, name="root", space="shop", kind="HTTPProxy", version="v1", more=""):
    return (
        f"---\napiVersion: projectcontour.io/{version}\nkind: {kind}\n"
        f"metadata: {{name: {name}, namespace: {space}{more}}}\nspec: {{{spec}}}\n"
    )


HOST = "virtualhost: {fqdn: stall.example}"
LEADS = "routes: [{services: [{name: stall, port: 80}]}]"
PART = proxy(LEADS, name="part")


@pytest.mark.parametrize("spec", [LEADS, "tcpproxy: {services: [{name: stall, port: 80}]}"])
def test_envoy_reaches_what_a_virtual_host_leads_to(spec):
    found = made(STALL + ENVOY + workload("door", space="edge") + proxy(f"{HOST}, {spec}"))
    assert found.open("edge/contour-envoy", "shop/stall", 8080)
    assert not found.open("edge/door", "shop/stall", 8080) and "HTTPProxy" not in found.told
    ((way,), told) = entrances(found.whole, Platform(), {})
    assert way.src == "edge/contour-envoy[Deployment]"
    assert way.through.startswith("HTTPProxy root in app.yaml")
    assert not told and meaning({"kind": "HTTPProxy", "apiVersion": "projectcontour.io/v1"}) == ""


@pytest.mark.parametrize(
    "above",
    [
        proxy(f"{HOST}, includes: [{{name: part}}]"),
        proxy(f"{HOST}, tcpproxy: {{include: {{name: part}}}}"),
        proxy(f"{HOST}, includes: [{{name: part, namespace: shop}}]", space="lobby"),
        proxy(f"{HOST}, includes: [{{name: middle}}]") + proxy("includes: [{name: part}]", name="middle"),
    ],
)
def test_what_a_virtual_host_includes_is_followed_from_any_namespace(above):
    found = made(STALL + ENVOY + above + PART)
    assert found.open("edge/contour-envoy", "shop/stall", 8080) and "HTTPProxy" not in found.told
    assert "# HTTPProxy part in app.yaml" in found.files["shop/stall.yaml"]


def test_one_that_no_virtual_host_includes_serves_nothing_and_is_named():
    for more in (
        "",
        proxy("includes: [{name: part}]", name="middle"),
        proxy(f"includes: [{{name: root}}], {LEADS}"),
    ):
        found = made(STALL + ENVOY + PART + more)
        assert not found.open("edge/contour-envoy", "shop/stall", 8080)
        assert "HTTPProxy part in app.yaml" in found.told
        said = "has no virtual host, and no HTTPProxy here that has one includes it: nothing is opened"
        assert said in found.told


def test_what_is_included_or_led_to_and_not_here_is_named():
    told = made(STALL + ENVOY + proxy(f"{HOST}, includes: [{{name: gone, namespace: far}}], routes: [{{services: [{{name: stalls, port: 80}}]}}]")).told  # fmt: skip
    assert "HTTPProxy root in app.yaml" in told and "includes HTTPProxy far/gone, which is not here" in told
    assert "leads to Service shop/stalls, which is not here" in told


def test_the_class_of_the_virtual_host_says_whose_envoys_serve_what_it_includes():
    def one(space, word):
        args = f'"image": "i", "args": ["serve", "--ingress-class-name={word}"]'
        brain = workload("contour", space=space).replace('"image": "i"', args.replace('"i"', '"contour:v1"'))
        return brain + workload("contour-envoy", space=space)

    above = proxy(f"{HOST}, ingressClassName: inner, includes: [{{name: part}}]")
    found = made(STALL + one("edge", "inner") + one("rim", "outer") + above + PART)
    assert found.open("edge/contour-envoy", "shop/stall", 8080)
    assert not found.open("rim/contour-envoy", "shop/stall", 8080)
    old = ", annotations: {projectcontour.io/ingress.class: outer}"
    found = made(STALL + ENVOY + proxy(f"{HOST}, {LEADS}", more=old))
    assert found.open("edge/contour-envoy", "shop/stall", 8080)


def test_what_envoy_asks_is_opened_and_is_no_entrance():
    asked = proxy("services: [{name: stall, port: 80}]", kind="ExtensionService", version="v1alpha1")
    found = made(STALL + ENVOY + asked)
    assert found.open("edge/contour-envoy", "shop/stall", 8080) and "ExtensionService" not in found.told
    assert entrances(found.whole, Platform(), {}) == ([], [])


@pytest.mark.parametrize(
    "odd", ["routes: 5", "routes: [7]", "includes: 5", "includes: [7]", f"{HOST}, routes: [{{services: [{{}}]}}]"]
)  # fmt: skip
def test_one_of_another_shape_hides_itself_alone_and_is_named(odd):
    above = proxy(f"{HOST}, includes: [{{name: part}}, {{name: odd}}]")
    found = made(STALL + ENVOY + above + PART + proxy(odd, name="odd"))
    assert found.open("edge/contour-envoy", "shop/stall", 8080)
    assert "shop/odd is not of the shape" in found.told


def test_an_include_without_a_name_is_named_and_hides_neither_routes_nor_what_else_is_included():
    below = proxy("routes: [{services: [{name: booth, port: 80}]}]", name="part")
    booth = workload("booth", ports=[80]) + service("booth", 80)
    root = proxy(f"{HOST}, includes: [{{namespace: x}}, {{name: part}}], {LEADS}")
    found = made(STALL + booth + ENVOY + root + below)
    assert found.open("edge/contour-envoy", "shop/stall", 8080)
    assert found.open("edge/contour-envoy", "shop/booth", 80)
    assert "includes an HTTPProxy without a name: nothing is opened for it" in found.told
    assert "has no virtual host" not in found.told and "not of the shape" not in found.told


@pytest.mark.parametrize("includes", ["5", "[7]", "[{name: part}, 7]"])
def test_what_one_of_another_shape_includes_is_not_known(includes):
    found = made(STALL + ENVOY + proxy(f"{HOST}, includes: {includes}, {LEADS}") + PART)
    assert "HTTPProxy root in" not in found.told and "shop/root is not of the shape" in found.told
    assert "includes it; what HTTPProxy shop/root (app.yaml:" in found.told
    assert "includes is not known (not of the shape that the API has): nothing is opened" in found.told
