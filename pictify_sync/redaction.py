"""Sensitive values taken out of text that somebody else wrote: an engine, a provider, a service, the system.

Below everything that makes or records such text, the embedded server included: what counts as a trace of a value is one
rule. A value is found whole, in part (the password of an address, a path's last name, what was cut off after 80
characters), and as encodings write it. Must not know which values are sensitive, nor where the text goes.
"""

from __future__ import annotations

import html
import json
import re
import unicodedata
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "(sensitive)"
WITHHELD = "the details are not shown, since they may hold a sensitive value"

SHORT = 4  # a value below so many characters is not replaced: where it may stand, the whole text is withheld
RUN, LONG_RUN = 6, 12  # characters in common that count as a trace, of a short value and of a long one
LONG = 100  # characters of a value that is long
MOST = 16_384  # characters of a value that are looked for, half of them from its end
_OPENINGS = ("https://", "http://", "data:image/")  # what many values begin with tells nothing
_USER = re.compile(r"//([^/?#@:\s]*)(?::([^/?#@\s]*))?@")
_WORDS = re.compile(r"[^\W_]+")
_CSS = re.compile(r"([^\w\s-])")
# Parts of an address or a number that tell nothing.
_COMMON = frozenset(
    (
        "http",
        "https",
        "data",
        "image",
        "base64",
        "html",
        "file",
        "jpeg",
        "webp",
        "true",
        "false",
        "null",
        "none",
        "text",
    )
)


class Redactor:
    """Cleans texts of some values: texts, numbers, truth values, and lists and mappings of them."""

    __slots__ = ("_long", "_short", "_weak", "_whole", "_words", "known")

    def __init__(self, values: Iterable[object], *, known: bool = True) -> None:
        """`known`: False when there are values that nobody can tell any more, so that every text is withheld."""
        self.known = known
        self._weak: set[str] = set()  # too short to be replaced
        self._whole: set[str] = set()  # replaced wherever they stand
        self._words: set[str] = set()  # replaced where they are a word
        self._short: set[str] = set()  # forms, of which a run of RUN characters counts
        self._long: set[str] = set()  # ... and of LONG_RUN characters
        for text in _texts(values):
            self._add(text)

    def __bool__(self) -> bool:
        return not self.known or bool(self._weak or self._whole or self._words or self._short or self._long)

    def clean(self, text: str) -> str:
        """Give the text with every trace of a value replaced; all of it where a trace cannot be told from a word."""
        if not text or not self:
            return text
        low = _low(text)
        if not self.known:
            return WITHHELD
        marks = bytearray(len(low))
        for one in self._whole:
            _mark(marks, low, re.escape(one))
        for one in self._words:
            _mark(marks, low, rf"(?<![^\W_]){re.escape(one)}(?![^\W_])")
        _mark_runs(marks, low, self._short, RUN)
        _mark_runs(marks, low, self._long, LONG_RUN)
        clean = _replaced(text, marks)
        left = _low(clean)
        return WITHHELD if any(_stands(left, one) for one in self._weak) else clean

    def _add(self, text: str) -> None:
        cut = text if len(text) <= MOST else f"{text[: MOST // 2]}\0{text[-MOST // 2 :]}"
        bare = cut.strip()
        if len(bare) < SHORT or bare in ("true", "false"):
            if not bare.isascii() or _WORDS.search(bare):
                self._weak.add(_low(bare))
            return
        is_long = len(bare) > LONG
        forms = {_low(one) for one in _forms(bare)}
        self._whole |= {one for one in forms if len(one) < RUN}
        (self._long if is_long else self._short).update(one for one in forms if len(one) >= RUN)
        if not is_long or not any(map(str.isspace, bare)):
            plain = _low(unquote(bare))
            self._words |= {one for one in _WORDS.findall(plain) if len(one) >= SHORT} - _COMMON
            user = [part for found in _USER.findall(bare) for part in found]
            self._weak |= {_low(one) for one in user if 0 < len(one) < SHORT and _WORDS.search(one)}


def _texts(values: Iterable[object]) -> Iterator[str]:
    """Give every text inside the values, numbers as people write them."""
    left = list(values)
    while left:
        match left.pop():
            case str() as text:
                yield text
            case bool() as truth:
                yield str(truth).lower()
            case int() | float() as number:
                yield from _numerals(number)
            case list() | tuple() as some:
                left.extend(some)
            case dict() as pairs:
                left.extend(pairs)
                left.extend(pairs.values())
            case _:  # nothing that has a text of its own
                continue


def _numerals(number: float) -> Iterator[str]:
    yield str(number).removesuffix(".0")
    if abs(number) >= 1000:
        for english in (f"{number:,}", f"{number:,.2f}"):
            yield english
            yield english.translate({ord(","): ".", ord("."): ","})
            yield english.replace(",", " ")


def _forms(text: str) -> Iterator[str]:
    """Give a text as it may stand in a message."""
    raw = text.encode("utf-8", "surrogatepass")
    yield from (text, " ".join(text.split()), unquote(text), unicodedata.normalize("NFC", text))
    yield unicodedata.normalize("NFD", text)
    for safe in ("", "/", "/:?=&#@,;+"):
        yield quote(raw, safe=safe)
    yield quote_plus(raw)
    yield html.escape(text)
    yield html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1], ascii(text)[1:-1])
    yield _CSS.sub(r"\\\1", text)
    yield raw.hex()
    yield urlsafe_b64encode(raw).decode().rstrip("=")
    for before in range(3):  # inside other bytes it begins at one of three places
        found = b64encode(b"\0" * before + raw).decode().rstrip("=")
        yield found[(0, 2, 3)[before] : len(found) - 1]


def _low(text: str) -> str:
    """Give a text without regard to case, every character at its place."""
    low = text.lower()
    return low if len(low) == len(text) else "".join(one.lower()[:1] for one in text)


def _stands(text: str, word: str) -> bool:
    return bool(re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", text))


def _mark(marks: bytearray, text: str, pattern: str) -> None:
    for found in re.finditer(pattern, text):
        marks[found.start() : found.end()] = b"\1" * len(found[0])


def _mark_runs(marks: bytearray, text: str, forms: Iterable[str], length: int) -> None:
    """Mark what the text has in common with a form, where it is that long."""
    places: dict[str, list[int]] = {}
    for start in range(len(text) - length + 1):
        places.setdefault(text[start : start + length], []).append(start)
    for form in forms:
        for start in range(len(form) - length + 1):
            run = form[start : start + length]
            for place in () if any(run in one for one in _OPENINGS) else places.get(run, ()):
                marks[place : place + length] = b"\1" * length


def _beginning(text: str, start: int) -> int:
    """Give where the address begins that is hidden from some place on: half of `https://` would be odd."""
    low = _low(text)
    starts = (start - more for one in _OPENINGS for more in range(len(one)) if low.startswith(one, start - more))
    return min((one for one in starts if one >= 0), default=start)


def _replaced(text: str, marks: bytearray) -> str:
    parts: list[str] = []
    done = 0
    for found in re.finditer(rb"\x01+", marks):
        parts += (text[done : _beginning(text, found.start())], HIDDEN)
        done = found.end()
    return "".join([*parts, text[done:]])
