"""The HTML page as a file: its policy, what stands in it, and the pictures that it takes in."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from pictify_sync.core.preview import NOT_IN_SAMPLE, PictureFile, Preview
from pictify_sync.report.outcome import review_of_records
from pictify_sync.report.pages.embedding import WHOLE, embedded
from pictify_sync.report.pages.html import write_html
from pictify_sync.report.safe import safe
from pictify_sync.report.view import Review
from tests.report.gallery import picture, previews
from tests.report.plans import filled, recalling
from tests.report.reviews import (
    HOSTILE,
    everything,
    hostile_apply,
    hostile_drift,
    hostile_plan,
    hostile_records,
    many,
)

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=40),
    st.lists(st.sampled_from(["</script>", "<!--", "-->", "]]>", "<script>", '"', "'", "&lt;", "\\u003c", "\x00"])).map(
        "".join
    ),
)
PLACES = {"src", "href", "srcdoc", "style", "action", "formaction", "data", "poster", "srcset", "ping", "background"}


class Reader(HTMLParser):
    """Reads a page as a browser does, and keeps what matters."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[int, str] = {}  # number of a script or style -> its text
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in {"script", "style"} and self.cdata_elem:
            self.raw[len(self.tags) - 1] = self.raw.get(len(self.tags) - 1, "") + data
        else:
            self.words.append(data)


def read(folder: Path, review: Review, shown: dict[Any, Preview] | None = None) -> tuple[Reader, Any]:
    """Write a page; give what a browser reads of it, and its JSON."""
    file = folder / "page.html"
    write_html(review, shown or {}, file)
    reader = Reader()
    reader.feed(file.read_text(encoding="utf-8"))
    reader.close()
    number = next(at for at, (_, attributes) in enumerate(reader.tags) if attributes.get("id") == "review")
    return reader, json.loads(reader.raw[number])


@settings(max_examples=30)
@given(texts)
def test_strangers_text_makes_no_element(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever the text: the same elements as without it, no attribute that runs or loads, and JSON that is JSON."""
    folder, records = tmp_path_factory.mktemp("page"), hostile_records(text)
    for review in (
        hostile_plan(text),
        hostile_apply(text),
        hostile_drift(text),
        review_of_records(lambda: records, recalling(filled("x", {text: text}))),
    ):
        reader, content = read(folder, review)
        assert len(content["changes"]) == len(review.changes)
        assert [change["name"] for change in content["changes"]] == [change.name for change in review.changes]
        scripts = [attributes for tag, attributes in reader.tags if tag == "script"]
        assert scripts == [{"type": "application/json", "id": "review"}, {}]
        assert not {"img", "iframe", "object", "embed", "base", "form", "svg", "math"} & {tag for tag, _ in reader.tags}
        for tag, attributes in reader.tags:
            assert not any(name.startswith("on") for name in attributes)
            assert PLACES.isdisjoint(attributes) or (tag, attributes.get("href")) in {
                ("a", "#list"),
                ("link", "data:,"),
            }
    (folder / "page.html").unlink()


@given(texts)
@example("\u202eIMAGE\u200b\x1b[31m\ud800")
def test_a_note_is_safe_to_show(tmp_path_factory: pytest.TempPathFactory, note: str) -> None:
    """Why a picture could not be drawn may quote the data."""
    folder, review = tmp_path_factory.mktemp("page"), many(1)
    key = review.changes[0].key
    _, content = read(folder, review, {key: Preview(key, None, None, None, note)})
    assert content["changes"][0].get("note", "") == safe(note)


def test_the_policy_names_the_one_script_and_the_one_style(tmp_path: Path) -> None:
    """Nothing else runs, nothing is loaded, nothing is sent: what the policy allows is in the page, by its digest."""
    reader, _ = read(tmp_path, everything())
    policy = next(
        attributes["content"]
        for _, attributes in reader.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    digests = {}
    for number, text in reader.raw.items():
        tag, attributes = reader.tags[number]
        if not attributes:
            digests[tag] = f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
    assert policy == (
        f"default-src 'none'; img-src data:; style-src {digests['style']}; script-src {digests['script']}; "
        "base-uri 'none'; form-action 'none'"
    )


def test_the_page_names_no_other_place(tmp_path: Path) -> None:
    """Neither a host nor a file beside it."""
    file = tmp_path / "page.html"
    write_html(everything(), {}, file)
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import|//[a-z]+\.", text)


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What was there stays until the new page is complete, and no draft is left."""
    file = tmp_path / "page.html"
    file.write_text("before")

    class Broken(dict[Any, Preview]):
        def get(self, key: Any, default: Any = None) -> Any:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        write_html(everything(), Broken(), file)
    assert file.read_text() == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]


