"""What the faster parser reads is what the parser of all YAML reads, with the same lines; the rest it leaves to that one."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sampling import FULL

from orchestrator.errors import BadInput
from orchestrator.policy.files.manifest import Known, parse_all
from orchestrator.policy.files.plain_yaml import MOST_PARTS, MOST_VALUES, plain
from orchestrator.policy.files.yaml_text import by_events

KEYS = [
    "a",
    "b",
    "kind",
    "k8s:io/x",
    "a.b/c",
    "yes",
    "null",
    "On",
    "8080",
    "a b",
    "'a'",
    "-a",
    "a:",
    "true",
    "items",
]
VALUES = [
    *(
        "web",
        "a b",
        "a: b",
        "a #b",
        "a# b",
        "yes",
        "Off",
        "null",
        "~",
        "true",
        "True",
        "no way",
        "nginx:1.2",
        "a:",
        "a :b",
        "#x",
    ),
    *(
        "80",
        "-80",
        "0",
        "-0",
        "080",
        "0x1f",
        "0o17",
        "1_000",
        "1e3",
        "1.5",
        "1.",
        ".5",
        "12345678901234567",
        "+5",
        "-",
        "--",
        "1:30",
    ),
    *(
        "10.0.0.0/8",
        "10.0.0.1",
        "1.2.3",
        "100m",
        "1Gi",
        "1s",
        "2001:db8::/32",
        "::1",
        "2026-01-01",
        "<<",
        "=",
        "NaN",
        ".inf",
    ),
    *(
        "'x'",
        "'it''s'",
        '"x"',
        '"a\\n"',
        '"a: b"',
        "'# no'",
        "{}",
        "[]",
        "{a: b}",
        "[a, b]",
        "[a,b]",
        "[yes]",
        '["80", a]',
        "[a, ]",
    ),
    *(
        "|",
        ">-",
        "&x a",
        "*x",
        "!!str 1",
        "@x",
        "`x`",
        "%x",
        "? a",
        "a\t",
        "é",
        "\x07",
        "a ",
        "app == 'web' && !has(x)",
        "a-b",
        "",
    ),
]
LINE = st.builds(
    lambda indent, dashes, key, value, end: f"{' ' * indent}{'- ' * dashes}{key}{value}{end}",
    st.integers(0, 6),
    st.sampled_from([0, 0, 0, 1, 1, 2]),
    st.sampled_from([*(f"{key}:" for key in KEYS), *["a: ", "b: ", "c: ", ""] * 6]),
    st.sampled_from(VALUES),
    st.sampled_from(["", "", "", " ", " # said", "#no"]),
)
TEXTS = st.lists(
    LINE | st.sampled_from(["---", "", "# said", "  # said", "...", "--- # x", "%YAML 1.1"]), max_size=9
)
MANIFEST = """# Kept by the platform team.
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: "shop"
spec:
  podSelector:
    matchLabels:
      app: web
      part: 'front end'
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - namespaceSelector: {}
      podSelector:
        matchExpressions:
          - key: tier
            operator: In
            values: ["a", b]
    - ipBlock:
        cidr: 10.0.0.0/8  # the office
        except:
        - 10.1.0.0/16
    ports:
    - port: 8080
      protocol: TCP
    - port: http

---
apiVersion: v1
kind: ConfigMap
metadata: {name: x}
data:
  enabled: "true"
