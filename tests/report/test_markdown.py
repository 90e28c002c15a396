"""Markdown: golden pages, bounds that always hold, and nothing in it that a stranger wrote is more than text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pictify_sync.core.drift import Drift, Observed, TemplateDrift
from pictify_sync.core.events import AssetFailed, AssetStored
from pictify_sync.core.model import AssetKey, DriftKind
from pictify_sync.core.preview import NOT_IN_SAMPLE, Comparison, PictureFile, Preview
from pictify_sync.providers.pictify.remedies import REMEDIES
from pictify_sync.report.markdown.escape import cell
from pictify_sync.report.markdown.plan import COMMENT, JOB_SUMMARY, LEAST, markdown
from pictify_sync.report.outcome import EventRecorder, review_of_apply, review_of_drift, review_of_records
from pictify_sync.report.safe import safe
from pictify_sync.report.view import Review, review_of_plan
from pictify_sync.workflows.apply.outcome import ApplySummary
from tests.report.plans import filled, plan_of, recalling, update
from tests.report.reviews import (
    HOSTILE,
    MARK,
    everything,
    hostile_apply,
    hostile_drift,
    hostile_plan,
    hostile_records,
    many,
)

GOLDEN = Path(__file__).parent / "golden" / "markdown"
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = re.compile(
    r"<details>\n<summary>(?:Template )?<code>[^<>\n]*</code>: [a-z0-9, ()URL-]+</summary>\n|</details>\n?|<br>"
)
WORDS = re.compile(r"[\w ,.:;()→%'|~-]*")  # of ours, outside code
LINKED = re.compile(r"www\.|://|@|#|GH-|\]\(", re.IGNORECASE)

texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=60),
    st.lists(st.sampled_from([*"`|\\<>&[]()@#*_~!\n\r -", "<br>", "</details>", "```", "www.a.b", MARK])).map("".join),
)


def apply_page() -> str:
    """Failures, with what to do about them."""
    recorder = EventRecorder()
    for number in range(1200):
        recorder.note(AssetStored(AssetKey(f"cards/k{number:04}@default"), f"cards/{number}.png", rendered=True))
    failed = tuple(
        (AssetKey(f"cards/bad{n}@default"), code, message)
        for n, (code, message) in enumerate([("RENDER_TIMEOUT", "took over 30 s"), ("odd code!", "<b>no</b> | @you")])
    )
    for one in failed:
        recorder.note(AssetFailed(*one))
    done = ApplySummary(
        stored=1200, failed=failed, billed_min=1200, billed_max=1202, in_doubt=1, stopped="no credits left"
    )
    return markdown(review_of_apply(done, recorder, REMEDIES, seconds=3725), {}, JOB_SUMMARY)


def drift_page() -> str:
    """Drift of files and of a template."""
    files = [Drift(AssetKey(f"cards/{kind}@default"), kind, f"cards/{kind}.png") for kind in DriftKind]
    return markdown(
        review_of_drift(
            Observed(
                tuple(files),
                (TemplateDrift("pictify", "card", "u1", "changed", ("default", "tall")),),
                looked=12,
                templates_looked=1,
            )
        ),
        {},
        COMMENT,
    )


def pictures_page() -> str:
    """A plan whose pictures were compared."""
    review, picture = everything(), PictureFile("/nowhere.png", "image/png", 1, 1)
    found = [Comparison(0.0, None), Comparison(0.1234, None), Comparison(0.00001, None), Comparison(1.0, None)]
    previews = {
        change.key: Preview(change.key, picture, picture, one)
        for change, one in zip(review.changes, [*found, None, None], strict=False)
    }
    return markdown(review, previews, COMMENT)


PAGES: Mapping[str, Callable[[], str]] = {
    "apply": apply_page,
    "drift": drift_page,
    "everything": lambda: markdown(everything(), {}, COMMENT),
    "folded": lambda: markdown(many(60, manifests=3), {}, LEAST),
    "many-manifests": lambda: markdown(many(300, manifests=150), {}, 6000),
    "nothing": lambda: markdown(review_of_plan(plan_of([]), recalling()), {}, COMMENT),
    "pictures": pictures_page,
}


@pytest.mark.parametrize("name", PAGES)
def test_golden(name: str) -> None:
    """The page is word for word as kept; written when it is missing, so delete a file to renew it."""
    file = GOLDEN / f"{name}.md"
    found = PAGES[name]()
    if not file.exists():
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


def walk(tokens: list[Token]) -> Iterator[Token]:
    """Give every token of a page."""
    for token in tokens:
        yield token
        yield from walk(token.children or [])


def proper(page: str) -> None:
    """Prove that a page holds no link, picture or markup but ours, and that what begins also ends."""
    tokens = list(walk(PARSER.parse(page)))
    for token in tokens:
        assert token.type not in {"link_open", "image", "hr", "s_open", "em_open", "blockquote_open", "code_block"}
        assert not token.type.startswith(("heading", "ordered"))
        if token.type in {"html_block", "html_inline"}:
            assert OURS.fullmatch(token.content), token.content
        if token.type == "text":
            assert WORDS.fullmatch(token.content), token.content
            assert not LINKED.search(token.content), token.content
        if token.type == "fence":
            assert token.info == "diff"
    blocks = "".join(token.content for token in tokens if token.type == "html_block")
    assert blocks.count("<details>") == blocks.count("</details>")
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in {"td_open", "th_open"}]
    assert not cells or len(cells) >= 2 * len(rows)
    assert not any(token.type == "text" and "\\|" in token.content for token in tokens)


@given(texts, st.sampled_from([1, 2, 9]), st.sampled_from([LEAST, 20_000, COMMENT]))
@example(HOSTILE[2], 3, COMMENT)
@example("w" * 5000, 40, LEAST)
@example("\U0001f600" * 3000, 40, LEAST)
def test_whatever_the_text_a_plan_stays_within_its_bounds_and_its_markup(text: str, number: int, limit: int) -> None:
    """Keys, values, paths, templates, providers and failures are text, in code, in whole rows; no byte too many."""
    page = markdown(hostile_plan(text, number), {}, limit)
    assert len(page.encode()) <= limit
    proper(page)


@given(texts)
def test_other_pages_keep_to_their_markup(text: str) -> None:
    """An apply, drift and records hold the same kinds of strangers' text."""
    records = hostile_records(text)
    for review in (
        hostile_apply(text),
        hostile_drift(text),
        review_of_records(lambda: records, recalling(filled("x", {text: text}))),
    ):
        page = markdown(review, {}, COMMENT)
        assert len(page.encode()) <= COMMENT
        proper(page)


