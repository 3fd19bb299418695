"""Random scopes, and old and new policies of one place beside others: what property tests of narrowing draw from."""

from hypothesis import strategies as st
from random_calico import Made

from orchestrator.policy.narrow.scopes import Scope
from orchestrator.policy.objects.selector import NAME_LABEL

_NEAR = ("a", "a-b", "a.b", "ab", "a0", "a-c")
OF_ONE = ("BaselineAdminNetworkPolicy",)  # of what there can be one alone, none is narrowed


def scopes(spaces, selectors):
    """Of some namespaces, none or any, and of pods by up to two selectors together."""
    some = st.none() | st.frozensets(st.sampled_from([*spaces]))
    both = st.tuples(selectors, st.just({}) | selectors).map(_both)
    return st.builds(Scope, namespaces=some, selector=both)


def _both(pair):
    one, other = pair
    labels = {**other.get("matchLabels", {}), **one.get("matchLabels", {})}
    expressions = [*one.get("matchExpressions", []), *other.get("matchExpressions", [])]
    found = {"matchLabels": labels} if labels else {}
    return {**found, "matchExpressions": expressions} if expressions else found


@st.composite
def changes(draw, policies, spaces, selectors):
    """Policies of one place before and after, all others beside them, which stay as they are, and a scope."""
    old, new = draw(policies), draw(policies)
    place = draw(st.sampled_from(sorted({place_of(p) for p in [*old, *new]}) or [""]))

    def mine(found):
        return [p for p in found if place_of(p) == place and p["kind"] not in OF_ONE]

    before, after = mine(old), mine(new)
    return before, after, [p for p in old if p not in before], draw(scopes(spaces, selectors))


def place_of(policy):
    return policy["metadata"].get("namespace", "")


def calico_change(seed):
    """The fleet of a number, its policies of one place before and after, and all others."""
    made = Made(seed)
    named = {name: {**labels, NAME_LABEL: name} for name, labels in made.fleet.namespaces.items()}
    made.fleet.namespaces = named  # as the API server does
    if made.flat:  # names decide, and these stand next to one another
        for policy, name in zip(made.fleet.policies, _NEAR, strict=False):
            tier = policy["spec"].get("tier")
            policy["metadata"]["name"] = f"{tier}.{name}" if tier else name
    policies = [*made.fleet.policies, *made.fleet.kubernetes, *made.fleet.cluster]
    before = [p for p in policies if place_of(p) == place_of(made.fleet.policies[0]) and _narrowable(p)]
    after = [new for old in before for new in made.changed(old)]
    return made, before, after, [p for p in policies if p not in before]


def _narrowable(policy):
    spec = policy["spec"]
    return not spec.get("doNotTrack") and not spec.get("preDNAT")