"""


def outcome(text):
    try:
        return [(found.value, found.line) for found in by_events(text, "x.yaml") if found.value is not None]
    except BadInput as error:
        return str(error)


def same(text, known=None):
    found = plain(text.encode(), {} if known is None else known)
    return found is None or repr(list(found)) == repr(outcome(text.encode()))


@settings(max_examples=20_000 if FULL else 600, deadline=None)
@given(lines=TEXTS, end=st.sampled_from(["\n", "", "\n\n"]))
def test_lines_of_all_kinds_are_read_alike(lines, end):
    assert same("\n".join(lines) + end)


@pytest.mark.parametrize("seed", range(20_000 if FULL else 400))
def test_a_manifest_with_slips_is_read_alike(seed):
    chance, text = random.Random(seed), MANIFEST
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(text))
        text = (
            text[:at]
            + chance.choice([*" -:#'\"{}[],\n&*!%|>\tax0", "\n  ", ""])
            + text[at + chance.randrange(3) :]
        )
    assert same(text)


@settings(max_examples=4_000 if FULL else 200, deadline=None)
@given(files=st.lists(TEXTS, min_size=2, max_size=5))
def test_files_that_know_the_fields_of_those_before_are_read_alike(files):
    known = {}
    assert all(same("\n".join(lines), known) for lines in files)


@pytest.mark.parametrize("seed", range(4_000 if FULL else 100))
def test_slips_beside_manifests_that_know_each_other_are_read_alike(seed):
    chance, known, lines = random.Random(seed), {}, MANIFEST.replace("{name: x}", "\n  name: x").splitlines()
    for _ in range(5):
        cut = [line for line in lines if chance.random() > 0.1]
        at = chance.randrange(len(cut))
        assert same(
            "\n".join([*cut[at:], *chance.choice([["---"], ["--- # x", "", "# y"], []]), *cut]), known
        )


def test_objects_share_the_fields_that_they_have_in_the_same_words_and_no_others():
    one = "kind: A\nspec:\n  a:\n  - b\n---\nkind: B\nspec:\n  a:\n  - b\n"
    known = {}
    (first, _), (second, _) = plain(one.encode(), known)
    ((third, _),) = plain(b"# said\nspec:\n  a:\n  - b", known)
    ((other, _),) = plain(b"spec:\n  a:\n  - c\n", known)
    assert first["spec"] is second["spec"] is third["spec"]
    assert other == {"spec": {"a": ["c"]}} and first == {"kind": "A", "spec": {"a": ["b"]}}


def test_a_field_that_stands_twice_is_left_to_the_other_one_though_it_is_known():
    known = {}
    assert plain(b"a: 1\nb: 2\n", known) and plain(b"a: 1\nb: 2\na: 1\n", known) is None


def test_a_usual_manifest_is_read_by_the_faster_one():
    text = MANIFEST.replace("{name: x}", "\n  name: x").encode()
    assert [line for _, line in plain(text, {})] == [3, 32]
    assert repr(list(plain(text, {}))) == repr(outcome(text))


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: 2\na: 3\n",
        "a:\n  b: x\n  c: y\n  b: z\n",
        "a: &x b\nc: *x\n",
        "- " * 60 + "a\n",
        "".join(f"{' ' * n}a:\n" for n in range(40)),
        "a: b\n" * (MOST_VALUES // 6),
        "---\n" * (MOST_PARTS + 1),
        "a: [" + "a, " * (MOST_VALUES + 1) + "a]\n",
        "kind: List\nitems:\n- a: b\n",
        "  kind: List\n  items:\n  - a: b\n",
        "a:\n" + "  - - - a: [b, c]\n" * 15_000,
        f'a: "{"b" * (5 << 20)}"\n',
    ],
)
def test_what_may_be_hostile_or_needs_more_than_values_is_left_to_the_other_one(text):
    assert plain(text.encode(), {}) is None


class Below(dict):
    """Files that people know by what stands before their paths."""

    def __init__(self, below, **files):
        super().__init__(files)
        self.below = below


def test_a_file_that_two_states_share_is_cited_at_the_one_that_asks():
    known, text = Known(), MANIFEST.replace("{name: x}", "\n  name: x").encode()
    first, last = (parse_all(Below(at, web=text, empty=b"---\n"), known) for at in ("old/", "new/"))
    assert [d.where for d in first] == ["old/web:3", "old/web:32"]
    assert [d.where for d in last] == ["new/web:3", "new/web:32"]
    assert all(one.obj is other.obj for one, other in zip(first, last, strict=True))
