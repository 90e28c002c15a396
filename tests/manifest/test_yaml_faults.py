"""Bad YAML is told where its fault stands, with the text of that line."""

from __future__ import annotations

import pytest

from pictify_sync.errors import InputError
from pictify_sync.yaml_reader import read_document

TOP = [
    "version: 1",
    "name: a",
    "template: t",
    "layouts: [default]",
    "format: png",
    "rows:",
    "  - {id: a}",
    "  - {id: b}",
]


@pytest.mark.parametrize(
    ("more", "place", "words"),
    [
        (['key "{{ id }}"', "variables:", "  t: x"], (9, 1), "'key \"{{ id }}\"'"),
        (["variables:", "  t: x", " u: y", "key: z"], (11, 2), "indent this line like those it belongs to: 'u: ...'"),
        (["   - {id: c}", "key: z"], (9, 4), "'- {id: ...'"),
        (['key: "a" b', "variables: {}"], (9, 10), "'key: \"a\" b'"),
        (["key: 'it's'", "variables: {}"], (9, 10), "put quotes around the whole text"),
        (['key: "{{ id }}', "variables:", "  t: x"], (9, 6), "close the quote that begins here"),
        (["layouts: [a, b", "key: z"], (10, 4), "the ']' of what begins at 9:10"),
        (["variables:", "  t: x", "    u: y"], (11, 6), "'u: ...'"),
        (["key: 'a", "output: 'b'"], (9, 6), "close the quote that begins here"),
        (["key: a: b"], (9, 7), "'key: a: b'"),
        (["key " + "x" * 100, "a: b"], (9, 1), "..."),
    ],
)
def test_the_fault_is_told_with_its_line(more: list[str], place: tuple[int, int], words: str) -> None:
    """Never the line at which the whole mapping begins."""
    with pytest.raises(InputError) as refused:
        read_document("\n".join([*TOP, *more, ""]), "a.yaml")
    (problem,) = refused.value.problems
    assert (problem.line, problem.column) == place
    assert words in problem.hint
    assert "line 1" not in problem.hint


@pytest.mark.parametrize(
    "row",
    [
        "  - {id: x, title: A: b, token: S3CRET}",
        "  - id: x\n    token: S3CRET: 2",
        "  - id: x\n    token S3CRET\n    title: q",
        "  - id: x\n   token: S3CRET",
        '  - id: x\n    token: "S3CRET',
        '  - id: x\n    token : "S3CRET" "b"',
        "  - id: x\n    token: *S3CRET",
        "  - id: x\n    token: &S3CRET x",
        "  - id: x\n    token: !S3CRET x",
    ],
)
def test_no_value_of_a_row_is_told(row: str) -> None:
    """It may be sensitive, and no template can be asked while the YAML is bad."""
    text = "\n".join([*TOP[:6], row, 'key: "{{ id }}"', ""])
    with pytest.raises(InputError) as refused:
        read_document(text, "a.yaml")
    assert "S3CRET" not in str(refused.value)
