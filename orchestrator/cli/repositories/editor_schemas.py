"""`schema`: JSON Schemas of what people write, for editors; config/schemas as it was installed."""

from pathlib import Path

from orchestrator.adapters.kube.bundle import root
from orchestrator.cli import new_files
from orchestrator.errors import BadInput
from orchestrator.policy.files.nearest import did_you_mean


def show(kind: str, to: Path | None) -> int:
    """One schema on standard output, or all of them, or that one, as files. Raises BadInput."""
    texts = schemas()
    if kind and kind not in texts:
        raise BadInput(
            f"there is no schema {kind}", hint=did_you_mean(kind, texts, f"take one of {', '.join(texts)}")
        )
    if to is not None:
        chosen = {f"{name}.json": text for name, text in texts.items() if kind in ("", name)}
        new_files.write(to, chosen, "", force=True)  # a newer version's takes the place of an older one's
        print(f"{', '.join(chosen)} written to {to}")
    elif kind:
        print(texts[kind], end="")
    else:
        raise BadInput("which schema?", hint=f"take one of {', '.join(texts)}, or give --to DIR for all")
    return 0


def schemas() -> dict[str, str]:
    """The text of each, by its name."""
    return {path.stem: path.read_text() for path in sorted((root() / "schemas").glob("*.json"))}
