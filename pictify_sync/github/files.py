"""The files that a step writes for its runner: outputs and the job summary. Values may be anybody's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import token_hex

from pictify_sync.errors import UsageError

MAX_SUMMARY = 1 << 20  # bytes of a step's summary; GitHub drops a longer one whole

Value = str | int | bool


def append_outputs(file: Path, values: Mapping[str, Value]) -> None:
    """Add outputs of the step. Raises UsageError for a text that the file cannot hold."""
    _append(file, "".join(_pairs(values)))


def append_summary(file: Path, markdown: str) -> bool:
    """Add to the job summary; False and nothing written when it would be longer than GitHub takes."""
    text = markdown if markdown.endswith("\n") else markdown + "\n"
    there = file.stat().st_size if file.exists() else 0
    if there + len(text.encode()) > MAX_SUMMARY:
        return False
    _append(file, text)
    return True


def _pairs(values: Mapping[str, Value]) -> Iterator[str]:
    """Every value between two lines of a random word, so that none can end itself and begin another."""
    for name, value in values.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        word = f"end_{token_hex(16)}"
        yield f"{name}<<{word}\n{text}\n{word}\n"


def _append(file: Path, text: str) -> None:
    try:
        with file.open("a", encoding="utf-8", newline="") as out:
            out.write(text)
    except UnicodeEncodeError:
        raise UsageError("a value for GitHub cannot be written as UTF-8") from None
