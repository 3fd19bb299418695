"""The generated pages of docs/reference: commands, resources, metrics, each read off what it describes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

NOTE = "This page is generated (`make reference`)."
HEADS = {
    "cli.md": "# Commands",
    "resources.md": "# Resources",
    "metrics.md": "# Metrics",
}
COMMON = {"--help"}


def pages() -> dict[str, str]:
    """Each page's text by its file's name."""
    made = {"cli.md": _commands(), "resources.md": _resources(), "metrics.md": _metrics()}
    return {name: "\n".join([HEADS[name], "", NOTE, *lines]) + "\n" for name, lines in made.items()}


def _commands() -> Iterator[str]:
    import typer

    from orchestrator.cli.main import app, load

    load()
    root: Any = typer.main.get_command(app)
    yield f"\n{root.epilog}\n"
    for name, command in _walk(root, "netpol-canary"):
        yield f"\n## {name}\n\n{_text(command.help)}\n"
        if command.epilog:
            yield f"```sh\n{command.epilog.removeprefix('Example: ')}\n```\n"
        rows = [row for p in command.params if (row := _parameter(p))]
        if rows:
            yield "| | default | |\n|---|---|---|"
            yield from rows


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, groups' own included below them."""
    subs = getattr(command, "commands", {})
    if not subs:
        yield name, command
    for sub in sorted(subs):
        yield from _walk(subs[sub], f"{name} {sub}")


def _parameter(found: Any) -> str:
    if set(found.opts) & COMMON or getattr(found, "hidden", False):
        return ""
    names = [*found.opts, *found.secondary_opts]
    shown = (
        ", ".join(f"`{n}`" for n in names)
        if found.param_type_name == "option"
        else f"`{(found.metavar or found.name.upper())}`"
    )
    default = getattr(found, "show_default", None)
    value = default if isinstance(default, str) else found.default
    if found.required:
        told = "required"
    elif value in (None, "", False, ()) or callable(value):
        told = ""
    else:
        told = f"`{value}`"
    variable = f" (variable `{found.envvar}`)" if getattr(found, "envvar", None) else ""
    return f"| {shown} | {told} | {_text(getattr(found, 'help', '') or '')}{variable} |"


def _resources() -> Iterator[str]:
    from orchestrator.rollout.crd import NAMES
    from orchestrator.rollout.model import API_VERSION
    from orchestrator.rollout.resource import MODELS

    yield f"\nAll are `{API_VERSION}`, in the namespace `netpol-canary`. Specs of rollouts, analyses and approvals are frozen.\n"
    told: set[type] = set()
    for kind, (spec, status) in MODELS.items():
        names = NAMES[kind]
        yield f"\n## {kind}\n\n`kubectl get {names.plural}`, short `{names.short}`.\n"
        for title, model in (("spec", spec), ("status", status)):
            yield f"\n### {kind}.{title}\n"
            yield from _model(model)
            told.add(model)
    yield "\n## Parts\n"
    for model in _parts(told):
        yield f"\n### {model.__name__}\n"
        yield from _model(model)


def _model(model: Any) -> Iterator[str]:
    yield _text(model.__doc__ or "") + "\n"
    if not model.model_fields:
        return
    yield "| field | type | default |\n|---|---|---|"
    schema = model.model_json_schema(by_alias=True)
    for name, field in model.model_fields.items():
        alias = field.alias or name
        shape = schema["properties"][alias]
        default = (
            "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        )
        yield f"| `{alias}` | {_type(shape)} | {default} |"


def _default(value: Any) -> str:
    from pydantic import BaseModel

    if isinstance(value, BaseModel) or value in (None, "", [], {}):
        return ""
    if isinstance(value, list):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(shape: Any) -> str:
    """For people: choices, bounds, and the part that a field holds, as a link."""
    if "$ref" in shape:
        part = shape["$ref"].rpartition("/")[2]
        return f"[{part}](#{part.lower()})"
    if "anyOf" in shape:
        return " or ".join(_type(s) for s in shape["anyOf"] if s.get("type") != "null")
    if "allOf" in shape:
        return " and ".join(_type(s) for s in shape["allOf"])
    if "enum" in shape or "const" in shape:
        choices = shape.get("enum", [shape.get("const")])
        return ", ".join(f"`{c}`" if c != "" else "empty" for c in choices)
    if shape.get("type") == "array":
        most = f", {shape['maxItems']} at most" if "maxItems" in shape else ""
        return f"list of {_type(shape.get('items', {}))}{most}"
    words = [shape.get("format", "") or shape.get("type", "object")]
    least, most = (
        shape.get("minimum", shape.get("exclusiveMinimum")),
        shape.get("maximum", shape.get("exclusiveMaximum")),
    )
    if least is not None and most is not None:
        words.append(f"{least:g} to {most:g}")
    elif "maxLength" in shape:
        words.append(f"{shape['maxLength']} characters at most")
    return ", ".join(words)


def _parts(told: set[type]) -> Iterable[Any]:
    """The models that others hold, by name."""
    from typing import get_args

    from pydantic import BaseModel

    found: dict[str, type[BaseModel]] = {}

    def look(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if annotation not in told and annotation.__name__ not in found:
                found[annotation.__name__] = annotation
                visit(annotation)
            return
        for inner in get_args(annotation):
            look(inner)

    def visit(model: Any) -> None:
        for field in model.model_fields.values():
            look(field.annotation)

    for model in list(told):
        visit(model)
    return [found[name] for name in sorted(found)]


def _metrics() -> Iterator[str]:
    from orchestrator.engine.guard_instruments import GuardInstruments
    from orchestrator.engine.instruments import Instruments

    for title, registry in (
        ("`netpol-canary serve` and `controller`", Instruments().registry),
        ("`netpol-canary guard`", GuardInstruments().registry),
    ):
        yield f"\n## {title}\n\nServed at `/metrics`.\n\n| metric | type | labels | |\n|---|---|---|---|"
        for collector in registry._collector_to_names:
            family = next(iter(collector.collect()))
            labels = ", ".join(f"`{n}`" for n in getattr(collector, "_labelnames", ()))
            name = family.name + ("_total" if family.type == "counter" else "")
            yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"


def _text(text: str) -> str:
    """One paragraph that a table's cell can hold."""
    return " ".join((text or "").split()).replace("|", "\\|")
