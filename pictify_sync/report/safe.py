"""Untrusted text, made fit for a terminal.

Keys, values and provider messages come from strangers: a control, bidi or other invisible character in them could
hide or forge what a reviewer sees (Trojan Source). Each is shown as its escape; letters and blanks stay as they are.
"""

from __future__ import annotations

import json
import re
import unicodedata

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_WORD = re.compile(r"[\w.~@/+=:,%*?\[\]-]+", re.ASCII)


def safe(text: str) -> str:
    r"""Show control, format, surrogate and unassigned characters as `\n`, `\xNN`, `\uNNNN` or `\UNNNNNNNN`."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def quoted(text: str, limit: int = 120) -> str:
    """Give text between double quotes, escaped as JSON does, cut to `limit` characters."""
    cut = text if len(text) <= limit else text[: limit - 3]
    return safe(json.dumps(cut, ensure_ascii=False)) + ("..." if cut is not text else "")


def for_shell(word: str) -> str:
    """Quote a word for pasting into a POSIX shell; what cannot be pasted is shown escaped."""
    return word if _WORD.fullmatch(word) else "'" + safe(word).replace("'", "'\\''") + "'"


def _shown(char: str) -> str:
    """Give one character, or its escape when it cannot be seen."""
    if char in _NAMED:
        return _NAMED[char]
    if unicodedata.category(char) not in _INVISIBLE:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
