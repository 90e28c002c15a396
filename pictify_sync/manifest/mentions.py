"""Where a page or a stylesheet names a file: for messages only. The reading of references is the inspector's."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from html import escape
from urllib.parse import quote


def find_reference(name: str, texts: Mapping[str, str]) -> tuple[str, int, int] | None:
    """Return (file, line, column) of the first text that names a file; None where none is seen to.

    `name` and the names of `texts` are relative to the same folder; the page comes first, then its stylesheets.
    """
    for file, text in texts.items():
        relative = posixpath.relpath(name, posixpath.dirname(file) or ".")
        found = [hit.start() for form in _forms(name, relative) if (hit := re.search(form, text))]
        if found:
            before = text[: min(found)]
            return file, before.count("\n") + 1, len(before) - before.rfind("\n")
    return None


def _forms(*names: str) -> Iterator[str]:
    """Return patterns of how a name may be written: plain, for html, for an address; with `./` before it."""
    for name in dict.fromkeys(names):
        for form in dict.fromkeys((name, escape(name), quote(name))):
            yield rf"(?<![\w./-])(?:\./)?{re.escape(form)}(?![\w-])"
