"""The forms that `get -o` knows: tables, names, data, and kubectl's templates."""

import sys
from collections.abc import Sequence
from typing import Any

from orchestrator.cli.objects.object_tables import custom, of_kind
from orchestrator.cli.objects.path_templates import PathTemplate
from orchestrator.cli.printing import Sheet, formatted, printed
from orchestrator.errors import BadInput
from orchestrator.ports import Manifest
from orchestrator.rollout.resources.kinds import KINDS

EXAMPLES = {
    "jsonpath": "write -o jsonpath='{.items[*].metadata.name}'",
    "custom-columns": "write -o custom-columns=NAME:.metadata.name,PHASE:.status.phase",
}


class Shown:
    """Prints objects in the form that was asked for. Raises BadInput where that is none."""

    def __init__(self, kind: str, output: str, heads: bool, everywhere: bool) -> None:
        self._kind, self._heads = kind, heads
        self._form, given, value = output.partition("=")
        templates = ("jsonpath", "custom-columns")
        if self._form in templates and not value:
            raise BadInput(f"-o {self._form} has nothing to show", hint=EXAMPLES[self._form])
        if given and self._form not in templates:
            raise BadInput(f"-o {self._form} takes nothing behind =", hint=f"write -o {self._form}")
        formatted(self._form, "wide", "name", *templates)
        self._template = PathTemplate(value) if self._form == "jsonpath" else None
        wide = self._form == "wide"
        own = self._form == "custom-columns"
        self._columns = custom(value) if own else of_kind(kind, wide, everywhere)
        self._sheet: Sheet | None = None

    @property
    def tabular(self) -> bool:
        return self._form in ("", "wide", "custom-columns")

    def all(self, found: Sequence[Manifest], single: bool) -> None:
        """The whole answer; `single` is for one that was asked for by its name, which stands in no list."""
        if self.tabular:
            self._sheet = Sheet(self._columns.head, [self._columns.row(obj) for obj in found])
            self._sheet.all(self._heads)
        elif self._form == "name":
            for obj in found:
                self._name(obj)
        else:
            plain = [_plain(obj) for obj in found]
            self._data(plain[0] if single else {"apiVersion": "v1", "kind": "List", "items": plain})

    def each(self, found: Sequence[Manifest]) -> None:
        """What stands before changes are followed: a table as one, anything else object by object."""
        if self.tabular and found:
            self.all(found, False)
        else:
            for obj in found:
                self.one(obj)
        sys.stdout.flush()

    def one(self, obj: Manifest) -> None:
        """One more line, or one more object."""
        if self._form == "name":
            self._name(obj)
        elif not self.tabular:
            if self._form == "yaml":
                print("---")
            self._data(_plain(obj))
        else:
            row = self._columns.row(obj)
            if self._sheet is None:
                self._sheet = Sheet(self._columns.head, [row])
                if self._heads:
                    self._sheet.row(self._columns.head)
            self._sheet.row(row)
        sys.stdout.flush()

    def _name(self, obj: Manifest) -> None:
        print(f"{KINDS[self._kind].resource}/{obj['metadata']['name']}")

    def _data(self, data: Any) -> None:
        if self._template is not None:
            print(self._template.filled(data), end="")
        else:
            printed(data, self._form)


def _plain(obj: Manifest) -> Manifest:
    """Without what nobody reads."""
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}
