"""Text in one form, whatever Git, an editor or a file system made of it.

A checkout may turn LF into CRLF, an editor may add a byte order mark, macOS may take letters and their accents apart:
none of that is a change of what is drawn, so all of it is undone before anything is digested or sent. What is in this
form already stays as it is, to the byte. This module must not know files or manifests.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Any

# NFC would replace these by others that look different, in names of people for one.
_WITHOUT_COMPATIBILITY = re.compile("[^\uf900-\ufaff\U0002f800-\U0002fa1f]+")
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_TEXTS = frozenset({".css", ".svg", ".html", ".htm"})


def normal_text(text: str) -> str:
    """Return a text with LF for every line end, in NFC; compatibility ideographs are kept."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return _WITHOUT_COMPATIBILITY.sub(lambda run: unicodedata.normalize("NFC", run[0]), text)


def normal_value(value: Any) -> Any:
    """Return a value of JSON or YAML with every text in it normal, names of mappings included."""
    if isinstance(value, str):
        return normal_text(value)
    if isinstance(value, list):
        return [normal_value(item) for item in value]
    if isinstance(value, dict):
        return {normal_text(name): normal_value(item) for name, item in value.items()}
    return value


def decode(content: bytes) -> str:
    """Return the normal text of a file in UTF-8. Raises UnicodeDecodeError."""
    if content.startswith(UTF_16):
        raise UnicodeDecodeError("utf-8", content, 0, 2, "it is UTF-16")
    return normal_text(content.decode("utf-8-sig"))


def normal_file(name: str, content: bytes) -> bytes:
    """Return the bytes of a file that a template or a variable names: of css, html and svg in the normal form.

    Everything else is what it is, and so is text in another encoding.
    """
    ending = PurePosixPath(name).suffix.lower()
    if ending not in _TEXTS and (ending or b"<svg" not in content[:1000]):
        return content
    try:
        return decode(content).encode()
    except UnicodeDecodeError:
        return content
