"""Which text is put into an element of its own, and which is left alone."""

from __future__ import annotations

import time

import pytest
import tinycss2

from pictify_sync.rendering.engines.takumi.anonymous_text_boxes import TEXT, with_after, wrap_text


@pytest.mark.parametrize(
    ("selector", "marks"),
    [
        ("h2::after", {"h2"}),
        ("DIV > H2:after", {"h2"}),
        (".card p.lead#x::after, i", {"p", ".lead", "#x"}),
        (".a::after,.b::before, .c ::after", {".a"}),
        ("*::after", set()),
        ("li:last-child::after", {"li"}),
        (".after", set()),
    ],
)
def test_selectors_of_an_after(selector: str, marks: set[str]) -> None:
    """The last part of a selector says which elements have one."""
    assert with_after(tinycss2.parse_component_value_list(selector)) == marks


@pytest.mark.parametrize(
    ("html", "changed"),
    [
        ("<h2>a &amp; b</h2>", True),
        ('<p class="x lead">a</p>', True),
        ("<p id=top title='a > b'>a</p>", True),
        ("<p class=leader>a</p>", False),
        ("<h2>  </h2>", False),
        ("<h2>a <b>b</b></h2>", False),
        ("<h3>a</h3>", False),
    ],
)
def test_text_that_stands_alone(html: str, changed: bool) -> None:
    """Only elements that a selector names and that hold nothing but text are changed."""
    found = wrap_text(html, {"h2", ".lead", "#top"})
    assert (f"<{TEXT}>a" in found) is changed
    assert found.replace(f"<{TEXT}>", "").replace(f"</{TEXT}>", "") == html


def test_it_is_linear() -> None:
    """Markup that never ends is passed over once."""
    for piece in ("<p", "<p>", "<p a='", "< p>x", "<p>x", "<p 'x", "</p"):
        begun = time.process_time()
        wrap_text(piece * 20_000, {"p"})
        assert time.process_time() - begun < 1
