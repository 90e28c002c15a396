"""Expressions: what they give, and the attacks they refuse."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes

from pictify_sync.manifest.expressions.language import parse
from pictify_sync.manifest.expressions.operations import MAX_TEXT, ExpressionError, MissingColumn
from pictify_sync.manifest.expressions.programs import both, compiled, when
from tests.manifest.payloads import BIG, HOSTILE

ROW: dict[str, Any] = {
    "name": "Côte d'Ivoire",
    "numeric": "012",
    "rating": 4.5,
    "count": 3,
    "sold": True,
    "nothing": None,
    "empty": "",
    "tags": ["a", "b"],
    "part": {"items": 7, "deep": {"x": [1, 2]}},
    "Official name": "Republic",
    "loop": "column",
}

GIVES: dict[str, object] = {
    "plain": "plain",
    "{ not } }} an expression": "{ not } }} an expression",
    "{{ name }}": "Côte d'Ivoire",
    "{{rating}}": 4.5,
    "{{ count }}": 3,
    "{{ sold }}": True,
    "{{ nothing }}": None,
    "{{ tags }}": ["a", "b"],
    " {{ count }}": " 3",
    "{{ count }}\n": "3\n",
    "{{ name | lower }}!": "côte d'ivoire!",
    "{{ numeric | int }}": 12,
    "{{ numeric | int < 900 }}": True,
    "{{ empty | int(0) }}": 0,
    "{{ 'x' | int(default=5) }}": 5,
    "{{ '4.9' | int }}": 4,
    "{{ '1e2' | float }}": 100.0,
    "{{ rating | round }}": 4,
    "{{ 4.456 | round(1) }}": 4.5,
    "{{ 5 | fixed }}": "5.00",
    "{{ rating + 1 - count }}": 2.5,
    "{{ count / 2 }}": 1.5,
    "{{ -count }}": -3,
    "{{ 1 < count <= 3 }}": True,
    "{{ sold and count > 5 or not empty }}": True,
    "{{ 'yes' if sold else 'no' }}": "yes",
    "{{ 'yes' if empty }}": "",
    "{{ name ~ ': ' ~ rating ~ sold }}": "Côte d'Ivoire: 4.5true",
    "{{ gone | default('x') }}": "x",
    "{{ gone | default }}": "",
    "{{ nothing | default('x', true) }}": "x",
    "{{ empty | default(none, boolean=true) }}": None,
    "{{ nothing | default('x') }}": None,
    "{{ gone is defined }}": False,
    "{{ 'set' if gone is defined else 'not' }}": "not",
    "{{ part.gone | default(0) }}": 0,
    "{{ part.items }}": 7,
    "{{ part['deep'].x[-1] }}": 2,
    "{{ row['Official name'] }}": "Republic",
    "{{ row['loop'] }}": "column",
    "{{ row[tags | first] | default('none') }}": "none",
    "{{ tags | join(', ') }}": "a, b",
    "{{ 'a; b' | split(';') }}": ["a", "b"],
    "{{ tags | last }}{{ tags | length }}": "b2",
    "{{ name | replace('Côte', 'Coast') | upper }}": "COAST D'IVOIRE",
    "{{ name | slug }}": "cote-d-ivoire",
    "{{ name | truncate(6) }}": "Côte…",
    "{{ '  a ' | trim }}": "a",
    "{{ 'straße' | upper }}": "STRASSE",
    "{{ 'a b' | title }}": "A B",
    "{{ 'b' in tags and 'c' not in tags }}": True,
    "{{ nothing is none and name is string and rating is number and tags is sequence }}": True,
    "{{ part is mapping and count is odd and not count is even and sold is boolean }}": True,
    "{{ [name, 1] }}": ["Côte d'Ivoire", 1],
    "{{ {'a': count} }}": {"a": 3},
    "{{ 1 }}{# a comment #}{{ 2 }}": "12",
    "{% raw %}{{ name }}{% endraw %}": "{{ name }}",
    "{{ '{{ name }}' }}": "{{ name }}",
}

FAILS = {
    "{{ gone }}": "no column 'gone'",
    "{{ gone | lower }}": "no column 'gone'",
    "{{ gone == 1 }}": "no column 'gone'",
    "{{ not gone }}": "no column 'gone'",
    "{{ gone if sold else 1 }}": "no column 'gone'",
    "{{ part.gone }}": "no column 'gone'",
    "{{ tags[9] }}": "no column '9'",
    "{{ [] | first }}": "no column 'first'",
    "{{ gone in tags }}": "no column 'gone'",
    "{{ 1 in gone }}": "no column 'gone'",
    "x{{ nothing }}": "a null value inside a text",
    "x{{ tags }}": "a list inside a text",
    "{{ name.upper }}": "a text has no parts that 'upper' could name",
    "{{ part.items.real }}": "a number has no parts",
    "{{ empty | int }}": "'' is not a whole number",
    "{{ name | float }}": "is not a number",
    "{{ numeric + 1 }}": "a text where a number is needed",
    "{{ sold + 1 }}": "a truth value where a number is needed",
    "{{ 1 / 0 }}": "division by zero",
    "{{ '1_000' | int }}": "is not a whole number",
    "{{ 'nan' | float }}": "too large",
    "{{ name | join }}": "a text where a list is needed",
    "{{ name | truncate(-1) }}": "a whole number of 0 or more",
    "{{ name | split('') }}": "a text to split at",
    "{{ nothing | length }}": "a null value inside a text",
}


def value(text: str, row: dict[str, Any] = ROW) -> object:
    """Give the value of a text on a row."""
    return compiled(parse(text, {}).node)(row)


@pytest.mark.parametrize("text", GIVES)
def test_expressions_give_native_values(text: str) -> None:
    """A lone expression keeps its type, anything else is a text."""
    found = value(text)
    assert (type(found), found) == (type(GIVES[text]), GIVES[text])


@pytest.mark.parametrize("text", FAILS)
def test_expressions_fail_with_a_reason(text: str) -> None:
    """What cannot be evaluated for a row says why."""
    with pytest.raises(ExpressionError) as caught:
        value(text)
    assert FAILS[text] in str(caught.value)


@pytest.mark.parametrize("payload", HOSTILE)
def test_attacks_are_refused_before_any_row_is_read(payload: str) -> None:
    """Every payload of public template injections is refused when it is parsed."""
    with pytest.raises(ExpressionError):
        parse(payload, {})


def test_the_corpus_is_large_enough() -> None:
    """At least 200 different payloads are tried."""
    assert len(set(HOSTILE)) >= 200


def test_all_attacks_together_are_cheap() -> None:
    """The whole corpus and the payloads that grow are refused within a second and 256 MB of address space."""
    code = (
        "import resource, time; resource.setrlimit(resource.RLIMIT_AS, (256 << 20,) * 2)\n"
        "from pictify_sync.manifest.expressions.language import parse\n"
        "from pictify_sync.manifest.expressions.programs import compiled\n"
        "from pictify_sync.manifest.expressions.operations import ExpressionError\n"
        "from tests.manifest.payloads import HOSTILE, BIG\n"
        "parse('{{ a }}', {}); began = time.process_time(); refused = 0\n"
        "for text in [*HOSTILE, *BIG]:\n"
        "    try: compiled(parse(text, {}).node)({'a': 'aa' * 1000})\n"
        "    except ExpressionError: refused += 1\n"
        "spent = time.process_time() - began\n"
        "print(refused, spent)\n"
        "assert refused == len(HOSTILE) + len(BIG) and spent < 1\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("payload", BIG)
def test_growing_texts_are_capped(payload: str) -> None:
    """No chain of filters makes a text beyond the cap."""
    with pytest.raises(ExpressionError):
        value(payload, {"a": "aa" * 1000})


@given(st.text(max_size=60))
def test_any_text_inside_braces_is_parsed_or_refused(text: str) -> None:
    """Whatever stands between braces, it is accepted or refused with a reason, and never breaks out."""
    with suppress(ExpressionError):
        parse("{{ " + text + " }}", {})


names = st.sampled_from(["name", "count", "rating", "tags", "part", "nothing", "gone", "'x'", "1", "[]"])
filters = st.sampled_from(
    ["lower", "int", "float", "default('d')", "join", "first", "length", "slug", "round", "title"]
)
chains = st.builds(lambda name, steps: " | ".join([name, *steps]), names, st.lists(filters, max_size=4))


@given(chains)
def test_chains_of_filters_give_json_or_a_reason(chain: str) -> None:
    """Any chain of filters on any value gives plain data of at most the cap, or an ExpressionError."""
    try:
        found = value("{{ " + chain + " }}")
    except ExpressionError:
        return
    assert isinstance(found, str | int | float | list | dict | None)
    assert len(str(found)) <= MAX_TEXT


@given(st.text())
def test_a_column_comes_through_unchanged(cell: str) -> None:
    """A cell's text is never taken for an expression, and never changed."""
    assert value("{{ cell }}", {"cell": cell}) == cell
    assert value("<{{ cell }}>", {"cell": cell}) == f"<{cell}>"


def test_columns_are_known_before_rows_are_read() -> None:
    """An expression tells which columns it needs, and which it can do without."""
    found = parse("{{ a ~ row['b c'] ~ (d | default(e)) ~ ('x' if f is defined else '') }}", {})
    assert (found.names, found.optional) == ({"a", "b c", "e"}, {"d", "f"})


def test_known_names_take_the_place_of_columns() -> None:
    """A name with a meaning of its own is put in before the row is asked."""
    found = parse("{{ layout }}/{{ name }}", {"layout": nodes.Const("square")})
    assert compiled(found.node)({"layout": "column", "name": "n"}) == "square/n"


def test_the_row_is_left_alone_when_the_condition_fails() -> None:
    """Nothing but the condition is evaluated for a row that is left out."""
    run = compiled(when(parse("{{ a > 1 }}", {}).node, both(parse("{{ gone }}", {}).node)))
    assert run({"a": 1}) is None
    with pytest.raises(MissingColumn):
        run({"a": 2})
