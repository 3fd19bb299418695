"""Shapes that no policy should have and a repository can hold: a table of name and text, none of them good as it stands.

`policy` writes a NetworkPolicy in which one part is odd; what follows is by the part.
"""

import json

NET = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
TIERED = "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
TEST = "apiVersion: netpol-canary.dev/v1alpha1\nkind: PolicyTest\n"
GOOD = f"{NET}metadata: {{name: odd}}\nspec: {{podSelector: {{}}}}\n"


def spec(text):
    return f"{NET}metadata: {{name: odd}}\nspec: {text}\n"


def rule(text):
    return spec(f"{{podSelector: {{}}, ingress: [{text}]}}")


def port(text):
    return rule(f"{{ports: [{text}]}}")


def peer(text):
    return rule(f"{{from: [{text}]}}")


def selector(text):
    return spec(f"{{podSelector: {text}}}")


def metadata(text):
    return f"{NET}metadata: {text}\nspec: {{podSelector: {{}}}}\n"


def name(value):
    return metadata(json.dumps({"name": value}))


def head(version, kind):
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: odd}}\nspec: {{podSelector: {{}}}}\n"


def intents(text):
    return f"{TEST}metadata: {{name: odd}}\nspec: {text}\n"


def intent(text):
    return intents(f"{{expect: [{text}]}}")


def tiered(text):
    return f"{TIERED}metadata: {{name: odd}}\nspec: {text}\n"


def tier_rule(text):
    return tiered(f"{{tier: Admin, priority: 1, subject: {{namespaces: {{}}}}, ingress: [{text}]}}")


def nested(levels, opening="[", closing="]"):
    return opening * levels + closing * levels


def many(number, template):
    return "[" + ",".join(template.format(n) for n in range(number)) + "]"


