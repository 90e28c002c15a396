"""Sensitive values taken out of text."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.redaction import HIDDEN, WITHHELD, Redactor

ENCODINGS = (
    str,
    str.upper,
    str.lower,
    quote,
    lambda text: quote(text, safe=""),
    quote_plus,
    html.escape,
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    repr,
    ascii,
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    lambda text: base64.b64encode(f"user:{text}".encode()).decode(),
    lambda text: text.encode().hex(),
)
values = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=6, max_size=60).filter(
    lambda text: len(text.strip()) >= 6 and not text.strip().lower().startswith(("http", "data"))
)


@given(values, st.sampled_from(ENCODINGS), st.text("abc .:", max_size=20), st.text("xyz .:", max_size=20))
def test_no_encoding_of_a_value_is_left(value: str, encode: object, before: str, after: str) -> None:
    """However a message writes a value down, it is gone after cleaning."""
    assert callable(encode)
    bare = value.strip()
    written = str(encode(bare))
    core = written.strip("\"'=")
    clean = Redactor([value]).clean(f"{before}{written}{after}")
    assert clean == WITHHELD or core[2:-3].lower() not in clean.lower() or len(core) < 8


@given(values, st.data())
def test_what_was_cut_off_is_found(value: str, data: st.DataObject) -> None:
    """A message that shows only the beginning of a value shows nothing of it."""
    bare = value.strip()
    cut = bare[: data.draw(st.integers(6, len(bare)))]
    assert cut in HIDDEN or cut not in Redactor([value]).clean(f"no such picture: {cut}...")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("https://user:Pa55word@example.invalid/a/b.png?t=1", "the password Pa55word is wrong"),
        ("https://user:Pa55word@example.invalid/a/b.png?t=1", "example.invalid cannot be reached"),
        ("portraits/anna-schmidt.png", "anna-schmidt.png: no such file"),
        (1234567.5, "1,234,567.50 is too much"),
        (1234567, "1.234.567 is too much"),
        ("#a1b2c3", "bad colour a1b2c3"),
        (["one", {"deep": "treasure"}], "bad value treasure"),
    ],
)
def test_a_part_of_a_value_is_found(value: object, message: str) -> None:
    """Passwords, hosts, names of files and other spellings of numbers count as the value."""
    assert HIDDEN in Redactor([value]).clean(message)


@pytest.mark.parametrize("value", ["7", 42, True, "ab", "é", "https://u:xy@h.invalid/"])
def test_a_very_short_value_withholds_the_message(value: object) -> None:
    """What could be any word is not starred out: the whole message goes, and only where the word stands."""
    word = "xy" if isinstance(value, str) and ":" in value else str(value).lower()
    redactor = Redactor([value])
    assert redactor.clean(f"the value {word} is refused") == WITHHELD
    assert redactor.clean("the engine refuses it") == "the engine refuses it"


def test_a_message_without_a_trace_stays() -> None:
    """Nothing is taken out of a message that holds no value; without values nothing at all."""
    message = "https: only plain addresses of pictures can be fetched"
    assert Redactor(["https://example.invalid/s3cret-portrait.png"]).clean(message) == message
    assert Redactor(["", None, [], {}]).clean(message) == message
    assert not Redactor([""])


def test_values_that_nobody_knows_withhold_every_message() -> None:
    """Where a value can no longer be told, no message about it is shown."""
    assert Redactor((), known=False).clean("anything") == WITHHELD
    assert Redactor((), known=False).clean("") == ""


def test_a_huge_value_is_looked_for_by_its_ends() -> None:
    """An inlined picture of megabytes does not make cleaning slow, and the beginning of it is still found."""
    value = "data:image/png;base64," + base64.b64encode(bytes(range(256)) * 8_000).decode()
    assert value[:80] not in Redactor([value]).clean(f"{value[:80]}...: a broken picture")
