"""Ingress controllers that stand anywhere: by image, arguments, labels and IngressClass."""

import pytest
from made import made, service, workload
from written import written

from orchestrator.policy.definitions.needed import Platform
from orchestrator.policy.impact.exposure import entrances

SHOP = workload("cart", ports=[8080]) + service("cart", 80, target=8080)
INGRESS = written("Ingress", "shop/cart", "{%sdefaultBackend: {service: {name: cart, port: {number: 80}}}}")
CLASS = written("IngressClass", "%s%s", "{controller: %s}")


def door(name, image="corp/door:1", args=(), space="edge", labels=None, **spec):
    """A workload that may be a controller."""
    text = workload(name, space=space, labels=labels, ports=[8443], **spec)
    return text.replace('"image": "i"', f'"image": "{image}", "args": {list(args)}'.replace("'", '"'))


def of(name):
    return INGRESS % (f"ingressClassName: {name}, " if name else "")


@pytest.mark.parametrize(
    ("word", "image"),
    [
        ("nginx", "registry.k8s.io/ingress-nginx/controller:v1.11.2@sha256:abc"),
        ("nginx", "rancher/nginx-ingress-controller:1"),
        ("nginx", "nginx/nginx-ingress:3.6"),
        ("traefik", "mirror.example.com/library/traefik:v3"),
        ("haproxy", "haproxytech/kubernetes-ingress:1"),
        ("haproxy", "quay.io/jcmoraisjr/haproxy-ingress:v0.14"),
        ("kong", "kong:3.8"),
    ],
)
def test_a_controller_is_known_by_its_image(word, image):
    found = made(SHOP + of(word) + door("front-door", image))
    assert found.open("edge/front-door", "shop/cart", 8080)
    assert "controller" not in found.told


@pytest.mark.parametrize(
    ("word", "controller", "image"),
    [
        ("public", "k8s.io/ingress-nginx", "registry.k8s.io/ingress-nginx/controller:v1"),
        ("outer", "nginx.org/ingress-controller", "nginx/nginx-ingress:3"),
        ("web", "traefik.io/ingress-controller", "traefik:v3"),
        ("web", "haproxy.org/ingress-controller/web", "haproxytech/kubernetes-ingress"),
        ("api", "ingress-controllers.konghq.com/kong", "kong/kong-gateway:3"),
    ],
)
def test_an_ingressclass_leads_to_its_controller(word, controller, image):
    others = door("other", "envoyproxy/envoy:v1") + door("more", "postgres:16")
    found = made(SHOP + of(word) + CLASS % (word, "", controller) + door("gatehouse", image) + others)
    assert found.open("edge/gatehouse", "shop/cart", 8080)
    assert not found.open("edge/other", "shop/cart", 8080) and not found.open("edge/more", "shop/cart", 8080)


@pytest.mark.parametrize(
    "args",
    [["--ingress-class=inner"], ["-ingress-class", "inner"], ["--ingress.class=inner"], ["--controller-class=corp/inner"]],
)  # fmt: skip
def test_of_two_controllers_the_one_that_says_the_class_is_opened(args):
    image = "ingress-nginx/controller"
    both = door("one", image, args) + door("two", image, ["--ingress-class=outer"])
    found = made(SHOP + of("inner") + CLASS % ("inner", "", "corp/inner") + both)
    assert found.open("edge/one", "shop/cart", 8080) and not found.open("edge/two", "shop/cart", 8080)


def test_arguments_alone_make_a_controller_but_not_of_what_only_reads_ingresses():
    reader = door("names", "registry.k8s.io/external-dns/external-dns:v1", ["--ingress-class=inner"])
    found = made(SHOP + of("inner") + door("own", args=["--ingress-class=inner"]) + reader)
    assert found.open("edge/own", "shop/cart", 8080) and not found.open("edge/names", "shop/cart", 8080)


def test_without_a_class_the_default_one_counts_else_every_controller():
    both = door("ship", "traefik:v3") + door("boat", "kong:3")
    default = ", annotations: {ingressclass.kubernetes.io/is-default-class: 'true'}"
    one = made(SHOP + of("") + CLASS % ("main", default, "traefik.io/ingress-controller") + both)
    assert one.open("edge/ship", "shop/cart", 8080) and not one.open("edge/boat", "shop/cart", 8080)
    every = made(SHOP + of("") + both)
    assert every.open("edge/ship", "shop/cart", 8080) and every.open("edge/boat", "shop/cart", 8080)


