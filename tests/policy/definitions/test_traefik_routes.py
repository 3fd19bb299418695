"""Traefik's own routes: from its pods, wherever they stand, to the Services that routes, TraefikServices and Middlewares name."""

import pytest
from made import made, service, workload

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.files.unread import meaning
from orchestrator.policy.impact.exposure import entrances

STALL = workload("stall", ports=[8080]) + service("stall", 80, target=8080)
CELLAR = workload("cellar", space="depot", ports=[9000]) + service("cellar", 90, space="depot", target=9000)
OTHER = workload("door", space="edge", labels={"app.kubernetes.io/name": "ingress-nginx"})


def gate(name="gate", space="edge", *args):
    text = workload(name, space=space, labels={"app.kubernetes.io/name": "traefik", "app": name})
    return text.replace('"image": "i"', f'"image": "i", "args": {list(args)}'.replace("'", '"'))


def own(kind, spec, name="way", group="traefik.io", more=""):
    return (
        f"---\napiVersion: {group}/v1alpha1\nkind: {kind}\n"
        f"metadata: {{name: {name}, namespace: shop{more}}}\nspec: {spec}\n"
    )


def route(*services, middlewares="[]"):
    return f"{{routes: [{{services: [{', '.join(services)}], middlewares: {middlewares}}}]}}"


@pytest.mark.parametrize("group", ["traefik.io", "traefik.containo.us"])
@pytest.mark.parametrize("kind", ["IngressRoute", "IngressRouteTCP", "IngressRouteUDP"])
def test_traefik_reaches_what_its_routes_lead_to(kind, group):
    spec = route("{name: stall, port: '80'}", "{name: cellar, namespace: depot, port: 90}")
    found = made(STALL + CELLAR + gate() + OTHER + own(kind, spec, group=group))
    assert found.open("edge/gate", "shop/stall", 8080) and found.open("edge/gate", "depot/cellar", 9000)
    assert not found.open("edge/door", "shop/stall", 8080) and "IngressRoute" not in found.told
    ways, told = entrances(found.whole, Platform(), {})
    assert {(w.src, w.dst.pod.name, w.because) for w in ways} == {
        ("edge/gate[Deployment]", "stall", ()),
        ("edge/gate[Deployment]", "cellar", ()),
    }
    assert not told and meaning({"kind": kind, "apiVersion": f"{group}/v1alpha1"}) == ""


def test_of_two_traefiks_the_one_of_the_class_serves_a_route():
    inner = gate("inner", "edge", "--providers.kubernetescrd.ingressclass=inner")
    said = ", annotations: {kubernetes.io/ingress.class: %s}"
    spec = route("{name: stall, port: 80}")
    found = made(STALL + gate() + inner + own("IngressRoute", spec, more=said % "inner"))
    assert found.open("edge/inner", "shop/stall", 8080) and not found.open("edge/gate", "shop/stall", 8080)
    found = made(STALL + gate() + inner + own("IngressRoute", spec))
    assert found.open("edge/gate", "shop/stall", 8080) and not found.open("edge/inner", "shop/stall", 8080)


def test_a_traefik_that_is_not_here_is_assumed_at_its_own_place_and_told():
    nginx = workload("door", space="ingress-nginx")
    found = made(STALL + nginx + own("IngressRoute", route("{name: stall, port: 80}")))
    assert "kubernetes.io/metadata.name: traefik" in found.files["shop/stall.yaml"]
    assert "IngressRoute way in app.yaml" in found.told
    assert "its controller is not here, and is taken to stand in namespace traefik" in found.told
    there = made(
        STALL + own("IngressRoute", route("{name: stall, port: 80}")) + workload("x", space="gates"),
        Platform(ingress="gates"),
    )
    assert there.open("gates/x", "shop/stall", 8080)


@pytest.mark.parametrize(
    "spec",
    [
        "{weighted: {services: [{name: cellar, namespace: depot, port: 90}]}}",
        "{highestRandomWeight: {services: [{name: cellar, namespace: depot, port: 90}]}}",
        "{mirroring: {name: cellar, namespace: depot, port: 90}}",
        "{mirroring: {name: split, kind: TraefikService, mirrors: [{name: cellar, namespace: depot, port: 90}]}}",
    ],
)
def test_services_of_traefik_s_own_are_followed(spec):
    named = route("{name: split, kind: TraefikService}", "{name: api@internal, kind: TraefikService}")
    found = made(CELLAR + gate() + own("IngressRoute", named) + own("TraefikService", spec, name="split"))
    assert found.open("edge/gate", "depot/cellar", 9000) and "Traefik" not in found.told


