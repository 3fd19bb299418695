"""ConfigMaps and variables: binaryData that is text, and the line of what says an address."""

import base64
import json

import pytest
from made import made, service, workload
from written import plain

OVEN = workload("oven", space="bakery", ports=[8443]) + service("oven", 8443, space="bakery")
MOUNTED = {"volumes": [{"name": "v", "configMap": {"name": "settings"}}]}


def held(data=None, **binary):
    coded = {k: base64.b64encode(v).decode() for k, v in binary.items()}
    body = plain("ConfigMap", "shop/settings", data=data or {}, binaryData=coded)
    return f"---\n{json.dumps(body)}\n"


def test_binary_data_that_is_text_is_read_where_it_is_mounted():
    config = held(conf=b"bread:\n  host: oven.bakery\n  port: 8443\n")
    found = made(OVEN + workload("till", **MOUNTED) + config)
    assert found.open("shop/till", "bakery/oven", 8443) and "settings" not in found.told
    assert ", ConfigMap settings in app.yaml" in found.files["shop/till.yaml"]
    whole = {"name": "c", "envFrom": [{"configMapRef": {"name": "settings"}}]}
    assert "shop/till.yaml" not in made(OVEN + workload("till", containers=[whole]) + config).files, (
        "variables come of `data` alone"
    )


@pytest.mark.parametrize(
    "value", [b"\xfe\xed\xfe\xed http://oven.bakery:8443", b"a\0http://oven.bakery:8443"]
)
def test_binary_data_that_is_no_text_is_named_once_for_all_that_mount_it(value):
    many = {f"k{n}": value for n in range(7)}
    found = made(OVEN + workload("till", **MOUNTED) + workload("desk", **MOUNTED) + held(**many))
    assert "shop/till.yaml" not in found.files
    (told,) = [t for t in found.told.splitlines() if "binaryData" in t]
    assert told.startswith("ConfigMap shop/settings in app.yaml:")
    words = "k0, k1, k2, k3, k4 and 2 more of its binaryData is no text, and is not read: nothing is opened"
    assert words in told
    assert "binaryData" not in made(OVEN + workload("till") + held(**many)).told, "nobody has it"


def test_binary_data_has_the_bound_of_other_texts():
    found = made(OVEN + workload("till", **MOUNTED) + held(big=b"x " * 200_000 + b" http://oven.bakery:8443"))
    assert "ConfigMap settings" in found.told and "is not read" in found.told
    assert "shop/till.yaml" not in found.files


@pytest.mark.parametrize("coded", ["!", "aGk", 5, None, [1], {"a": "b"}])
def test_what_is_no_base64_is_named_and_hides_nothing(coded):
    config = held({"url": "http://oven.bakery:8443"}).replace(
        '"binaryData": {}', f'"binaryData": {json.dumps({"x": coded})}'
    )
    found = made(OVEN + workload("till", **MOUNTED) + config)
    assert found.open("shop/till", "bakery/oven", 8443) and "x of its binaryData is no text" in found.told


def test_binary_data_of_another_shape_hides_its_config_map_alone():
    found = made(
        OVEN
        + workload("till", env={"A": "http://oven.bakery:8443"})
        + held().replace('"binaryData": {}', '"binaryData": [1]')
    )
    assert found.open("shop/till", "bakery/oven", 8443)
    assert "ConfigMap.binaryData must be a mapping" in found.told


LINES = """---
apiVersion: v1
kind: ConfigMap
metadata: {name: other, namespace: shop}
data: {oven.url: "http://nowhere.else:1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data:
  name: till
  oven.url: "http://oven.bakery:8443"
"""


def place(text, of):
    """The number of the line in which something stands last."""
    return max(n for n, line in enumerate(text.splitlines(), 1) if of in line)


@pytest.mark.parametrize(
    "container",
    [
        {"envFrom": [{"configMapRef": {"name": "settings"}}]},
        {"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "oven.url"}}}]},
    ],
)
def test_what_a_config_map_says_is_named_at_its_own_line(container):
    text = OVEN + workload("till", containers=[{"name": "c", **container}]) + LINES
    where = f"ConfigMap settings in app.yaml:{place(text, 'oven.url')}"
    assert f"# oven.bakery:8443, {where}\n" in made(text).files["shop/till.yaml"]
    gone = text.replace("oven.bakery:8443", "stove.bakery:8443")
    assert f"calls stove.bakery:8443, {where}: no Service of that name is here" in made(gone).told


def test_what_several_keys_of_a_config_map_say_is_named_at_the_first_of_them():
    again = LINES + '  other.url: "http://oven.bakery:8443/other"\n'
    whole = {"name": "c", "envFrom": [{"configMapRef": {"name": "settings"}}]}
    text = OVEN + workload("till", containers=[whole]) + again
    file = made(text).files["shop/till.yaml"]
    assert file.count("ConfigMap settings") == 1 and f"app.yaml:{place(text, 'oven.url')}\n" in file


TWO = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: till, namespace: shop}
spec:
  selector: {matchLabels: {app: till}}
  template:
    metadata: {labels: {app: till}}
    spec:
      initContainers:
      - name: first
        env:
        - {name: URL, value: "http://oven.bakery:8443/first"}
      containers:
      - name: second
        env:
        - {name: OTHER, value: "1"}
        - {name: URL, value: "http://keg.cellar:9000"}
      - env:
        - {name: URL, value: "http://jar.cellar:9001"}
        name: third
"""


def test_a_variable_that_several_containers_have_is_named_at_the_line_of_the_right_one():
    cellar = [
        workload(n, "cellar", ports=[p]) + service(n, p, "cellar") for n, p in (("keg", 9000), ("jar", 9001))
    ]
    text = OVEN + "".join(cellar) + TWO
    file = made(text).files["shop/till.yaml"]
    for said, of in (
        ("oven.bakery:8443", "first"),
        ("keg.cellar:9000", "keg.cellar"),
        ("jar.cellar:9001", "jar.cellar"),
    ):
        at = place(text, f"http://{said}" if of != "first" else "8443/first")
        assert f"# {said}, env URL in app.yaml:{at}\n" in file


def test_variables_that_containers_share_by_an_anchor_keep_their_line():
    shared = TWO.replace(
        '        env:\n        - {name: URL, value: "http://oven',
        '        env: &all\n        - {name: URL, value: "http://oven',
    )
    text = OVEN + shared.replace('        - {name: OTHER, value: "1"}\n', "").replace(
        '        env:\n        - {name: URL, value: "http://keg.cellar:9000"}\n', "        env: *all\n"
    )
    at = place(text, "8443/first")
    assert f"# oven.bakery:8443, env URL in app.yaml:{at}\n" in made(text).files["shop/till.yaml"]
