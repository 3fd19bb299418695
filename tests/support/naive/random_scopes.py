"""Random scopes, and old and new policies of one place beside others: what property tests of narrowing draw from."""

from hypothesis import strategies as st

from orchestrator.policy.narrow.scopes import Scope

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
