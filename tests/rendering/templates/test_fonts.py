"""Fonts of installed packages: found, covered, named. The scripts need the extra [fonts]."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.rendering.fonts import engine_identity, find, installed, missing_glyphs

FAMILIES = ["Inter", "Noto Sans", "Noto Sans Arabic", "Heebo", "Noto Sans Devanagari", "Noto Sans SC", "Noto Sans KR"]


def test_found_in_the_order_given() -> None:
    """Families come in the order given, each once, whatever their letter case; missing ones are left out."""
    faces = find(["heebo", "Nowhere", "NOTO SANS", "Heebo"])
    assert list(dict.fromkeys(face.family for face in faces)) == ["Heebo", "Noto Sans", "Inter"]
    assert {face.style for face in faces if face.family == "Inter"} == {"normal", "italic"}
    assert list(dict.fromkeys(face.family for face in find(["Inter", "Heebo"]))) == ["Inter", "Heebo"]


def test_every_file_is_there_with_its_digest() -> None:
    """Each face names a font file, and the sha256 that is told is that of its bytes."""
    faces = [face for family in installed().values() for face in family]
    assert {"Inter", "Noto Sans SC"} <= {face.family for face in faces}
    for face in faces:
        assert face.sha256 == hashlib.sha256(Path(face.path).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "text",
    ["The quick brown fox, 12 €", "Ελληνικά ώρα", "Русский Україна ђ", "العربية ٣", "עברית", "हिन्दी क्षेत्र",
     "中文汉字", "日本語かなカナ", "대한민국 한글", "ČĐŁŞŽ ả ệ", "“quotes” … • ™ ½ →"],
)  # fmt: skip
def test_scripts_are_covered(text: str) -> None:
    """With the extra [fonts], Latin, Greek, Cyrillic, Arabic, Hebrew, Devanagari and CJK can be drawn."""
    assert missing_glyphs(text, FAMILIES) == ""


def test_missing_glyphs_are_told_sorted_and_once() -> None:
    """What no font has is told; blanks, controls, joiners and selectors need no glyph."""
    assert missing_glyphs("b中a中ש\n\t \xa0\u200d\ufe0f\u200f\U000e0061\xad", ["Inter"]) == "ש中"
    assert missing_glyphs("中", ["Nowhere"]) == "中"
    assert missing_glyphs("", []) == ""


@given(st.text(max_size=30))
def test_more_fonts_never_miss_more(text: str) -> None:
    """Adding a family only takes characters away, and what is missing is part of the text."""
    few, many = set(missing_glyphs(text, [])), set(missing_glyphs(text, FAMILIES))
    assert many <= few <= set(text)


def test_identity() -> None:
    """The identity names engine, version and installed fonts in order; equal wishes give equal text."""
    identity = engine_identity("takumi", ["Heebo", "Nowhere"])
    name, version, *fonts = identity.split(" ")
    assert (name, version[0].isdigit()) == ("takumi", True)
    assert [font.partition(":")[0] for font in fonts] == ["Heebo", "Inter"]
    assert identity == engine_identity("takumi", ["heebo"]) != engine_identity("takumi", ["Noto Sans", "Heebo"])
    assert engine_identity("takumi", []) == engine_identity("takumi", ["Inter"])


def test_openmoji_is_found_where_it_is_installed() -> None:
    """Colour emoji of the extra [emoji] are a family like any other."""
    if "openmoji" not in installed():
        pytest.skip("the extra [emoji] is not installed")
    assert missing_glyphs("😀👩‍🔬🇦🇽", ["OpenMoji"]) == ""
