"""Where in a file something stands that an expression names: inside quotes, folds and blocks of YAML as well.

This module must not know what the expressions mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pictify_sync.yaml_reader import Document, Path, Spot

Token = tuple[int, str, str]  # offset in the text, kind in Jinja's words, the token as it stands there
Regions = Sequence[Sequence[Token]]  # one per expression, its braces at the start

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML counts as the end of a line
_CODES = {"x": 2, "u": 4, "U": 8}  # digits of an escape


def expressions_in(text: str, lexed: Iterable[tuple[int, str, str]]) -> Regions:
    """Group the tokens that Jinja finds in a text by expression. Blanks are left out."""
    regions: list[list[Token]] = []
    inside, at = False, 0
    for _, kind, token in lexed:
        found = text.find(token, at) if token.strip() else -1  # Jinja drops blanks around '{{-' and '-}}'
        if found < 0:
            continue
        at = found + len(token)
        if kind == "variable_begin":
            regions.append([])
        inside = kind == "variable_begin" or (inside and kind != "variable_end")
        if inside:
            regions[-1].append((found, kind, token))
    return regions


def pieces(text: str) -> Iterator[tuple[int, str]]:
    """Split a text before each opening brace pair; yield (offset, piece)."""
    starts = [found.start() for found in re.finditer(r"{{", text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield start, text[start:end]


def offset_of(regions: Regions, number: int, words: tuple[str, ...]) -> int:
    """Return where tokens stand next to each other in an expression, else where that begins."""
    if number >= len(regions):
        return -1
    region = regions[number]
    for first in range(1, len(region) - len(words) + 1):
        found = region[first : first + len(words)]
        if words and tuple(token.strip("'\"") for _, _, token in found) == words:
            return next((offset for offset, kind, _ in found if kind == "name"), found[0][0])
    return region[0][0]


def offset_of_column(regions: Regions, name: str) -> int:
    """Return where the first expression that uses a column names it, -1 when none does."""
    for region in regions:
        before = ["", "", *(token for _, _, token in region)]
        for number, (offset, kind, token) in enumerate(region):
            owner, sign = before[number], before[number + 1]
            is_name = kind == "name" and token == name and sign not in ("|", "is")
            is_part = kind == "string" and token[1:-1] == name and sign == "["
            if is_part or (is_name and (sign != "." or owner == "row")):
                return offset
    return -1


class Scalars:
    """Finds characters of the texts of a document in its file."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._starts = [0, *(found.end() for found in _BREAK.finditer(document.text))]

    def spot(self, path: Path, start: Spot, offset: int) -> Spot:
        """Return the line and column of a character of the text at a path; `start` is where the text starts."""
        value: object = self._document.value
        for part in path:
            try:
                value = value[part]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return start
        if not isinstance(value, str) or start[0] > len(self._starts):
            return start
        found = _position(self._document.text, self._starts[start[0] - 1] + start[1] - 1, value[: offset + 1])
        if found is None:
            return start
        line = next(n for n in range(start[0], len(self._starts) + 1) if self._ends(n) > found)
        return line, found - self._starts[line - 1] + 1

    def _ends(self, line: int) -> int:
        return self._starts[line] if line < len(self._starts) else len(self._document.text) + 1


def _position(source: str, start: int, wanted: str) -> int | None:
    """Follow a value through the way it is written; give the position of its last character.

    Blanks are passed over on both sides: folding makes others of them. None when the two do not agree.
    """
    style = source[start : start + 1]
    at = start + 1 if style in "'\"" else start
    if style in "|>":
        ending = _BREAK.search(source, start)
        at = ending.end() if ending else len(source)
    found: int | None = None
    for character in wanted:
        if character.isspace():
            continue
        written, length = _next(source, at, style)
        while written.isspace():
            at += length
            written, length = _next(source, at, style)
        if written != character:
            return None
        found, at = at, at + length
    return found


def _next(source: str, at: int, style: str) -> tuple[str, int]:
    """Return the next character of a value and how many it is written with."""
    pair = source[at : at + 2]
    if style == "'" and pair == "''":
        return "'", 2
    if style != '"' or not pair.startswith("\\"):
        return pair[:1], 1
    code = pair[1:]
    if code in _CODES:
        digits = source[at + 2 : at + 2 + _CODES[code]]
        return chr(int(digits, 16)), 2 + len(digits)
    return (" ", 2) if code in "nrtNLP_ \t\n\rfv" else (code, 2)
