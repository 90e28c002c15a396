"""A command in this process, and what it said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from pictify_sync.report.json.documents import DOCUMENTS

ROWS = "id,title,colour\na,A,#123456\nb,B,#654321\n"


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    talk: str


Run = Callable[..., Said]


def edit(folder: Path, old: str, new: str) -> None:
    """Change the rows."""
    rows = folder / "manifests/rows.csv"
    text = rows.read_text()
    assert old in text
    rows.write_text(text.replace(old, new))


def document(kind: str, text: str) -> dict[str, object]:
    """Check a JSON document against its class."""
    found: dict[str, object] = json.loads(text)
    assert (found.pop("format"), found.pop("format_version")) == (f"pictify-sync/{kind}", 1)
    TypeAdapter(DOCUMENTS[kind]).validate_python(found)
    return found
