"""What differs between two variable sets, value by value.

DeepDiff does the comparing and is loaded with the first difference to be shown. Values are prepared here for the eye:
a sensitive value never shows even its digest, and a local picture shows its path and the start of its digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pictify_sync.report.safe import safe

ABSENT = "(absent)"
WIDTH = 60  # characters shown of a long value, around the first difference
LEAD = 15  # of them before the first difference


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. All three are safe to show; ABSENT stands where there is none."""

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}: {self.old} -> {self.new}"


class _Stand(str):
    """Stands for a value that is not shown as it is. No escaped string can equal it, for it starts with a quote."""

    shown: str

    def __new__(cls, identity: str, shown: str) -> _Stand:
        stand = super().__new__(cls, '"' + identity)
        stand.shown = shown
        return stand


def differences(old: str, new: str, *, width: int = WIDTH) -> list[Difference]:
    """Compare two canonical JSON texts; sorted by path. Long values are cut to some `width` characters."""
    from deepdiff import DeepDiff  # noqa: PLC0415 - 0.1 s and 17 MB that most plans never need
    from deepdiff.helper import notpresent  # noqa: PLC0415 - as above

    def shown(value: Any, start: int) -> str:
        return ABSENT if value is notpresent else _shown(value, start, width)

    tree = DeepDiff(_prepared(json.loads(old)), _prepared(json.loads(new)), view="tree", threshold_to_diff_deeper=0)
    found = []
    for levels in tree.values():
        for level in levels:
            start = _parting(level.t1, level.t2, width)
            path = _path(level.path(output_format="list"))
            old_shown, new_shown = shown(level.t1, start), shown(level.t2, start)
            found.append(Difference(path, old_shown, "(another value)" if old_shown == new_shown else new_shown))
    return sorted(found, key=lambda difference: difference.path)


def changed_names(old: str, new: str) -> list[str]:
    """Name the top-level variables that differ: what is said when there is too much to compare in depth."""
    before, after = (
        {name: json.dumps(value) for name, value in json.loads(one).items()}  # as texts: 1, 1.0 and true are equal
        for one in (old, new)
    )
    return sorted({safe(name) for name, _ in before.items() ^ after.items()})


def shown_values(variables: str, *, width: int = WIDTH) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of a variable set, safe to show and cut to a line."""
    for name, value in json.loads(variables).items():
        yield safe(name), _shown(_prepared(value), 0, width)


def _prepared(value: Any) -> Any:
    """Escape strings (a newline would make DeepDiff compare line by line) and hide what is not to be shown."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)[1:-1]
        case list():
            return [_prepared(one) for one in value]
        case {"$sensitive": str(digest)} if len(value) == 1:
            return _Stand(digest, "(sensitive)")
        case {"$file": str(path), "sha256": str(digest)} if len(value) == 2:
            return _Stand(f"{path} {digest}", f"file {safe(path)} ({safe(digest[:8])})")
        case dict():
            return {name: _prepared(one) for name, one in value.items()}
        case _:
            return value


def _shown(value: Any, start: int, width: int = WIDTH) -> str:
    """Show a prepared value on one line; a long one is cut to `width` characters from `start` on."""
    match value:
        case _Stand():
            return value.shown
        case str():
            inner = value[start : start + width]
            before, after = "..." if start else "", "..." if start + width < len(value) else ""
            return f'{before}"{safe(inner)}"{after}'
        case dict() | list():
            text = _nested(value)
            return text if len(text) <= 2 * width else text[: 2 * width] + "..."
        case _:
            return json.dumps(value)


def _nested(value: Any) -> str:
    """Show lists and mappings as JSON."""
    match value:
        case dict():
            return "{" + ", ".join(f'"{safe(name)}": {_nested(one)}' for name, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_nested, value)) + "]"
        case _:
            return _shown(value, 0)


def _parting(old: Any, new: Any, width: int) -> int:
    """Where to start showing two long strings: a little before they part."""
    if not (isinstance(old, str) and isinstance(new, str)) or max(len(old), len(new)) <= width:
        return 0
    same = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return 0 if same <= width - LEAD else same - LEAD


def _path(steps: list[Any]) -> str:
    """Show `items[2].name`; a name that is no plain word stands in brackets and quotes."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier():
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return safe(text)
