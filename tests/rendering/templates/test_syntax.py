"""What a template says before it is filled: names it uses, faults and where they are."""

from __future__ import annotations

import pytest

from pictify_sync.rendering.failure import Cause
from pictify_sync.rendering.handlebars.syntax import Fault, read


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{{b}}{{a.c}}{{this.d}}{{./e}}{{[f g]}}", ["a", "b", "d", "e", "f g"]),
        (
            "{{#each items}}{{name}}{{this.x}}{{@index}}{{../title}}{{@root.deep.x}}{{/each}}",
            ["deep", "items", "title"],
        ),
        ("{{#with o}}{{a}}{{#if b}}{{../c}}{{/if}}{{/with}}", ["c", "o"]),
        ("{{#if a}}{{b}}{{else if c}}{{d}}{{else}}{{e}}{{/if}}", ["a", "b", "c", "d", "e"]),
        ("{{#each items}}{{x}}{{else}}{{none}}{{/each}}", ["items", "none"]),
        ("{{#each items as |item n|}}{{item.x}}{{n}}{{y}}{{/each}}{{n}}", ["items", "n"]),
        (
            "{{currency (sum prices) code}}{{default x 'y'}}{{#if (isEmpty list)}}{{/if}}",
            ["code", "list", "prices", "x"],
        ),
        ("{{#each a}}{{#each ../b}}{{../../c}}{{../d}}{{/each}}{{/each}}", ["a", "b", "c"]),
        ("{{#each this}}{{x}}{{/each}}{{#with @root}}{{y}}{{/with}}{{@root.z}}", ["y", "z"]),
        ("{{! {{a}} }}{{!-- {{b}} --}}\\{{c}}{{'d'}}{{true}}{{12}}", []),
        ("{{{raw}}}{{&amp}}{{~tight~}}", ["amp", "raw", "tight"]),
        ("{{#if n includeZero=zero}}{{/if}}{{../up}}{{título}}{{a-b}}{{_c1}}", ["_c1", "a-b", "n", "título", "zero"]),
    ],
)
def test_names(template: str, names: list[str]) -> None:
    """Root names are found, sorted; names inside a block that changes the context are its own."""
    assert list(read(template, None).names) == names


@pytest.mark.parametrize(
    ("template", "place", "code", "words"),
    [
        ("a\n  {{eq a b}}", (2, 5), Cause.HELPER, "'eq'"),
        ("{{trim (uper x)}}", (1, 9), Cause.HELPER, "'uper'"),
        ("{{#if (gt a 1)}}{{/if}}", (1, 8), Cause.HELPER, "'gt'"),
        ("\n\n<b>{{#list}}x{{/list}}", (3, 7), Cause.HELPER, "'#list'"),
        ("{{^a}}x{{/a}}", (1, 4), Cause.HELPER, "'#a'"),
        ("{{{{raw}}}} {{{{/raw}}}}", (1, 1), Cause.HELPER, "'raw'"),
        ("{{lookup a b}}", (1, 3), Cause.HELPER, "'lookup'"),
        ("{{log a}}{{if b}}", (1, 3), Cause.HELPER, "'log'"),
        ("{{> card}}", (1, 1), Cause.SYNTAX, "partials"),
        ("x {{#if a}} {{#each b}} {{/each}}", (1, 3), Cause.SYNTAX, "never closed"),
        ("{{#if a}}{{/each}}", None, Cause.SYNTAX, "match"),
        ("{{/if}}", (1, 1), Cause.SYNTAX, "closing"),
        ("{{a", None, Cause.SYNTAX, "not closed"),
        ("{{else}}", None, Cause.SYNTAX, "outside"),
        ("{{}}", None, Cause.SYNTAX, "expected"),
        ("{{#if}}{{/if}}", (1, 4), Cause.SYNTAX, "one value"),
        ("{{#if a b}}{{/if}}", (1, 4), Cause.SYNTAX, "one value"),
        ("{{items.0}}", (1, 9), Cause.SYNTAX, "[0]"),
        ("{{a b='}}", None, Cause.SYNTAX, "string"),
        ("é😀\r\n{{{x}}}", (2, 4), Cause.RAW_HTML, "'x'"),
    ],
)
def test_fault(template: str, place: tuple[int, int] | None, code: str, words: str) -> None:
    """A fault has a code, a place (1-based, in letters) and says what is wrong."""
    fault = read(template).faults[0]
    assert fault.cause == code
    assert words in fault.message
    assert place is None or (fault.line, fault.column) == place


def test_every_fault_is_told_with_a_hint() -> None:
    """All unknown functions are told at once, with the nearest right name or another way."""
    assert list(read("{{uppercas a}}\n{{add a 1}} {{#iff a}}{{/iff}}").faults) == [
        Fault(1, 3, Cause.HELPER, "the helper 'uppercas' is not allowed", "did you mean 'uppercase'?"),
        Fault(2, 3, Cause.HELPER, "the helper 'add' is not allowed",
              "compute it in the manifest and pass the result as a variable"),
        Fault(2, 16, Cause.HELPER, "the block helper '#iff' is not allowed",
              "the blocks are #each, #if, #unless, #with"),
    ]  # fmt: skip


def test_a_variable_named_like_a_function_is_warned_of() -> None:
    """Pictify may call the function instead: a warning, without a code, that says how to be sure."""
    (fault,) = read("{{date}}{{this.date}}{{date when}}").faults
    assert (fault.cause, fault.line, fault.column) == (None, 1, 3)
    assert "{{this.date}}" in fault.hint
