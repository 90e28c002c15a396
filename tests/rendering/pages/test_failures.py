"""Each way to fail has its code of the wire contract."""

from __future__ import annotations

import pytest

from pictify_sync.rendering.failure import Cause, RenderFailed
from pictify_sync.rendering.renderer import Renderer
from tests.rendering.pages.studio import Studio


@pytest.mark.parametrize(
    ("html", "variables", "code"),
    [
        ("{{#if a}}", {}, Cause.SYNTAX),
        ("{{nosuchthing a}}", {}, Cause.HELPER),
        ("{{#each a}}{{../b}}{{/each}}", {"a": [1] * 5_000, "b": "x" * 5_000}, Cause.EXPRESSION),
        ("<p>{{a}}</p>", {"a": "x" * 5_000_001}, Cause.VARIABLE),
        ('<img src="{{a}}">', {"a": "nowhere.png"}, Cause.IMAGE),
    ],
)
def test_codes(takumi: Studio, html: str, variables: dict[str, object], code: str) -> None:
    """Template, values, size and pictures fail under names of their own."""
    with pytest.raises(RenderFailed) as caught:
        takumi.draw(html, variables)
    assert caught.value.cause == code
    assert caught.value.message


def test_a_file_that_is_not_there_is_told_from_an_address(takumi: Studio) -> None:
    """Who misspelt a path reads that there is no such picture, and not which addresses there could be."""
    for source, words in (("pics/nowhere.png", "no such picture"), ("file:///etc/passwd", "only data:")):
        with pytest.raises(RenderFailed, match=f"{source}: {words}"):
            takumi.draw("<img src='{{a}}'>", {"a": source})


def test_a_failure_is_not_remembered(takumi: Studio) -> None:
    """The next picture of the same template is drawn."""
    html = '<img src="{{a}}">'
    with pytest.raises(RenderFailed):
        takumi.draw(html, {"a": "nowhere.png"})
    assert takumi.draw(html, {"a": ""})


def test_only_known_engines() -> None:
    """An engine that does not exist is refused at once."""
    with pytest.raises(ValueError, match="no engine"):
        Renderer("netscape", ())
