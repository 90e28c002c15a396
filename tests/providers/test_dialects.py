"""The reader of results: every documented shape, their contradictions, and anything else that is JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pictify_sync.core.outcomes import BatchStatus, Failed, Rendered
from pictify_sync.providers.pictify.dialects import read_results

URL = "https://cdn.pictify.io/r/a.png"
LOST = Failed("NO_OUTCOME", "the provider's results do not mention this picture")


def test_nested() -> None:
    """OpenAPI's shape: pictures and failures per layout inside the item."""
    picture = {"layout": "default", "url": URL, "width": 1200, "height": "630", "id": "img_1"}
    item = {
        "index": 0,
        "success": True,
        "results": [picture],
        "errors": [{"layout": "story", "error": "RENDER_TIMEOUT"}],
    }
    report = read_results({"status": "partial", "results": [item], "completedItems": 1}, 1, ("default", "story"))
    assert report.status is BatchStatus.PARTIAL
    assert report.outcomes == {
        (0, "default"): Rendered(URL, 1200, 630, "img_1"),
        (0, "story"): Failed("RENDER_TIMEOUT", "RENDER_TIMEOUT"),
    }


def test_names_only() -> None:
    """The guide's shape: success means rendered, with a URL that is not known."""
    body = {
        "batchId": "b",
        "status": "partial",
        "results": [{"index": 0, "success": True, "variables": ["a"]}],
        "errors": [{"index": 1, "error": "The picture could not be fetched"}],
    }
    report = read_results(body, 2, ("default",))
    assert report.outcomes == {
        (0, "default"): Rendered(None),
        (1, "default"): Failed("RENDER_FAILED", "The picture could not be fetched"),
    }
    assert report.done == 2


def test_legacy_envelope() -> None:
    """January's shape: counts of other names in an envelope, words of status per item."""
    body = {
        "batch": {"id": "b", "status": "processing", "completedCount": 1, "failedCount": 1},
        "results": [
            {"index": 0, "status": "completed", "url": URL, "id": "i"},
            {"index": 1, "status": "failed", "error": {"code": "EXPRESSION_ERROR", "message": "no such name"}},
            {"index": 2, "status": "pending"},
        ],
    }
    report = read_results(body, 3, ("story",))
    assert report.status is BatchStatus.OPEN
    assert report.done == 2
    assert report.outcomes == {
        (0, "story"): Rendered(URL, remote_id="i"),
        (1, "story"): Failed("EXPRESSION_ERROR", "no such name"),
    }


@pytest.mark.parametrize(
    "body",
    [
        {"results": [{"index": "0", "url": URL}, {"index": 1.0, "error": "X_Y"}]},
        {"result": {"results": [{"index": 0, "result": {"url": URL}}], "errors": [{"index": 1, "error": "X_Y"}]}},
        {"results": [{"index": 1, "success": "false", "error": "X_Y"}, {"index": 0, "userStorageUrl": URL}]},
        {"results": [{"index": 0, "url": URL}], "errors": [{"index": 1, "layout": "default", "code": "X_Y"}]},
    ],
)
def test_flat_and_dashboard(body: dict[str, Any]) -> None:
    """URLs and failures are found wherever they stand, in any order."""
    report = read_results({"status": "COMPLETED", **body}, 2, ("default",))
    good, bad = report.outcomes[0, "default"], report.outcomes[1, "default"]
    assert isinstance(good, Rendered)
    assert good.url == URL
    assert isinstance(bad, Failed)
    assert bad.code == "X_Y"


def test_what_is_not_told_has_failed() -> None:
    """After the end, an index without an outcome is a failure, never a success; before it, it is open."""
    item = {"index": 0, "success": True}
    assert read_results({"status": "completed", "results": [item]}, 2, ("default",)).outcomes[1, "default"] == LOST
    assert (1, "default") not in read_results({"status": "processing", "results": [item]}, 2, ("default",)).outcomes
    cancelled = read_results({"status": "cancelled"}, 1, ("default",)).outcomes[0, "default"]
    assert isinstance(cancelled, Failed)
    assert cancelled.code == "CANCELLED"


def test_a_missing_layout_has_failed() -> None:
    """Pictures of some layouts do not stand for the others."""
    item = {"index": 0, "success": True, "results": [{"layout": "default", "url": URL}]}
    report = read_results({"status": "completed", "results": [item]}, 1, ("default", "story"))
    assert report.outcomes[0, "story"] == LOST