def test_what_middlewares_ask_and_show_is_opened_through_chains():
    spec = route("{name: stall, port: 80}", middlewares="[{name: all}]")
    chain = own(
        "Middleware", "{chain: {middlewares: [{name: asks}, {name: shows}, {name: all}]}}", name="all"
    )
    asks = own("Middleware", "{forwardAuth: {address: 'http://cellar.depot:90/'}}", name="asks")
    shows = own("Middleware", "{errors: {service: {name: sorry, port: 81}}}", name="shows")
    sorry = workload("sorry", ports=[81]) + service("sorry", 81)
    found = made(STALL + CELLAR + sorry + gate() + own("IngressRoute", spec) + chain + asks + shows)
    assert found.open("edge/gate", "depot/cellar", 9000) and found.open("edge/gate", "shop/sorry", 81)
    assert "Middleware" not in found.told
    absent = made(STALL + CELLAR + sorry + own("IngressRoute", spec) + chain + asks + shows)
    for file in ("depot/cellar.yaml", "shop/sorry.yaml"):
        assert "kubernetes.io/metadata.name: traefik" in absent.files[file]


ASKS = "{forwardAuth: {address: 'http://cellar.depot:90/'}}"
JOINED = ["shop-asks@kubernetescrd", "shop-as.ks@kubernetescrd", "shop-far-asks@kubernetescrd"]


def ingress(middlewares, name="sill", more=""):
    noted = f"annotations: {{traefik.ingress.kubernetes.io/router.middlewares: {middlewares}}}"
    return (
        f"---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: {name}, namespace: shop, {noted}}}\n"
        f"spec: {{defaultBackend: {{service: {{name: stall, port: {{number: 80}}}}}}{more}}}\n"
    )


@pytest.mark.parametrize("joined", JOINED)
def test_traefik_s_reference_across_namespaces_is_read(joined):
    name = joined.removeprefix("shop-").partition("@")[0]
    asks = own("Middleware", ASKS, name=name)
    chain = own("Middleware", f"{{chain: {{middlewares: [{{name: {joined}}}]}}}}", name="all")
    for named in (joined, "all"):
        spec = route("{name: stall, port: 80}", middlewares=f"[{{name: {named}}}]")
        found = made(STALL + CELLAR + gate() + own("IngressRoute", spec) + asks + chain)
        assert found.open("edge/gate", "depot/cellar", 9000) and "Middleware" not in found.told


def test_the_middlewares_that_an_ingress_is_annotated_with_are_read():
    shows = own("Middleware", "{errors: {service: {name: cellar, namespace: depot, port: 90}}}", name="shows")
    for more, named in ((own("Middleware", ASKS, name="asks"), "shop-asks"), (shows, "shop-shows")):
        way = ingress(f"'x@internal, {named}@kubernetescrd,'")
        found = made(STALL + CELLAR + gate() + way + more)
        assert found.open("edge/gate", "depot/cellar", 9000) and "Middleware" not in found.told
    told = made(STALL + gate() + ingress("'shop-gone@kubernetescrd,asks,a@file'")).told
    assert "Ingress sill in app.yaml" in told
    for name in ("shop-gone@kubernetescrd", "asks@kubernetes", "a@file"):
        assert f"names Middleware {name}, which is not here: nothing is opened for what it asks" in told


@pytest.mark.parametrize("word", ["nginx", "cilium", "alb", ""])
def test_an_ingress_that_traefik_does_not_serve_has_no_middlewares(word):
    asks = own("Middleware", ASKS, name="asks")
    way = ingress("'shop-asks@kubernetescrd,gone'", more=f", ingressClassName: {word}" if word else "")
    found = made(STALL + CELLAR + OTHER + (gate() if word else "") + way + asks)
    assert not found.open("edge/door", "depot/cellar", 9000) and "Middleware" not in found.told
    if word:
        assert not found.open("edge/gate", "depot/cellar", 9000)


