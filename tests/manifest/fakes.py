"""A small working inspector: finds Handlebars names and relative files by regular expressions."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pictify_sync.core.model import ProviderFacts
from pictify_sync.errors import Problem
from pictify_sync.providers.pictify.options import PictureOptions

_NAME = re.compile(r"\{\{\{?[#^]?(?:if |unless |each )?\s*([A-Za-z_]\w*)")
_FILE = re.compile(r"""(?:src|href)="(?!data:|https?:|\{)([^"]+)"|url\((?!data:|https?:)['"]?([^'")]+)""")
_FAMILY = re.compile(r"font-family:\s*'([^']+)'")


@dataclass(frozen=True)
class Facts:
    """What the fake finds in html."""

    variables: Sequence[str]
    families: Sequence[str]
    files: Sequence[str]
    problems: Sequence[Problem] = ()


class FakeInspector:
    """Reads html by regular expressions; its one font draws ASCII, Latin-1 and what `draws` adds."""

    def __init__(self, draws: str = "") -> None:
        self._draws = draws

    def inspect(self, html: str) -> Facts:
        files = list(dict.fromkeys(a or b for a, b in _FILE.findall(html)))
        names = sorted(set(_NAME.findall(html)) - {"else", "this"})
        problems = (Problem("", 1, 1, "css that the engine lacks: float"),) if "float:" in html else ()
        return Facts(names, list(dict.fromkeys(_FAMILY.findall(html))), files, problems)

    def inline(self, html: str, read: Callable[[str], bytes | None]) -> str:
        for name in self.inspect(html).files:
            if (content := read(name)) is not None:
                html = html.replace(name, "data:;base64," + b64encode(content).decode())
        return html

    def missing_glyphs(self, text: str, families: Sequence[str]) -> str:
        return "".join(sorted({character for character in text if ord(character) > 255} - set(self._draws)))


def facts(name: str) -> ProviderFacts:
    """`local` is embedded; any other provider is an account."""
    is_local = name == "local"
    return ProviderFacts(embedded=is_local, billed=not is_local, templates_are_private=is_local)


OFFLINE: Mapping[str, Any] = {  # of a ReadContext
    "inspector": FakeInspector(),
    "provider": "local",
    "facts": facts,
    "options": lambda _: PictureOptions,
    "formats": lambda _: ("png", "jpeg", "webp"),
}