def test_the_proxies_of_contour_are_opened_and_not_what_configures_them():
    contour = door("contour", "ghcr.io/projectcontour/contour:v1", ["serve", "--ingress-class-name=inner"])
    found = made(SHOP + of("inner") + contour + door("lake", "docker.io/envoyproxy/envoy:v1"))
    assert not found.open("edge/contour", "shop/cart", 8080)
    assert "controller of the class inner is not here" in found.told, "this Envoy has nothing of Contour"
    labels = {"app": "lake", "app.kubernetes.io/instance": "contour"}
    found = made(SHOP + of("inner") + contour + door("lake", "docker.io/envoyproxy/envoy:v1", labels=labels))
    assert found.open("edge/lake", "shop/cart", 8080) and not found.open("edge/contour", "shop/cart", 8080)


def test_istio_s_gateway_is_known_by_its_label():
    labels = {"istio": "ingressgateway", "app": "outer"}
    found = made(SHOP + of("istio") + door("outer", "auto", labels=labels))
    assert found.open("edge/outer", "shop/cart", 8080)


def test_the_backend_of_errors_and_the_hooks_of_a_chart_are_no_controller():
    labels = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "default-backend"}
    found = made(SHOP + of("nginx") + door("errors", labels=labels))
    assert not found.open("edge/errors", "shop/cart", 8080) and "is taken to stand in" in found.told


def test_a_controller_on_the_host_s_network_is_opened_by_addresses_or_named():
    text = SHOP + of("nginx") + door("gate", "ingress-nginx/controller", hostNetwork=True)
    assert "edge/gate[Deployment], TCP 8080: NOT opened" in made(text).told
    found = made(text, Platform(nodes=("192.0.2.0/24",)))
    assert found.open("192.0.2.7", "shop/cart", 8080)
    ways, told = entrances(made(text).whole, Platform(), {})
    assert [w.src for w in ways] == ["edge/gate[Deployment]"] and ways[0].because
    assert any("edge/gate[Deployment] uses its node's network" in t for t in told)


def test_an_unknown_controller_of_a_known_class_is_not_taken_for_another():
    found = made(SHOP + of("odd") + CLASS % ("odd", "", "corp.example/own") + door("ship", "traefik:v3"))
    assert not found.open("edge/ship", "shop/cart", 8080)
    assert "its controller of the class odd corp.example/own is not here" in found.told


def test_what_reach_tells_is_of_the_destination_and_advises_no_option():
    text = SHOP + of("nginx") + workload("ledger", space="books")
    whole = made(text).whole
    every, none = entrances(whole, Platform(), {})[1], entrances(whole, Platform(), {}, "books/ledger")[1]
    assert len(every) == 1 and "its controller of the class nginx is not here" in every[0]
    assert "--" not in every[0] and none == []
    for name in ("cart", "shop/cart", "shop", "shop/cart[Deployment]"):
        assert entrances(whole, Platform(), {}, name)[1] == every


def test_where_nothing_says_who_serves_a_class_that_is_told():
    balancer = door("mysql-lb", image="haproxy:2.9", space="data", labels={"app": "haproxy"})
    found = made(SHOP + balancer + of("public"))
    assert "nothing here says which controller serves the class public" in found.told
    assert "data/mysql-lb[Deployment] is taken for it" in found.told
    found = made(SHOP + balancer + of("public") + door("front", args=["--ingress-class=public"]))
    assert "nothing here says" not in found.told and found.open("edge/front", "shop/cart", 8080)


def test_an_ingressclass_counts_for_more_than_a_word_in_its_name():
    front = door(
        "front", image="registry.k8s.io/ingress-nginx/controller:v1", args=["--ingress-class=azure-internal"]
    )
    given = SHOP + front + CLASS % ("azure-internal", "", "k8s.io/ingress-nginx") + of("azure-internal")
    found = made(given)
    assert found.open("edge/front", "shop/cart", 8080) and not found.open("203.0.113.9", "shop/cart", 8080)
