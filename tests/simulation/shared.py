"""Reads of the simulated API server without copying what nobody changes: the specs and statuses of our own kinds."""

import marshal

from orchestrator.policy.objects.cloning import clone
from orchestrator.rollout.resources.resource import MODELS


class Shared:
    """Objects as they are given out. `changed` names what a reader changed in place all the same."""

    def __init__(self):
        self._texts = {}  # id to the object and its text, as it was first given out
        self._models = {kind: (Remembered(spec), status) for kind, (spec, status) in MODELS.items()}

    def models(self):
        """To stand where the product's are: a spec that was read once is not read again."""
        return self._models

    def given(self, obj):
        """A copy of an object that is never changed itself."""
        known = self._texts.get(id(obj))
        if known is None:
            known = self._texts[id(obj)] = obj, marshal.dumps(obj)
        if obj["kind"] in MODELS:
            return {**obj, "metadata": clone(obj["metadata"])}
        return marshal.loads(known[1])

    def changed(self):
        """Whose spec or status is not as it was."""
        found = [obj["metadata"]["name"] for obj, text in self._texts.values() if marshal.loads(text) != obj]
        return found + [name for spec, _ in self._models.values() for name in spec.changed()]


class Remembered:
    """A model whose values were validated before; one and the same value is given for one and the same manifest."""

    def __init__(self, model):
        self._model, self._known = model, {}

    def model_validate(self, value):
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = value, self._model.model_validate(value)
        return known[1]

    def changed(self):
        """The names of models that somebody wrote into."""
        return [self._model.__name__ for v, m in self._known.values() if m != self._model.model_validate(v)]