def test_the_page_says_what_it_leaves_out(tmp_path: Path) -> None:
    """Changes beyond the limit are counted, and so are pictures without room."""
    review = many(10_030, manifests=2)
    reader, content = read(tmp_path, review)
    assert len(content["changes"]) == 10_000
    assert content["total"] == 10_030
    assert "10,000 of 10,030 are listed; the other 30 are only counted." in reader.words


def test_pictures_are_named_where_they_are_shown(tmp_path: Path) -> None:
    """Each picture stands in the page once, and is a picture that a browser reads."""
    review = many(12, manifests=1)
    reader, content = read(tmp_path, review, previews(tmp_path, review))
    names = {
        attributes["id"]: reader.raw[at]
        for at, (_, attributes) in enumerate(reader.tags)
        if at in reader.raw and "id" in attributes
    }
    used = {
        change[side] for change in content["changes"] for side in ("before", "after", "difference") if side in change
    }
    assert used == {name for name in names if name and name.startswith("picture-")}
    for name in used:
        head, _, rest = names[name].partition(";base64,")
        with Image.open(BytesIO(b64decode(rest))) as image:
            assert head == f"data:image/{(image.format or '').lower()}"


def test_the_page_counts_what_is_not_drawn(tmp_path: Path) -> None:
    """Above the list, in the words of a comment."""
    review = many(2)
    first, second = (change.key for change in review.changes)
    shown = {
        first: Preview(first, None, None, None, "too hard to draw"),
        second: Preview(second, None, None, None, NOT_IN_SAMPLE),
    }
    reader, _ = read(tmp_path, review, shown)
    assert {"1 picture cannot be drawn.", "1 change is not in the sample of pictures."} <= {*reader.words}


def test_large_pictures_are_scaled_down_and_small_ones_are_not_touched(tmp_path: Path) -> None:
    """A page stays small, and a picture that is small already keeps its very bytes."""
    small = picture(tmp_path, "small", "red")
    noise = Image.effect_noise((2400, 1260), 80)
    noise.save(tmp_path / "large.png")
    large = PictureFile(str(tmp_path / "large.png"), "image/png", 2400, 1260)
    found = dict(embedded([small, large, small]))
    assert b64decode(found[small].partition(",")[2]) == Path(small.path).read_bytes()
    with Image.open(BytesIO(b64decode(found[large].partition(",")[2]))) as image:
        assert image.size == (1200, 630)
    assert len(found[large]) < Path(large.path).stat().st_size / 2 > WHOLE


def test_what_is_no_picture_is_left_out(tmp_path: Path) -> None:
    """A page takes no markup, no other format, no bomb and no missing file into itself."""
    svg = tmp_path / "x.svg"
    svg.write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    gif = tmp_path / "x.gif"
    Image.new("P", (2000, 9)).save(gif)
    cut = picture(tmp_path, "cut", "red", size=(2000, 900))
    Path(cut.path).write_bytes(Path(cut.path).read_bytes()[:200])
    bad = [
        PictureFile(str(svg), "image/svg+xml", 1, 1),
        PictureFile(str(gif), "image/png", 2000, 9),
        PictureFile(str(tmp_path / "gone.png"), "image/png", 1, 1),
        PictureFile(cut.path, "image/png", 100_000, 100_000),
        cut,
    ]
    assert list(embedded(bad)) == []


def test_pictures_never_take_more_than_their_room(tmp_path: Path) -> None:
    """With less room fewer pictures are taken in, from the first one on."""
    files = [picture(tmp_path, f"p{number:02}", "red", size=(200 + number, 90)) for number in range(30)]
    taken = list(embedded(files, room=3000))
    assert [one for one, _ in taken] == files[: len(taken)]
    assert 0 < len(taken) < 30
    assert sum(len(address) for _, address in taken) <= 3000


def test_pictures_that_are_not_in_the_page_are_counted(tmp_path: Path) -> None:
    """Whoever looks at the page knows that there are more."""
    review = many(30, manifests=1)
    shown = previews(tmp_path, review)
    for file in tmp_path.glob("p00[12]*.png"):
        file.write_text("no picture")
    reader, _ = read(tmp_path, review, shown)
    assert any("pictures found no room here, or could not be read" in words for words in reader.words)
