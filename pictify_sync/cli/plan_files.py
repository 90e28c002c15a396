"""Which path of a command line is a saved plan: told by what the file holds, whatever its name."""

from __future__ import annotations

import re
from pathlib import Path

_HEAD = 4_096  # bytes looked at
_PLAN = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"format"\s*:\s*"pictify-sync/plan"')
_DIGEST = re.compile(r"h\d+:[0-9a-zA-Z]*")
_MANIFEST = re.compile(rb'"(?:version|kind|template|rows)"\s*:')


def is_digest(text: str) -> bool:
    """Whether a text is the digest of a plan, right or wrong, and no file."""
    return _DIGEST.fullmatch(text) is not None


def holds_plan(path: str) -> bool:
    """Whether a file begins as a saved plan does."""
    try:
        with Path(path).open("rb") as content:
            return _PLAN.match(content.read(_HEAD)) is not None
    except OSError:
        return False


def is_plan(path: str) -> bool:
    """Whether a path is a saved plan. What is read but once, such as a pipe, can be nothing else."""
    file = Path(path)
    try:
        if not file.exists():
            return path.endswith(".json")
        if file.is_dir():
            return False
        if not file.is_file():
            return True
        with file.open("rb") as content:
            head = content.read(_HEAD)
    except OSError:
        return path.endswith(".json")
    return _PLAN.match(head) is not None or (path.endswith(".json") and _MANIFEST.search(head) is None)
