"""Templates filled: names, blocks, white space, escaping, limits. Expected texts were checked with Handlebars 4.7."""

from __future__ import annotations

import time
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.rendering.failure import Cause
from pictify_sync.rendering.handlebars.compiler import MAX_TURNS, TemplateFailed, compile_template
from pictify_sync.rendering.handlebars.syntax import read

SHORT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False) | SHORT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SHORT, inner, max_size=3),
    max_leaves=8,
)


def filled(template: str, **variables: Any) -> str:
    """The template filled."""
    return compile_template(template).render(variables)


@pytest.mark.parametrize(
    ("template", "variables", "expected"),
    [
        ("{{a.b}}{{a.[b]}}{{x.y.z}}", {"a": {"b": 1}}, "11"),
        ("{{items.length}}{{items.[1]}}{{items.[9]}}", {"items": ["x", "y"]}, "2y"),
        ("{{t}} {{f}} {{n}} {{z}}", {"t": True, "f": False, "n": None, "z": 0}, "true false  0"),
        ("{{a}} {{b}} {{c}} {{d}}", {"a": 4.0, "b": 0.1, "c": 1e-7, "d": 1e21}, "4 0.1 1e-7 1e+21"),
        ("{{a}} {{b}}", {"a": [1, [2, None]], "b": {}}, "1,2, [object Object]"),
        ("{{#if a}}yes{{else}}no{{/if}}", {"a": "0"}, "yes"),
        ("{{#if a}}yes{{else}}no{{/if}}", {"a": []}, "no"),
        ("{{#if a}}yes{{else}}no{{/if}}", {"a": {}}, "yes"),
        ("{{#if a}}1{{else if b}}2{{else}}3{{/if}}", {"b": True}, "2"),
        ("{{#if n includeZero=true}}{{n}}{{/if}}", {"n": 0}, "0"),
        ("{{#unless a}}no{{^}}yes{{/unless}}", {"a": 1}, "yes"),
        ("{{#each items}}{{@index}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}", {"items": "ab"}, ""),
        ("{{#each items}}{{@index}}{{this}}{{#unless @last}}, {{/unless}}{{/each}}", {"items": ["a", "b"]}, "0a, 1b"),
        ("{{#each items}}{{#if x}}{{../title}}{{x}}{{/if}}{{/each}}", {"items": [{"x": 1}, {}], "title": "T"}, "T1"),
        ("{{#each o as |v k|}}{{k}}={{v}};{{/each}}", {"o": {"a": 1, "b": 2}}, "a=1;b=2;"),
        ("{{#each a}}{{#each this}}{{@../index}}{{@index}}{{@root.t}} {{/each}}{{/each}}", {"a": [[1], [2]], "t": "!"},
         "00! 10! "),
        ("{{#each items}}{{else}}none{{/each}}", {"items": []}, "none"),
        ("{{#with o}}{{a}}{{../b}}{{/with}}{{#with n}}{{else}}none{{/with}}", {"o": {"a": 1}, "b": 2}, "12none"),
        ("{{#with n}}{{this}}{{/with}}", {"n": 0}, "0"),
        ("{{this.length}}{{length}}{{date}}", {"length": "long", "date": "today"}, "longlongtoday"),
        (r"\{{a}} \\{{a}}", {"a": 1}, r"{{a}} \1"),
        ("{{truncate (trim title) 3}}", {"title": "  abcdef "}, "abc…"),
        ("a {{~b~}} c", {"b": 1}, "a1c"),
        ("a\n  {{#if b}}\n  yes\n  {{else}}\n  no\n  {{/if}}\nc\n", {"b": 1}, "a\n  yes\nc\n"),
        ("a\n {{! note }}\nb {{!-- {{x}} --}} c", {}, "a\nb  c"),
    ],
)  # fmt: skip
def test_template(template: str, variables: dict[str, Any], expected: str) -> None:
    """A template gives what Handlebars 4.7 gives."""
    assert filled(template, **variables) == expected


@given(st.text(max_size=200))
def test_every_text_is_escaped(value: str) -> None:
    """No text can open an element, close an attribute or start an entity, wherever it is put in."""
    for template in ("{{v}}", "{{trim v}}", "{{#each a}}{{this}}{{/each}}", "{{default w v}}", "{{replace 'x' 'x' v}}"):
        shown = filled(template, v=value, a=[value], w=None)
        assert not set("<>\"'`=") & set(shown)
        assert unescape(shown) in (value, value.strip())


@given(JSON)
def test_every_json_value_can_be_shown(value: Any) -> None:
    """No JSON value makes a template fail, in a tag, in a block or in a function."""
    template = "{{v}}{{#if v}}{{/if}}{{#each v}}{{this}}{{@key}}{{/each}}{{#with v}}{{a.b}}{{/with}}{{json v}}"
    assert "<" not in filled(template, v=value)


@given(st.text(alphabet="{}#/^!>&~ \n.@()'\"|=ab0[]\\", max_size=60))
def test_every_text_is_a_template_or_a_problem(text: str) -> None:
    """Any text either compiles or raises TemplateFailed with a code and a place."""
    faults = [fault for fault in read(text).faults if fault.cause]
    if not faults:
        compile_template(text)
        return
    with pytest.raises(TemplateFailed, match=r"^line ") as caught:
        compile_template(text)
    assert caught.value.cause == faults[0].cause


