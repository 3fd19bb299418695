"""Between what Calico's selectors say of labels, and requirements: alternatives, of each of which all must hold.

Source: projectcalico.org/v3, the labels that Calico gives to what it knows; objects/calico_selectors.py for the language.
"""

from itertools import product

from orchestrator.policy.evaluate.calico.calico_world import GROUP
from orchestrator.policy.objects.calico_selectors import (
    ALL,
    Comparison,
    Either,
    Every,
    Expression,
    Not,
    parsed,
)
from orchestrator.policy.objects.selector import NAME_LABEL, Requirement, satisfied
from orchestrator.policy.translate.statements import Pods, Wanted

IS_POD = f"{GROUP}/orchestrator == 'k8s'"  # sets of addresses have labels, too
_OF_SPACE = "pcns."
_MOST_WAYS = 100
_OPPOSITE = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}
_OPERATORS = {"==": "In", "in": "In", "!=": "NotIn", "not in": "NotIn", "has": "Exists"}


class Unsayable(Exception):
    """Why requirements cannot say what a selector says."""


def ways(text: str, holds: bool = True) -> list[Wanted]:
    """The alternatives of a selector, or of what it does not match; none where nothing can. Raises Unsayable."""
    return _ways(parsed(text), holds)


def _ways(expression: Expression, holds: bool) -> list[Wanted]:
    if isinstance(expression, Not):
        return _ways(expression.other, not holds)
    if isinstance(expression, Comparison):
        if expression.operator not in _OPERATORS:
            raise Unsayable(f'"{expression.operator}" compares a part of a label\'s value')
        operator = _OPERATORS[expression.operator]
        if operator in ("In", "NotIn") and not expression.values:
            nothing = (operator == "In") is holds
            return [] if nothing else [()]
        return [((expression.key, operator if holds else _OPPOSITE[operator], expression.values),)]
    if isinstance(expression, Every | Either):
        found = [_ways(part, holds) for part in expression.parts]
        if isinstance(expression, Every) is holds:
            combined = [tuple(w for part in one for w in part) for one in product(*found)]
        else:
            combined = [one for part in found for one in part]
        if len(combined) > _MOST_WAYS:
            raise Unsayable(f"it comes to more than {_MOST_WAYS} alternatives")
        return combined
    if expression == ALL:
        return [()] if holds else []
    raise Unsayable("global() means what is in no namespace")


def pods(wanted: Wanted, spaces: Wanted | None) -> Pods | None:
    """One alternative with what Calico itself says of a pod taken apart; None where it means no pod. Raises Unsayable."""
    own: list[Requirement] = []
    of_space: list[Requirement] = []
    for key, operator, values in wanted:
        if key == f"{GROUP}/orchestrator":
            if not satisfied([(key, operator, values)], {key: "k8s"}):
                return None
        elif key == f"{GROUP}/namespace":
            of_space.append((NAME_LABEL, operator, values))
        elif key.startswith(_OF_SPACE):
            of_space.append(_space((key.removeprefix(_OF_SPACE), operator, values)))
        elif key == f"{GROUP}/serviceaccount" or key.startswith("pcsa."):
            raise Unsayable(f"{key} is of a service account, not a label of pods")
        else:
            own.append((key, operator, values))
    if of_space:
        return Pods(tuple(own), (*(spaces or ()), *of_space))
    return Pods(tuple(own), spaces)


def of_space(wanted: Wanted) -> Wanted:
    """The labels of a namespace that one alternative of a namespaceSelector asks for."""
    return tuple(_space(one) for one in wanted)


def _space(wanted: Requirement) -> Requirement:
    key, operator, values = wanted
    return (NAME_LABEL if key == f"{GROUP}/name" else key), operator, values


def text_of_pods(wanted: Wanted, meets_sets: bool) -> str:
    """A selector; `meets_sets` says that it stands where sets of addresses could match it, and must not."""
    terms = [_term(*one) for one in wanted]
    positive = any(operator in ("In", "Exists") for _, operator, _ in wanted)
    return " && ".join([*([IS_POD] if meets_sets and not positive else []), *terms]) or "all()"


def text_of_spaces(wanted: Wanted) -> str:
    """A namespaceSelector."""
    terms = [_term(f"{GROUP}/name" if key == NAME_LABEL else key, op, values) for key, op, values in wanted]
    return " && ".join(terms) or "all()"


def _term(key: str, operator: str, values: frozenset[str]) -> str:
    listed = [f"'{value}'" for value in sorted(values)]
    if operator in ("Exists", "DoesNotExist"):
        return f"{'!' if operator == 'DoesNotExist' else ''}has({key})"
    if len(listed) == 1:
        return f"{key} {'==' if operator == 'In' else '!='} {listed[0]}"
    return f"{key} {'in' if operator == 'In' else 'not in'} {{{', '.join(listed)}}}"