def test_a_middleware_that_is_not_here_or_of_another_shape_is_named():
    spec = route("{name: stall, port: 80}", middlewares="[{name: gone}, {name: odd}, {}, {name: all}]")
    odd = own("Middleware", "{errors: {service: {port: 80}}}", name="odd")
    chain = own("Middleware", "{chain: {middlewares: [{name: lost, namespace: far}]}}", name="all")
    found = made(STALL + gate() + own("IngressRoute", spec) + odd + chain)
    assert found.open("edge/gate", "shop/stall", 8080) and "IngressRoute way in app.yaml" in found.told
    for text in (
        "names Middleware shop/gone, which is not here",
        "names Middleware far/lost, which is not here",
        "names Middleware shop/odd, which is not of the shape that the API has (app.yaml",
        "names Middleware without a name",
    ):
        assert text in found.told
    assert found.told.count("nothing is opened for what it asks") == 4
    told = entrances(found.whole, Platform(), {})[1]
    assert any("names Middleware shop/gone, which is not here" in text for text in told)


def test_of_more_middlewares_than_a_route_may_have_the_rest_is_named():
    names = [f"m{n}" for n in range(120)]
    spec = route("{name: stall, port: 80}", middlewares=f"[{', '.join(f'{{name: {n}}}' for n in names)}]")
    empty = "".join(own("Middleware", "{headers: {}}", name=n) for n in names[:-1])
    found = made(
        STALL + CELLAR + gate() + own("IngressRoute", spec) + empty + own("Middleware", ASKS, name=names[-1])
    )
    words = "names more than 100 Middlewares, of which the others are not followed: nothing is opened for what they ask"
    assert words in found.told
    assert not found.open("edge/gate", "depot/cellar", 9000)


def test_what_routes_for_tcp_name_asks_nobody():
    spec = route("{name: stall, port: 80}", middlewares="[{name: gone}]")
    assert "gone" not in made(STALL + gate() + own("IngressRouteTCP", spec)).told


def test_what_a_route_leads_to_and_is_not_here_is_named():
    spec = route("{name: stalls, port: 80}", "{name: split, kind: TraefikService}")
    told = made(STALL + gate() + own("IngressRoute", spec)).told
    assert "leads to Service shop/stalls, which is not here: nothing is opened for it" in told
    assert "leads to TraefikService shop/split, which is not followed: nothing is opened for it" in told


def test_of_more_backends_than_a_route_may_have_the_rest_is_named():
    many = ", ".join("{name: cellar, namespace: depot, port: 90}" for _ in range(250))
    split = own("TraefikService", f"{{weighted: {{services: [{many}]}}}}", name="split")
    spec = route("{name: split, kind: TraefikService}")
    found = made(CELLAR + gate() + own("IngressRoute", spec) + split)
    assert found.open("edge/gate", "depot/cellar", 9000)
    assert "IngressRoute way in app.yaml" in found.told
    line = "leads to more than 200 backends, of which the others are not followed: nothing is opened"
    assert line in found.told


@pytest.mark.parametrize(
    "odd",
    [
        own("IngressRoute", "{routes: 5}", name="odd"),
        own("IngressRoute", "{routes: [7]}", name="odd"),
        own("IngressRouteTCP", route("{name: stall, port: {a: b}}"), name="odd"),
        own("IngressRoute", "{routes: [{services: [7]}]}", name="odd"),
    ],
)
def test_a_route_of_another_shape_hides_itself_alone_and_is_named(odd):
    found = made(STALL + gate() + own("IngressRoute", route("{name: stall, port: 80}")) + odd)
    assert found.open("edge/gate", "shop/stall", 8080) and "shop/odd is not of the shape" in found.told


@pytest.mark.parametrize(
    "odd",
    [
        own("TraefikService", "[1]", name="odd"),
        own("TraefikService", "{weighted: {services: [{name: x, port: []}]}}", name="odd"),
        own("Middleware", "{errors: {service: 5}}", name="odd"),
        own("Middleware", "{chain: {middlewares: [5]}}", name="odd"),
        own("TraefikService", "{weighted: {services: [{name: odd, kind: TraefikService}]}}", name="odd"),
    ],
)
def test_an_odd_step_on_the_way_hides_no_other(odd):
    spec = route("{name: odd, kind: TraefikService}", "{name: stall, port: 80}", middlewares="[{name: odd}]")
    found = made(STALL + gate() + own("IngressRoute", spec) + odd)
    assert found.open("edge/gate", "shop/stall", 8080)
    if "name: odd, kind" not in odd:
        assert "is not of the shape that the API has" in found.told