@given(st.text(max_size=300).filter(lambda text: "{{" not in text and "\\" not in text))
def test_text_without_tags_stays(text: str) -> None:
    """What holds no tag comes out letter for letter."""
    assert filled(text) == text


def test_raw_html_only_where_declared() -> None:
    """Three braces put in html of declared variables and what is inside them, and of no others."""
    template = "{{{a}}}{{#each b}}{{{this}}}{{/each}}{{{trim a}}}"
    assert compile_template(template, {"a", "b"}).render({"a": "<i>", "b": ["<b>"]}) == "<i><b><i>"
    for bad in ("{{{c}}}", "{{&c}}", "{{#each c}}{{{this}}}{{/each}}", "{{#each a}}{{{@key}}}{{/each}}",
                "{{{this}}}", "{{{default a c}}}", "{{#with c as |a|}}{{{a}}}{{/with}}",
                "{{#each a}}{{{@root.c}}}{{/each}}"):  # fmt: skip
        with pytest.raises(TemplateFailed, match="raw html") as caught:
            compile_template(bad, {"a", "b"})
        assert caught.value.cause == Cause.RAW_HTML


def test_no_attribute_of_a_value_is_reached() -> None:
    """Names look into JSON values only, never at what Python keeps in them."""
    template = "{{a.__class__}}{{a.keys}}{{b.append}}{{c.format}}{{__builtins__}}{{constructor}}{{a.__proto__}}"
    assert filled(template, a={}, b=[], c="x") == ""


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("{{#each a}}{{#each ../a}}{{#each ../../a}}x{{/each}}{{/each}}{{/each}}", Cause.LOOP),
        ("{{#each a}}{{../big}}{{../big}}{{/each}}", Cause.EXPRESSION),
        ("{{padStart 'x' 1000000000}}", Cause.EXPRESSION),
        ("{{padEnd 'x' 99999999 'ab'}}", Cause.EXPRESSION),
        ("{{replace big 'x' big}}", Cause.EXPRESSION),
        ("{{join (split big '') big}}", Cause.EXPRESSION),
        ("{{#if a}}" * 60 + "{{/if}}" * 60, Cause.SYNTAX),
        ("{{" + "(trim " * 500 + "a" + ")" * 500 + "}}", Cause.SYNTAX),
        ("{{#if a}}" + "{{else if b}}x" * 2000 + "{{/if}}", Cause.SYNTAX),
        ("{{trim " + "9" * 5000 + "}}", Cause.SYNTAX),
    ],
)
def test_bombs_are_refused_soon(template: str, code: str) -> None:
    """Loops, growth, nesting and numbers without end end with a code, in well under a second."""
    started = time.perf_counter()
    with pytest.raises(TemplateFailed) as caught:
        filled(template, a=list(range(MAX_TURNS // 100)), big="x" * 200_000)
    assert caught.value.cause == code
    assert time.perf_counter() - started < 2


def test_long_plain_text_costs_nothing() -> None:
    """A template with megabytes of data: URIs is read and filled in a moment."""
    template = "{{a}}" + "A" * 5_000_000 + "{{a}}" + "\n" * 1_000_000 + "{{#if a}}" + " " * 1_000_000 + "{{/if}}"
    started = time.perf_counter()
    assert len(filled(template, a="x")) > 6_000_000
    assert time.perf_counter() - started < 2


def test_a_card_is_filled_in_a_fraction_of_a_millisecond() -> None:
    """Filling costs little beside drawing: 0.3 ms for a card of 200 tags at the very most."""
    template = compile_template("<div class='{{a}}'>{{#if b}}<p>{{uppercase b}}</p>{{/if}}</div>\n" * 50)
    values = {"a": "warm", "b": "Åland & <co>"}
    template.render(values)
    best = min(_seconds(template.render, values) for _ in range(20))
    assert best < 0.0015  # five times what it takes: this machine may be busy


def _seconds(render: Any, values: dict[str, Any]) -> float:
    started = time.perf_counter()
    render(values)
    return time.perf_counter() - started


@pytest.mark.parametrize("variables", [{"price": "12,50 €"}, {"price": "abc"}, {"price": [1]}])
def test_money_that_cannot_be_read_fails_the_picture(variables: dict[str, Any]) -> None:
    """The failure names line, helper and variable; it never draws a zero. What is missing draws nothing."""
    template = compile_template("<p>\n{{currency (round price 2) 'EUR'}}</p>")
    with pytest.raises(
        TemplateFailed, match=r"^line 2: round of price: .* is not a number, such as 1234\.5$"
    ) as caught:
        template.render(variables)
    assert caught.value.cause == Cause.EXPRESSION
    for missing in ({}, {"price": None}, {"price": ""}):
        assert template.render(missing) == "<p>\n</p>"
    assert template.render({"price": "12.5"}) == "<p>\n€12.50</p>"
