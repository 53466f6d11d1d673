"""Generated files: what the scripts that write them share. Importing it makes this checkout's pyczmq the one in use."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def outdated(wanted: dict[Path, str]) -> dict[Path, str]:
    """Return the files that are not as they should be, with the text that they should have."""
    return {path: text for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text}


def main(description: str | None, wanted: dict[Path, str]) -> int:
    """Write the files that are not as they should be; with --check, name them and return 1."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is out of date")
    check = parser.parse_args().check
    found = outdated(wanted)
    for path, text in found.items():
        print(f"{path.relative_to(ROOT)} is out of date" if check else f"wrote {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and found else 0
