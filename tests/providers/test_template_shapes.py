"""Templates in every documented shape, and the digests of what shapes their pictures."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.template import VariableRule
from pictify_sync.errors import ProviderError
from pictify_sync.providers.pictify.template_shapes import read_row, read_rules, read_template, template_body, unwrapped
from tests.providers.conformance import template

BODY: dict[str, Any] = {
    "uid": "XA12BC34DE",
    "name": "Post card",
    "engine": "html",
    "html": "<h1>{{headline}}</h1>",
    "width": 1200,
    "height": 630,
    "outputFormat": "image",
    "variableDefinitions": [
        {"name": "headline", "type": "text", "defaultValue": "", "validation": {"required": True, "maxLength": 80}},
        {"name": "badge", "type": "image", "defaultValue": "x"},
    ],
    "layouts": {"story": {"width": 1080, "height": 1920, "name": "Story"}},
    "createdAt": "2026-10-01T08:00:00.000Z",
    "updatedAt": "2026-11-20T14:12:00.000Z",
}


def revisions(**changes: Any) -> dict[str, str]:
    """Of the template with some fields changed; None removes one."""
    body = {name: value for name, value in {**BODY, **changes}.items() if value is not None}
    return dict(read_template("pictify", "U", body).revisions)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Other"},
        {"updatedAt": "2027-01-01T00:00:00Z", "thumbnail": "https://x/y.png", "tags": ["a"]},
        {"engine": None},
        {"outputFormat": None, "strictVariables": False, "jsEnabled": None, "pdfPreset": None},
        {"width": "1200", "height": 630.0},
        {"variableDefinitions": list(reversed(BODY["variableDefinitions"]))},
        {
            "variableDefinitions": [
                {**BODY["variableDefinitions"][0], "type": "string", "description": "shown to people"},
                {**BODY["variableDefinitions"][1], "validation": {"required": False}},
            ]
        },
        {"layouts": [{"key": "story", "width": 1080, "height": 1920}]},
        {"layouts": {"story": {"width": 1080, "height": 1920, "name": "Renamed"}}},
    ],
)
def test_what_shapes_nothing(changes: dict[str, Any]) -> None:
    """Names, times, thumbnails, order and what is left out for its default do not change a revision."""
    assert revisions(**changes) == revisions()


@pytest.mark.parametrize(
    "changes",
    [
        {"html": "<h2>{{headline}}</h2>"},
        {"engine": "fabric", "fabricJSData": {"objects": []}},
        {"outputFormat": "pdf"},
        {"pdfPreset": "A4"},
        {"strictVariables": True},
        {"jsEnabled": True},
        {"variableDefinitions": BODY["variableDefinitions"][:1]},
        {
            "variableDefinitions": [
                {**BODY["variableDefinitions"][0], "defaultValue": "x"},
                BODY["variableDefinitions"][1],
            ]
        },
        {
            "variableDefinitions": [
                {**BODY["variableDefinitions"][0], "allowRawHtml": True},
                BODY["variableDefinitions"][1],
            ]
        },
    ],
)
def test_what_shapes_every_layout(changes: dict[str, Any]) -> None:
    """Html, engine, output, switches and definitions change the revision of every layout."""
    before, after = revisions(), revisions(**changes)
    assert all(before[layout] != after[layout] for layout in before)


def test_a_size_shapes_its_own_layout() -> None:
    """Another size, or another layout, leaves the other layouts as they were."""
    wider = revisions(layouts={"story": {"width": 1081, "height": 1920}, "new": {"width": 1, "height": 1}})
    assert wider["default"] == revisions()["default"]
    assert wider["story"] != revisions()["story"]
    assert set(wider) == {"default", "story", "new"}


def test_fabric_templates() -> None:
    """The drawing counts, as an object or as text, and the html does not."""
    drawing = {"objects": [{"type": "text"}]}
    one = revisions(engine="fabric", fabricJSData=drawing, html=None)
    assert one == revisions(engine="fabric", fabricJSData='{"objects":[{"type":"text"}]}', html="ignored")
    assert one == revisions(engine=None, fabricJSData=drawing, html=None)
    assert one != revisions(engine="fabric", fabricJSData={"objects": []}, html=None)


@pytest.mark.parametrize(
    "wrap", [lambda one: one, lambda one: {"template": one}, lambda one: {"data": {"template": one}}]
)
def test_every_wrapping(wrap: Any) -> None:
    """Bare, wrapped, and twice wrapped."""
    assert unwrapped(wrap(BODY)) == BODY


def test_what_is_pushed_is_what_is_read() -> None:
    """A server that keeps what it was sent shows a template with the same layouts and rules."""
    source = template("x {{name}}")
    read = read_template("pictify", "U", template_body(source))
    assert read.layouts == source.layouts
    assert read.variables == source.variables
    assert read.source == source.html


def test_variables_of_before() -> None:
    """A list of names stands for text variables."""
    assert read_rules({"variables": ["a", "b"]}) == (VariableRule("a"), VariableRule("b"))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted({*BODY, "fabricJSData", "strictVariables", "pdfPreset"})), anything))
def test_any_template_is_survived(body: dict[str, Any]) -> None:
    """Fields of any type give a record or the error of a provider."""
    with suppress(ProviderError):
        read_template("pictify", "U", body)
    read_row(body)
    unwrapped(body)
