"""What is installed is what was locked: packages by hash, base images by digest."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_every_package_of_the_lock_file_has_hashes():
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    fetched = [p for p in locked if "registry" in p["source"]]
    assert len(fetched) > 20
    for package in fetched:
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files and all(f["hash"].startswith("sha256:") for f in files), package["name"]


def test_base_images_are_pinned_by_digest():
    bases = re.findall(r"^ARG \w+=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert bases and all(re.search(r"@sha256:[0-9a-f]{64}$", base) for base in bases)
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${KUBECTL}", "${BASE}", "${BASE}"]


def test_the_image_takes_its_packages_from_the_lock_file():
    assert re.findall(r"^RUN uv sync (\S+)", DOCKERFILE, re.MULTILINE) == ["--frozen", "--frozen"]