def test_foreign_places_are_ignored() -> None:
    """An index or a layout that was not asked for changes nothing."""
    items = [
        {"index": 5, "success": True, "url": URL},
        {"index": -1, "success": True, "url": URL},
        {"index": True, "success": True, "url": URL},
        {"success": True, "url": URL},
        {"index": 0, "results": [{"layout": "other", "url": URL}], "errors": [{"layout": "third", "error": "X_Y"}]},
    ]
    report = read_results({"status": "completed", "results": items}, 1, ("default",))
    assert report.outcomes == {(0, "default"): LOST}


def test_a_url_without_a_layout_is_no_ones_among_many() -> None:
    """With several layouts, a URL that names none is not given to any of them."""
    item = {"index": 0, "success": True, "url": URL}
    report = read_results({"status": "completed", "results": [item]}, 1, ("default", "story"))
    assert report.outcomes == {(0, "default"): Rendered(None), (0, "story"): Rendered(None)}


def test_failures_count_wherever_they_stand() -> None:
    """A picture of an item that failed as a whole is not trusted; one beside named failures is."""
    whole = {"index": 0, "success": False, "results": [{"layout": "a", "url": URL}]}
    some = {"index": 1, "success": False, "results": [{"layout": "a", "url": URL}], "errors": [{"layout": "b"}]}
    report = read_results({"status": "partial", "results": [whole, some]}, 2, ("a", "b"))
    assert isinstance(report.outcomes[0, "a"], Failed)
    assert isinstance(report.outcomes[1, "a"], Rendered)
    assert isinstance(report.outcomes[1, "b"], Failed)


def test_unknown_words_mean_open() -> None:
    """A status that nobody documents means that the batch is not finished."""
    for word in ("queued", "", "COMPLETED_WITH_LOVE", None, 7):
        assert read_results({"status": word, "results": []}, 1, ("default",)).status is BatchStatus.OPEN


LAYOUTS = ("default", "story")
WORDS = st.sampled_from(
    [
        "completed",
        "partial",
        "failed",
        "cancelled",
        "pending",
        "weird",
        "default",
        "story",
        "other",
        "X_Y",
        "X: y",
        URL,
        "",
    ]
)
NAMES = st.sampled_from(
    ["status", "results", "errors", "batch", "result", "index", "success", "error", "layout", "url", "userStorageUrl",
     "width", "height", "id", "code", "message", "completedItems", "failedCount", "variables"]
)  # fmt: skip
SMALL = st.none() | st.booleans() | st.integers(-2, 4) | st.floats(allow_nan=True) | WORDS | st.text(max_size=3)
ANYTHING = st.recursive(
    SMALL, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=40
)
ITEMS = st.lists(st.dictionaries(NAMES, ANYTHING, max_size=6) | ANYTHING, max_size=5)
BODIES = st.fixed_dictionaries({}, optional={"status": WORDS, "results": ITEMS, "errors": ITEMS, "batch": ANYTHING})


@settings(max_examples=400, deadline=None)
@given(body=BODIES | ANYTHING, items=st.integers(1, 4), layouts=st.sampled_from([LAYOUTS, ("default",), ("story",)]))
def test_any_answer_is_read(body: object, items: int, layouts: tuple[str, ...]) -> None:
    """No JSON breaks the reader; a terminal answer accounts for every picture, and none tells of others."""
    report = read_results(body, items, layouts)
    asked = {(index, layout) for index in range(items) for layout in layouts}
    assert set(report.outcomes) <= asked
    if report.status is not BatchStatus.OPEN:
        assert set(report.outcomes) == asked
    assert 0 <= report.done <= items
    for outcome in report.outcomes.values():
        if isinstance(outcome, Failed):
            assert outcome.code
            assert outcome.message


@settings(max_examples=200, deadline=None)
@given(
    marks=st.lists(st.sampled_from(["ok", "bad", "none"]), min_size=1, max_size=6), order=st.randoms(), data=st.data()
)
def test_order_means_nothing(marks: list[str], order: Any, data: st.DataObject) -> None:
    """Outcomes follow the index, in whatever order the items come."""
    told = {"ok": {"success": True, "url": URL}, "bad": {"success": False, "error": "X_Y"}}
    items = [{"index": index, **told[mark]} for index, mark in enumerate(marks) if mark in told]
    order.shuffle(items)
    report = read_results({"status": "completed", "results": items}, len(marks), ("default",))
    for index, mark in enumerate(marks):
        expected = {"ok": Rendered(URL), "bad": Failed("X_Y", "X_Y"), "none": LOST}[mark]
        assert report.outcomes[index, "default"] == expected
