"""Characters of a YAML text are found in its file, however it is written."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.manifest.pinpoint import Scalars
from pictify_sync.yaml_reader import read_document

MARK = "\u00a7"
pieces = st.text(st.sampled_from("ab {}\n'\"\\:#-é日\U0001f600\t|>,"), max_size=60)


@pytest.mark.parametrize("style", ["'", '"', "|", ">", None])
@given(before=pieces, after=pieces, escaped=st.booleans(), width=st.integers(20, 60))
def test_a_character_is_found_where_it_stands(
    style: str | None, before: str, after: str, escaped: bool, width: int
) -> None:
    """In plain, quoted, folded and literal texts over any number of lines; the start stands for what is not found."""
    value = {"x": [1, before + MARK + after]}
    text = yaml.safe_dump(value, default_style=style, allow_unicode=not escaped, width=width).replace("!!int ", "")
    document = read_document(text, "f.yaml")
    path = ("x", 1)
    start = document.places([path])[path][2:]
    line, column = Scalars(document).spot(path, start, len(before))
    found = text.splitlines()[line - 1][column - 1 :]
    assert found.startswith((MARK, "\\xA7"))


def test_what_is_no_text_is_where_it_starts() -> None:
    """A path that leads to nothing, or to no text, has no characters."""
    scalars = Scalars(read_document("a: 1\nb: [x]\n", "f.yaml"))
    assert scalars.spot(("a",), (1, 4), 3) == (1, 4)
    assert scalars.spot(("b", 7), (2, 4), 0) == (2, 4)
    assert scalars.spot(("b", 0), (2, 5), 0) == (2, 5)
