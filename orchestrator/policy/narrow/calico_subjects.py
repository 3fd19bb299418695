"""Narrowing Calico's policies, whose selectors say what a scope is and what it is not. Source: projectcalico.org/v3, `selector`.

Namespaces are named by the label of workload endpoints: a namespaceSelector would drop host endpoints. What else a policy
selects by, namespaces and service accounts, stays as it is.
"""

from typing import Any

from orchestrator.policy.evaluate.calico.calico_world import GROUP
from orchestrator.policy.files.manifest import space_of
from orchestrator.policy.narrow.scoped_pods import STAGED_DELETION, Scope, Unnarrowable, inside, within
from orchestrator.policy.objects.calico_selectors import (
    ALL,
    Comparison,
    Either,
    Every,
    Expression,
    Not,
    SelectorError,
    parsed,
)
from orchestrator.policy.objects.selector import Requirement, merged, opposite

Manifest = dict[str, Any]
_SPACE = f"{GROUP}/namespace"
_OPERATORS = {"==": "In", "in": "In", "!=": "NotIn", "not in": "NotIn", "has": "Exists"}
_OF_PODS = (_SPACE, f"{GROUP}/orchestrator", f"{GROUP}/serviceaccount")


def halves(obj: Manifest, scope: Scope) -> tuple[list[Manifest], list[Manifest]]:
    """A policy for the pods of a scope, and for all else; itself where one of both has all. Raises Unnarrowable."""
    spec = obj.get("spec") or {}
    if spec.get("doNotTrack") or spec.get("preDNAT"):
        raise Unnarrowable("it is for host endpoints alone, which are in no scope of pods")
    if spec.get("stagedAction") == "Delete":
        raise Unnarrowable(STAGED_DELETION)
    own = _expression(spec)
    wanted = _wanted(obj, scope)
    mine = _required(own)
    both = None if wanted is None or mine is None else merged([*mine, *wanted])
    if wanted is None or (mine is not None and both is None):
        return [], [obj]
    if not wanted or (mine is not None and both == merged(mine)):
        return [obj], []
    terms = [_said(part) for part in wanted]
    others = _said(opposite(wanted[0])) if len(wanted) == 1 else f"!({' && '.join(terms)})"
    return [_selecting(obj, own, *terms)], [_selecting(obj, own, others)]


def meant_beside(obj: Manifest) -> str:
    """What a policy selects beside pods, in words; empty for nothing."""
    spec = obj.get("spec") or {}
    if not obj["kind"].endswith("GlobalNetworkPolicy"):
        return ""
    if spec.get("namespaceSelector") or spec.get("serviceAccountSelector"):
        return ""
    try:
        own = _required(_expression(spec)) or []
    except Unnarrowable:  # whoever can read it finds them in it, or does not
        return "host endpoints"
    of_pods = any(key in _OF_PODS and operator in ("In", "Exists") for key, operator, _ in own)
    return "" if of_pods else "host endpoints"


def _wanted(obj: Manifest, scope: Scope) -> list[Requirement] | None:
    """What a scope asks of the endpoints that a policy selects; None where none of them is in it."""
    if obj["kind"].endswith("GlobalNetworkPolicy"):
        for cell in inside(scope, bool(meant_beside(obj))):
            return [*((_SPACE, operator, names) for _, operator, names in cell.spaces), *cell.labels]
        return None
    return next((list(labels) for labels in within(inside(scope), space_of(obj))), None)


def _expression(spec: Manifest) -> Expression:
    try:
        return parsed(spec.get("selector") or "")
    except SelectorError as error:
        raise Unnarrowable(f"its selector cannot be read: {error}") from None


def _required(expression: Expression) -> list[Requirement] | None:
    """The requirements that an expression is; None where it is no conjunction of such."""
    if expression == ALL:
        return []
    if isinstance(expression, Comparison) and expression.operator in _OPERATORS:
        return [(expression.key, _OPERATORS[expression.operator], expression.values)]
    if isinstance(expression, Not):
        negated = _required(expression.other)
        return [opposite(negated[0])] if negated and len(negated) == 1 else None
    if isinstance(expression, Every):
        found = [_required(part) for part in expression.parts]
        return None if None in found else [one for parts in found for one in parts or ()]
    return None


def _said(part: Requirement) -> str:
    """A requirement in Calico's words."""
    key, operator, values = part
    if operator in ("Exists", "DoesNotExist"):
        return f"{'' if operator == 'Exists' else '!'}has({key})"
    quoted = [f"'{value}'" for value in sorted(values)]
    if len(quoted) == 1:
        return f"{key} {'==' if operator == 'In' else '!='} {quoted[0]}"
    return f"{key} {'in' if operator == 'In' else 'not in'} {{{', '.join(quoted)}}}"


def _selecting(obj: Manifest, own: Expression, *terms: str) -> Manifest:
    """A policy of those alone that its selector and all further terms mean."""
    text = str(obj["spec"].get("selector") or "").strip()
    text = f"({text})" if isinstance(own, Either) else text
    joined = " && ".join([*([text] if own != ALL else []), *terms])
    return {**obj, "spec": {**obj["spec"], "selector": joined}}