TAGS = (
    "!!omap [a: b]",
    "!!set {a, b}",
    "!!binary aGVsbG8=",
    "!!timestamp x",
    "!!timestamp 2001-12-14t21:59:43.10-05:00",
    "!!pairs [a: b]",
    "!!python/object/apply:os.system [id]",
    "!!python/name:os.system ",
    "!!python/object/new:type [a, [], {}]",
    "!!python/tuple [a]",
    "!own {a: b}",
    "!!int x",
    "!!float y",
    "!!bool maybe",
    "!!null x",
    "!!str {a: b}",
    "!!map [a]",
    "!!seq {a: b}",
)
ANYTHING = ("null", "text", "7", "true", "[null]", "{}", "{odd: 1}")
NAMES = {
    "254 characters": "a" * 254,
    "5000 characters": "a" * 5000,
    "a NUL": "a\0b",
    "a newline": "a\nb",
    "a trailing newline": "a\n",
    "two dots": "..",
    "a path": "../../etc/passwd",
    "a slash": "a/b",
    "upper case": "Odd",
    "a space": "a b",
    "nothing": "",
    "an underscore": "a_b",
    "a dash in front": "-a",
    "a right-to-left mark": "a\u202eb",
    "an escape": "a\x1b[31mb",
    "another script": "политика",
    "half a character": "\ud800",
    "a percent sign": "a%0Ab",
    "a number": 7,
    "a list": ["a"],
    "a mapping": {"a": "b"},
    "a truth": True,
    "a float": 1.5,
}
PORTS = (
    "0xfffffffffffffffffffffff",
    "0x50",
    "0o17",
    "0120",
    "0b11",
    "-1",
    "0",
    "65536",
    "1.5",
    "80.0",
    "1e400",
    "1e3",
    ".nan",
    ".inf",
    "true",
    "null",
    "[80]",
    "{a: 1}",
    '""',
    '"80"',
    "a-very-long-name-of-a-port",
    "UPPER",
    "9" * 30,
    "9" * 5000,
    "1_000",
    "12:30:45",
)
SHAPES = {
    **{f"spec is {text}": spec(text) for text in ANYTHING},
    **{f"spec is {text[:40]}": spec(text) for text in TAGS},
    **{f"a label is {text[:40]}": metadata(f"{{name: odd, labels: {{a: {text}}}}}") for text in TAGS[:6]},
    **{f"the pod selector is {text}": selector(text) for text in ANYTHING if text != "{}"},
    **{f"the labels to match are {text}": selector(f"{{matchLabels: {text}}}") for text in ANYTHING},
    **{f"the expressions are {text}": selector(f"{{matchExpressions: {text}}}") for text in ANYTHING},
    **{f"an expression is {text}": selector(f"{{matchExpressions: [{text}]}}") for text in ANYTHING},
    **{f"ingress is {text}": spec(f"{{podSelector: {{}}, ingress: {text}}}") for text in ANYTHING},
    **{f"egress is {text}": spec(f"{{podSelector: {{}}, egress: {text}}}") for text in ANYTHING},
    **{f"the types are {text}": spec(f"{{podSelector: {{}}, policyTypes: {text}}}") for text in ANYTHING},
    **{f"from is {text}": rule(f"{{from: {text}}}") for text in ANYTHING},
    **{f"a peer is {text}": peer(text) for text in ANYTHING},
    **{f"an address block is {text}": peer(f"{{ipBlock: {text}}}") for text in ANYTHING},
    **{f"a block's cidr is {text}": peer(f"{{ipBlock: {{cidr: {text}}}}}") for text in ANYTHING},
    **{f"the ports are {text}": rule(f"{{ports: {text}}}") for text in ANYTHING},
    **{f"the protocol is {text}": port(f"{{protocol: {text}, port: 80}}") for text in (*ANYTHING, "ICMP", "tcp")},
    **{f"a port is {text[:30]}": port(f"{{port: {text}}}") for text in PORTS},
    **{f"the end of a range is {text[:30]}": port(f"{{port: 80, endPort: {text}}}") for text in (*PORTS, "79")},
    **{f"metadata is {text}": metadata(text) for text in ANYTHING},
    **{f"the labels are {text}": metadata(f"{{name: odd, labels: {text}}}") for text in ANYTHING},
    **{f"the annotations are {text}": metadata(f"{{name: odd, annotations: {text}}}") for text in ANYTHING},
    **{f"the namespace is {text}": metadata(f"{{name: odd, namespace: {text}}}") for text in ANYTHING},
    **{f"the name holds {what}": name(value) for what, value in NAMES.items()},
    **{f"the namespace holds {what}": metadata(json.dumps({"name": "odd", "namespace": v})) for what, v in NAMES.items()},
    **{f"a label holds {w}": metadata(json.dumps({"name": "odd", "labels": {"a": v}})) for w, v in NAMES.items()},
    **{f"a label is called {w}": metadata(json.dumps({"name": "odd", "labels": {str(v): "a"}})) for w, v in NAMES.items()},
    **{f"apiVersion is {text}": head(text, "NetworkPolicy") for text in (*ANYTHING, "v1", "a/b/c", "x" * 3000)},
    **{f"kind is {text}": head("networking.k8s.io/v1", text) for text in (*ANYTHING, "Role", "../x", "x" * 3000)},
    **{f"the document is {text}": text for text in ANYTHING},
    **{f"the document is {text[:40]}": text for text in TAGS},
    **{f"the items are {text}": f"apiVersion: v1\nkind: List\nitems: {text}\n" for text in ANYTHING},
    **{f"a PolicyTest's spec is {text}": intents(text) for text in ANYTHING},
    **{f"what a PolicyTest expects is {text}": intents(f"{{expect: {text}}}") for text in ANYTHING},
    **{f"an intent is {text}": intent(text) for text in ANYTHING},
    **{f"an intent's port is {t[:30]}": intent(f"{{from: a/b, to: c/d, port: {t}, allowed: true}}") for t in PORTS},
    **{f"a tiered spec is {text}": tiered(text) for text in ANYTHING},
    **{f"a tiered rule is {text}": tier_rule(text) for text in ANYTHING},
    **{f"a tiered peer is {text}": tier_rule(f"{{action: Accept, from: [{text}]}}") for text in ANYTHING},
    **{f"a tier's priority is {t[:30]}": tiered(f"{{tier: Admin, priority: {t}, subject: {{namespaces: {{}}}}}}") for t in PORTS},
    "5,000 expressions": selector(f"{{matchExpressions: {many(5000, '{{key: k{0}, operator: Exists}}')}}}"),
    "5,000 values": selector(f"{{matchExpressions: [{{key: a, operator: In, values: {many(5000, 'v{0}')}}}]}}"),
    "5,000 labels to match": selector("{matchLabels: {" + ",".join(f"k{n}: v" for n in range(5000)) + "}}"),
    "5,000 labels": metadata("{name: odd, labels: {" + ",".join(f"k{n}: v" for n in range(5000)) + "}}"),
    "300 peers": rule(f"{{from: {many(300, '{{podSelector: {{matchLabels: {{a: v{0}}}}}}}')}}}"),
    "5,000 ports": rule(f"{{ports: {many(5000, '{{port: {0}}}')}}}"),
    "5,000 rules": spec(f"{{podSelector: {{}}, ingress: {many(5000, '{{ports: [{{port: {0}}}]}}')}}}"),
    "5,000 exceptions": peer(f"{{ipBlock: {{cidr: 10.0.0.0/8, except: {many(5000, '10.{0}.0.0/16')}}}}}"),
    "5,000 intents": intent(",".join(f"{{from: a/b{n}, to: c/d, port: 1, allowed: true}}" for n in range(5000))),
    "30,000 ports": rule(f"{{ports: {many(30000, '{{}}')}}}"),
    "nested lists": spec(nested(5000)),
    "nested mappings": spec(nested(5000, "{a: ", "}")),
    "nested blocks": "".join("  " * n + "a:\n" for n in range(200)),
    "nested lists of the API": "apiVersion: v1\nkind: List\nitems: [" * 1 + "{kind: List, items: [" * 60 + "]}" * 60 + "]",
    "a List in a List": "kind: List\nitems: [{kind: List, items: [{kind: List, items: [null]}]}]\n",
    "a List of texts": "apiVersion: v1\nkind: List\nitems: [a, b]\n",
    "a NetworkPolicyList of nothing": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems: [{}]\n",
    "a List without items": "apiVersion: v1\nkind: List\n",
    "a huge annotation": metadata('{name: odd, annotations: {a: "' + "x" * 900_000 + '"}}'),
    "a huge text": spec('"' + "x" * 1_000_000 + '"'),
    "a file beyond the bound": "#" * 1_100_000,
    "a huge name of a label": selector('{matchLabels: {"' + "k" * 100_000 + '": v}}'),
    "a huge value of a label": selector('{matchLabels: {a: "' + "v" * 100_000 + '"}}'),
    "a huge key": "{? " + "k" * 900_000 + " : v}",
    "a key that is a list": "{? [a, b] : c}",
    "a key that is a mapping": "{? {a: b} : c}",
    "a key that is null": f"{GOOD}null: x\n",
    "a key that is a number": f"{GOOD}7: x\n",
    "a key twice": f"{GOOD}spec: {{podSelector: {{}}}}\n",
    "a key twice inside": spec("{podSelector: {}, podSelector: {}}"),
    "a merge": "a: &a {podSelector: {}}\n" + spec("{<<: *a}"),
    "a merge of nothing": spec("{<<: null, podSelector: {}}"),
    "a merge of a text": spec("{<<: text}"),
    "a merge of an unknown anchor": spec("{<<: *gone}"),
    "a merge of itself": spec("&a {<<: *a}"),
    "an anchor that holds itself": spec("&a {podSelector: {}, ingress: [*a]}"),
    "an anchor bomb": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
    "an empty file": "",
    "empty documents": "---\n---\n---\n",
    "six thousand documents": "--- {}\n" * 6000,
    "six thousand empty documents": "---\n" * 6000,
    "a comment": "# nothing\n",
    "text that is no YAML": "kind: [\n",
    "a tab": "kind:\n\t- x\n",
    "a directive of a later YAML": "%YAML 9.9\n---\n" + GOOD,
    "a tag that is defined": "%TAG ! tag:example.com,2000:\n---\n!x {}\n",
    "a second document that is wrong": f"{GOOD}---\nspec: [\n",
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "UTF-16 without a mark": GOOD.encode("utf-16-le"),
    "UTF-32": GOOD.encode("utf-32"),
    "Latin-1": GOOD.replace("odd", "\u00f6dd").encode("latin-1"),
    "bytes that are no text": bytes(range(256)),
    "a NUL": GOOD.encode() + b"\0",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "an end of a line of old Macs": GOOD.replace("\n", "\r").encode(),
    "a line of another script": GOOD.replace("odd", "odd\u2028x").encode(),
    "a pointer of Git LFS": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "no kind": "apiVersion: v1\nmetadata: {name: odd}\n",
    "no apiVersion": "kind: NetworkPolicy\nmetadata: {name: odd}\n",
    "no metadata": NET + "spec: {podSelector: {}}\n",
    "no name": NET + "metadata: {labels: {a: b}}\nspec: {podSelector: {}}\n",
    "no spec": NET + "metadata: {name: odd}\n",
    "a generated name": metadata("{generateName: odd-}"),
    "a status of odd shape": GOOD + "status: text\n",
    "an owner of odd shape": metadata("{name: odd, ownerReferences: text, finalizers: 7, managedFields: {a: b}}"),
    "a deletion of odd shape": metadata("{name: odd, deletionTimestamp: [1], uid: {}, resourceVersion: 1.5}"),
    "an unknown field": GOOD + "odd: true\n",
    "a cidr that is none": peer("{ipBlock: {cidr: 300.0.0.0/8}}"),
    "a cidr without a length": peer("{ipBlock: {cidr: 10.0.0.0}}"),
    "a cidr with a long length": peer("{ipBlock: {cidr: 10.0.0.0/99999999999999999999}}"),
    "a cidr with a zone": peer('{ipBlock: {cidr: "fe80::1%eth0/64"}}'),
    "a cidr of digits of another script": peer('{ipBlock: {cidr: "\u0661\u0660.0.0.0/8"}}'),
    "a cidr with zeros in front": peer("{ipBlock: {cidr: 010.0.0.0/8}}"),
    "an exception outside": peer("{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}"),
    "an exception of another family": peer('{ipBlock: {cidr: 10.0.0.0/8, except: ["::/0"]}}'),
    "a block beside a selector": peer("{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}"),
    "an operator that is none": selector("{matchExpressions: [{key: a, operator: Like, values: [b]}]}"),
    "an operator without values": selector("{matchExpressions: [{key: a, operator: In}]}"),
    "an operator with values too many": selector("{matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
    "values that are numbers": selector("{matchExpressions: [{key: a, operator: In, values: [1, null, [b]]}]}"),
    "a type that is none": spec("{podSelector: {}, policyTypes: [Sideways]}"),
    "a secret of odd shape": "apiVersion: v1\nkind: Secret\nmetadata: {name: odd}\ndata: [1]\n",
    "a custom resource definition": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: odd}\n",
    "one of our own kinds": "apiVersion: netpol-canary.dev/v1alpha1\nkind: PolicyRollout\nmetadata: {name: odd}\nspec: []\n",
    "a pod of odd shape": "apiVersion: v1\nkind: Pod\nmetadata: {name: odd}\nspec: {containers: [null, {ports: 7}]}\n",
    "a deployment of odd shape": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: odd}\nspec: {template: text}\n",
    "a service of odd shape": "apiVersion: v1\nkind: Service\nmetadata: {name: odd}\nspec: {selector: [a], ports: {b: c}}\n",
    "a namespace of odd shape": "apiVersion: v1\nkind: Namespace\nmetadata: {name: odd, labels: {a: null}}\n",
    "a tier that is none": tiered("{tier: 7, priority: 1, subject: {namespaces: {}}}"),
    "a subject of odd shape": tiered("{tier: Admin, priority: 1, subject: {pods: [a]}}"),
}  # fmt: skip


def written(text):
    """As a file holds it."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
