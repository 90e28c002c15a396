"""Output paths: what is accepted stays inside, and stays apart from every other path."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from pictify_sync.core.paths import folded
from pictify_sync.manifest.outputs import fault, normal

parts = st.text(st.sampled_from("aAbßéÉ\u0301./\\: -_~CONcon1\0\n*\u202e"), max_size=12)
anything = st.text(max_size=30) | st.lists(parts, min_size=1, max_size=4).map("/".join)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(anything)
@example("a/../b")
@example("C:x")
@example("con.png")
@example("a" * 252 + ".png")
def test_accepted_paths_stay_inside_on_every_system(path: str) -> None:
    """An accepted path is relative, has no drive, no parent, and parts that POSIX and Windows take as they are."""
    path = normal(path)
    assume(not fault(path))
    posix, windows = PurePosixPath(path), PureWindowsPath(path)
    assert not posix.is_absolute()
    assert not windows.drive
    assert not windows.root
    assert ".." not in posix.parts
    assert posix.parts == windows.parts == tuple(path.split("/"))
    assert all(len(part.encode()) <= 255 and part == part.rstrip(". ") for part in posix.parts)
    assert unicodedata.is_normalized("NFC", path)


@given(anything, anything)
@example("Straße", "STRASSE")
@example("\u00e9", "e\u0301")
@example("\u212b", "\u00e5")
def test_paths_that_some_system_confuses_are_equal_when_folded(one: str, other: str) -> None:
    """Equality under letter case or Unicode form implies equality of the folded paths."""
    confused = [
        unicodedata.normalize("NFC", one).casefold() == unicodedata.normalize("NFC", other).casefold(),
        unicodedata.normalize("NFD", one).casefold() == unicodedata.normalize("NFD", other).casefold(),
    ]
    if any(confused):
        assert folded(normal(one)) == folded(normal(other))
    assert folded(one.upper()) == folded(one.upper().lower()) or not one.isascii()


@pytest.mark.parametrize("unseen", ["\u200c", "\u200d", "\u200b", "\ufeff", "\u00ad", "\ufe0f"])
def test_characters_that_show_nothing_tell_no_paths_apart(unseen: str) -> None:
    """HFS+ passes over some of them when it compares names."""
    assert folded(f"a{unseen}b.png") == folded("Ab.png")
    assert not fault(f"a{unseen}b.png")


@pytest.mark.parametrize(
    "path", [".git/config", "a/.GIT/x.png", ".g\u200cit/x.png", "git~1/x", ".pictify-sync/state.db"]
)
def test_where_git_and_we_keep_our_own_files_is_no_output(path: str) -> None:
    """A picture there would break the repository or the state, where the output folder is the project's own."""
    assert "keep their own files" in fault(path)
    assert not fault(path.lower().replace("it", "ot").replace("pictify", "pocket"))
