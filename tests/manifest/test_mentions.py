"""Where a page names a file."""

from __future__ import annotations

import pytest

from pictify_sync.manifest.mentions import find_reference


@pytest.mark.parametrize(
    ("name", "texts", "found"),
    [
        ("logo.png", {"c.html": '<p>\n <img src="logo.png">'}, ("c.html", 2, 12)),
        ("logo.png", {"c.html": '<img src="big-logo.png"><img src="./logo.png">'}, ("c.html", 1, 35)),
        ("a b.png", {"c.html": '<img src="a%20b.png">'}, ("c.html", 1, 11)),
        ("a&b.png", {"c.html": '<img src="a&amp;b.png">'}, ("c.html", 1, 11)),
        ("css/f.woff2", {"c.html": "", "css/s.css": "a{}\n@font-face{src:url(f.woff2)}"}, ("css/s.css", 2, 20)),
        ("f.woff2", {"c.html": "", "css/s.css": "@font-face{src:url(../f.woff2)}"}, ("css/s.css", 1, 20)),
        ("none.png", {"c.html": "<p>"}, None),
    ],
)
def test_the_first_mention_is_found(name: str, texts: dict[str, str], found: object) -> None:
    """In the page or a stylesheet, however it is written there."""
    assert find_reference(name, texts) == found
