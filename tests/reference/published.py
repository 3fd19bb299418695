"""What mkdocs adds to the site: the schemas for editors, below schemas/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File


def on_files(files: Any, config: Any) -> Any:
    """They stand in config/, since the program has them with it."""
    for path in sorted((Path(config["config_file_path"]).parent / "config/schemas").glob("*.json")):
        files.append(File.generated(config, f"schemas/{path.name}", abs_src_path=str(path)))
    return files
