"""Untrusted text, made fit for a terminal.

Keys, values and provider messages come from strangers: a control, bidi or other invisible character in them could
hide or forge what a reviewer sees (Trojan Source). Each is shown as its escape; letters and blanks stay as they are.
"""

from __future__ import annotations

import json
import re
import unicodedata

from pictify_sync.credentials import without_forms

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Marks and letters that draw nothing (Unicode: Default_Ignorable_Code_Point), but for the two that style an emoji.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]")
_ODD = re.compile(r"[^\n -~]+")  # what is not ASCII, or a control character
_WORD = re.compile(r"[\w.~@/+=:,%*?\[\]-]+", re.ASCII)


def safe(text: str) -> str:
    r"""Show control, format, surrogate and unassigned characters as `\n`, `\xNN`, `\uNNNN` or `\UNNNNNNNN`."""
    text = without_forms(text)
    return text if _all_seen(text) else "".join(map(_shown, text))


def escaped(document: str) -> str:
    r"""Return a JSON text in which every character that `safe` would not show stands as `\uNNNN`: no value changes."""
    return _ODD.sub(_escaped, document)


def quoted(text: str, limit: int = 120) -> str:
    """Return text between double quotes, escaped as JSON does, cut to `limit` characters."""
    cut = text if len(text) <= limit else text[: limit - 3]
    return safe(json.dumps(cut, ensure_ascii=False)) + ("..." if cut is not text else "")


def for_shell(word: str) -> str:
    """Quote a word for pasting into a POSIX shell; what cannot be pasted is shown escaped."""
    return word if _WORD.fullmatch(word) else "'" + safe(word).replace("'", "'\\''") + "'"


def _shown(char: str) -> str:
    """Return one character, or its escape when it cannot be seen."""
    if char in _NAMED:
        return _NAMED[char]
    if _is_seen(char):
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped(found: re.Match[str]) -> str:
    text = found[0]
    return text if _all_seen(text) else "".join(char if _is_seen(char) else json.dumps(char)[1:-1] for char in text)


def _all_seen(text: str) -> bool:
    """Whether nothing in it needs a closer look; quick."""
    return text.isprintable() and (text.isascii() or not _BLANK.search(text))


def _is_seen(char: str) -> bool:
    return unicodedata.category(char) not in _INVISIBLE and not _BLANK.match(char)
