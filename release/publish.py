"""krew's manifest beside the archives of every platform, and a release's notes: `python -m release.publish TAG ADDRESS DIST`."""

import sys
from pathlib import Path

from release import krew, versions


def main(tag: str, address: str, dist: Path) -> None:
    """Raises SystemExit where an archive is missing, or the changelog says nothing."""
    archives = [dist / krew.archive_name(tag, place) for place in krew.PLATFORMS]
    missing = [a.name for a in archives if not a.is_file()]
    notes = versions.notes(tag.removeprefix("v"))
    if missing or not notes:
        sys.exit(f"missing: {', '.join(missing) or 'the notes of this version in CHANGELOG.md'}")
    krew.write(dist / "netpol-canary.yaml", tag, address, archives)
    Path("notes.md").write_text(notes + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
