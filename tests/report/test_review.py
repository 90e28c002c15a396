"""Reviews: what they keep, what they count, and what comes first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.drift import Drift, Observed
from pictify_sync.core.events import AssetFailed, AssetRemoved, AssetStored, AssetUnresolved, Event, Waiting
from pictify_sync.core.model import Action, AssetKey, Change, DriftKind, Record
from pictify_sync.providers.pictify.remedies import REMEDIES
from pictify_sync.report.outcome import EventRecorder, review_of_apply, review_of_drift, review_of_records
from pictify_sync.report.view import LISTED, review_of_plan
from pictify_sync.report.words import duration, share
from pictify_sync.workflows.apply.outcome import ApplySummary
from tests.core.assets import record
from tests.report.plans import create, every_kind, failed_record, filled, plan_of, recalling, update
from tests.report.reviews import everything, many


def test_a_review_counts_every_change_that_asks_for_something() -> None:
    """What is kept as it is neither counts nor shows; everything else does, in key order."""
    review = everything()
    asked = [change for change in every_kind() if change.action is not Action.KEEP]
    assert [change.key for change in review.changes] == sorted(change.key for change in asked)
    assert {one.action: one.number for one in review.counts} == Counter(str(change.action) for change in asked)
    assert review.total == len(asked)


def test_at_most_so_many_changes_are_kept_fairly() -> None:
    """A manifest with few changes is not crowded out, and the counts are those of all."""
    changes = [create(f"k{n}", manifest="large") for n in range(LISTED + 500)]
    changes += [create(f"k{n}", manifest="small") for n in range(30)]
    review = review_of_plan(plan_of(changes), recalling())
    kept = Counter(change.manifest for change in review.changes)
    assert kept == {"large": LISTED - 30, "small": 30}
    assert review.total == LISTED + 530
    assert {one.name: one.total for one in review.manifests} == {"large": LISTED + 500, "small": 30}


def test_sensitive_values_are_nowhere_in_a_review() -> None:
    """Not of new assets, not of changed ones, not of recorded ones."""
    old: dict[str, object] = {"email": {"$sensitive": "0123456789abcdef"}}
    new: dict[str, object] = {"email": {"$sensitive": "fedcba9876543210"}}
    added = filled("added", new)
    plan = plan_of([update("x", old, new), replace(create("added"), asset=added)])
    held = record(filled("x", old))
    known = recalling(filled("x", old))
    for review in (review_of_plan(plan, known), review_of_records(lambda: [held], known)):
        assert "(sensitive)" in str(review)
        assert "0123456789" not in str(review)
        assert "fedcba98" not in str(review)


def test_digests_alone_are_told_so() -> None:
    """A state that keeps no values can still say that they differ."""
    review = review_of_plan(plan_of([update("x", {"a": 1}, {"a": 2})]), lambda _: None)
    assert review.changes[0].values == (
        ("variables", "", "differ; the recorded values are not kept, only their digest"),
    )


def test_values_beyond_the_limit_are_counted() -> None:
    """A change of very many variables stays short."""
    old: dict[str, object] = {f"v{n:03}": n for n in range(100)}
    new: dict[str, object] = {f"v{n:03}": -n - 1 for n in range(100)}
    change = review_of_plan(plan_of([update("x", old, new)]), recalling(filled("x", old))).changes[0]
    assert len(change.values) + change.more == 100
    assert change.more > 0


@pytest.mark.parametrize("change", every_kind(), ids=lambda change: f"{change.action}-{change.reason}")
def test_a_change_says_where_its_file_goes(change: Change) -> None:
    """Every change but those that were never anywhere names a path; one that moves names both."""
    if change.action is Action.KEEP:
        return
    reviewed = review_of_plan(plan_of([change]), recalling()).changes[0]
    assert reviewed.path
    assert bool(reviewed.was) == (change.action is Action.MOVE or reviewed.values[:1] == (("format", "png", "webp"),))
    assert reviewed.renders == change.renders


def test_an_apply_tells_trouble_first() -> None:
    """Failures, then pictures without a URL, then what went well; a failure that was mended later is none."""
    recorder = EventRecorder()
    passed: list[Event] = []
    watch = recorder.watching(passed.append)
    events: list[Event] = [
        AssetStored(AssetKey("a/1@default"), "a/1.png", rendered=True),
        AssetFailed(AssetKey("a/2@default"), "RENDER_TIMEOUT", "slow"),
        AssetFailed(AssetKey("a/3@default"), "BAD_DOWNLOAD", "cut"),
        AssetStored(AssetKey("a/3@default"), "a/3.png", rendered=True),
        AssetUnresolved(AssetKey("b/4@default")),
        AssetRemoved(AssetKey("b/5@default"), "b/5.png"),
        Waiting(3, "for the provider"),
    ]
    for event in events:
        watch(event)
    assert passed == events
    done = ApplySummary(
        stored=2, failed=((AssetKey("a/2@default"), "RENDER_TIMEOUT", "slow"),), billed_min=3, billed_max=4
    )
    review = review_of_apply(done, recorder, REMEDIES, seconds=83)
    assert [change.action for change in review.changes] == ["failed", "rendered", "stored", "stored", "removed"]
    assert "apply again" in review.changes[0].remedy
    assert dict(review.facts)["Billed"] == "3 to 4"
    assert dict(review.facts)["Took"] == "1 min 23 s"
    assert review.warning
    assert list(recorder.stored()) == ["a/1@default", "a/3@default"]


def test_drift_is_counted_by_kind() -> None:
    """Each kind has its count, and no drift is good news."""
    files = tuple(Drift(AssetKey(f"a/{n}@default"), kind, "p.png") for n, kind in enumerate([*DriftKind, *DriftKind]))
    review = review_of_drift(Observed(files))
    assert {one.action: one.number for one in review.counts} == {str(kind): 2 for kind in DriftKind}
    assert not review_of_drift(Observed()).warning


def test_records_in_trouble_come_first() -> None:
    """Failed, drifted, the others; each in key order."""
    records: list[Record] = [
        record(filled("a", {})),
        replace(record(filled("b", {})), drift=DriftKind.MISSING),
        failed_record("c", "RENDER_TIMEOUT", "slow"),
        record(filled("d", {})),
    ]
    review = review_of_records(lambda: records, recalling())
    assert [change.name[0] for change in review.changes] == ["c", "b", "a", "d"]
    assert review.headline == "4 pictures recorded in 1 manifest."


@given(st.integers(0, 60), st.integers(1, 9))
def test_manifests_and_counts_agree(number: int, manifests: int) -> None:
    """The counts of the manifests add up to those of the whole."""
    review = many(number, manifests=manifests)
    added: Counter[str] = Counter()
    for manifest in review.manifests:
        added.update({one.action: one.number for one in manifest.counts})
    assert added == {one.action: one.number for one in review.counts}
    assert sum(one.total for one in review.manifests) == review.total == number


@given(st.floats(0, 1))
def test_a_share_never_reads_as_nothing_or_all_when_it_is_not(part: float) -> None:
    """0 % means none, 100 % means all."""
    assert (share(part) == "0 %") == (part == 0)
    assert (share(part) == "100 %") == (part == 1)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_a_duration_in_words(seconds: float, words: str) -> None:
    """The two largest units."""
    assert duration(seconds) == words