@settings(max_examples=4)
@given(st.integers(0, 5000), st.integers(1, 3000), st.sampled_from([LEAST, COMMENT, JOB_SUMMARY]))
@example(5000, 5000, LEAST)
@example(5000, 1, JOB_SUMMARY)
def test_any_number_of_changes_fits(number: int, manifests: int, limit: int) -> None:
    """From none to 5,000 changes, in few manifests or many: the page fits, is whole, and counts what it leaves out."""
    review = many(number, manifests=manifests)
    page = markdown(review, {}, limit)
    assert len(page.encode()) <= limit
    proper(page)
    assert counted(page) == review.total


def counted(page: str) -> int:
    """Add up the page's first table."""
    rows = [line for line in page.partition("<details>")[0].splitlines() if line.startswith("| ")][1:]
    return sum(int(cell.replace(",", "")) for row in rows for cell in row.split("|")[2:-1])


def test_a_section_counts_what_it_does_not_list() -> None:
    """The rows of a manifest and those it leaves out are together all of its changes."""
    review = many(900, manifests=3)
    page = markdown(review, {}, 20_000)
    for section in page.split("<details>")[1:]:
        listed = len(re.findall(r"^\| (?:create|update) \|", section, re.MULTILINE))
        rest = re.search(r"^and ([\d,]+) more", section, re.MULTILINE)
        assert listed + int(rest.group(1).replace(",", "") if rest else 0) == 300


def test_every_manifest_has_its_share() -> None:
    """A large manifest leaves room for the rows of small ones."""
    changes = [update(f"k{n}", {"a": 1}, {"a": 2}, manifest="large") for n in range(3000)]
    changes += [update("one", {"a": 1}, {"a": 2}, manifest="small")]
    page = markdown(review_of_plan(plan_of(changes), recalling(filled("x", {"a": 1}))), {}, LEAST)
    assert "`one@default` | variables changed | `small/one.default.png`<br>`a`: `1` → `2` |" in page


def test_sensitive_values_are_never_shown() -> None:
    """Neither the value's digest nor a hint of it."""
    old: dict[str, object] = {"email": {"$sensitive": "0123456789abcdef"}}
    new: dict[str, object] = {"email": {"$sensitive": "fedcba9876543210"}}
    page = markdown(review_of_plan(plan_of([update("x", old, new)]), recalling(filled("x", old))), {}, COMMENT)
    assert "`email`: `(sensitive)` → `(another value)`" in page
    assert not re.search("0123456789|fedcba98", page)


@given(texts)
def test_a_preview_says_what_could_not_be_drawn_and_why(note: str) -> None:
    """The reason stands in the row, as text; the whole is counted, and so is what is not in the sample."""
    review, picture = many(4, manifests=1), PictureFile("/nowhere.png", "image/png", 1, 1)
    first, second, third, fourth = (change.key for change in review.changes)
    previews = {
        first: Preview(first, None, None, None, f"{note}!"),
        second: Preview(second, picture, picture, None, f"{note}?"),
        third: Preview(third, picture, picture, Comparison(0.5, None), "may be drawn differently"),
        fourth: Preview(fourth, None, None, None, NOT_IN_SAMPLE),
    }
    page = markdown(review, previews, COMMENT)
    proper(page)
    assert "1 picture cannot be drawn." in page
    assert "1 change is not in the sample of pictures." in page
    assert "may be drawn differently" not in page
    for said in ("!", "?"):
        assert cell(safe(note + said), 200) in page


def test_too_little_room_is_refused() -> None:
    """A page that cannot hold its own summary would be a lie."""
    with pytest.raises(ValueError, match="no room"):
        markdown(everything(), {}, LEAST - 1)


def test_a_review_is_not_changed_by_writing_it() -> None:
    """The same review gives the same page twice."""
    review: Review = everything()
    assert markdown(review, {}, COMMENT) == markdown(review, {}, COMMENT)
