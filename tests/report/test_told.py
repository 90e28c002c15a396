"""Problems, summaries, records and history in words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pictify_sync.core.entries import Intended, Ledger, OpenBatch
from pictify_sync.core.model import AssetKey, Capabilities, DriftKind, Status
from pictify_sync.errors import Conflict, InputError, NotApproved, Problem, Severity, UsageError
from pictify_sync.providers.pictify.remedies import REMEDIES
from pictify_sync.report.terminal.explain import explain_lines
from pictify_sync.report.terminal.problems import error_lines, problem_lines
from pictify_sync.report.terminal.records import StatusFacts, census, failed_lines, record_lines, status_lines
from pictify_sync.report.terminal.summary import FAILURES, summary_lines
from pictify_sync.workflows.apply.outcome import ApplySummary
from tests.core.assets import record
from tests.report.plans import batch, create, every_kind, failed_record, filled, recalling, text_of, update


def told(done: ApplySummary) -> list[str]:
    """The summary's lines."""
    return [line.text for line in summary_lines(done, REMEDIES, again="pictify-sync apply")]


def test_a_good_end_is_two_lines() -> None:
    """What was done, and what it cost; nothing about what did not happen."""
    done = ApplySummary(stored=12, moved=1, removed=2, kept=234, billed_min=12, billed_max=12)
    assert told(done) == ["Applied: 12 stored, 1 moved and 2 removed; 234 unchanged.", "Billed: 12 pictures."]


def test_what_was_not_billed_or_not_removed_is_not_said_to_be() -> None:
    """Renders that cost nothing are only counted, and so are files that were left where they are."""
    lines = told(ApplySummary(removed=2, unbilled=60, left_alone=frozenset({"a.png"})))
    assert lines[:2] == ["Applied: 2 removed.", "Rendered 60 pictures."]
    assert lines[2].startswith("1 file no longer wanted, but left alone")


def test_an_end_without_work() -> None:
    """It says so."""
    assert told(ApplySummary(kept=8)) == ["Applied: nothing to do; 8 unchanged."]


def test_failures_name_asset_reason_and_remedy_and_the_command_to_retry() -> None:
    """A capped list, where to see the others, one remedy per kind, and how to go on."""
    keys = [AssetKey(f"cards/{number}@default") for number in range(FAILURES + 5)]
    lines = told(ApplySummary(stored=1, failed=tuple((key, "RENDER_TIMEOUT", "took over 30 s") for key in keys)))
    assert lines[1] == "25 pictures failed:"
    assert lines[2] == "  cards/0@default: RENDER_TIMEOUT: took over 30 s"
    assert lines[-3:] == [
        "  and 5 more: pictify-sync status --failed",
        "  RENDER_TIMEOUT: rendering took too long: apply again, or make the template simpler.",
        "Go on with: pictify-sync apply",
    ]
    assert len(lines) == FAILURES + 5


@pytest.mark.parametrize(
    ("done", "word"),
    [
        (ApplySummary(in_doubt=1, billed_min=0, billed_max=4), "Billed: 0 to 4 pictures."),
        (ApplySummary(in_doubt=1), "in doubt"),
        (ApplySummary(interrupted=True), "Everything done so far is recorded."),
        (ApplySummary(interrupted=True), "Applied: nothing yet."),
        (ApplySummary(interrupted=True, waiting=2), "open batches go on at the provider."),
        (ApplySummary(interrupted=True, waiting=2, embedded=True), "open batches: the next apply goes on with them."),
        (ApplySummary(waiting=200), "Applied: nothing yet."),
        (
            ApplySummary(left=3, interrupted=True),
            "3 pictures not rendered, because the run ended early. pictify-sync plan",
        ),
        (ApplySummary(stopped="render credits used up"), "Stopped early: render credits used up"),
    ],
)
def test_an_incomplete_end_says_why_and_how_to_go_on(done: ApplySummary, word: str) -> None:
    """Each way of ending early has its words, and the command that goes on."""
    lines = told(done)
    assert any(word in line for line in lines)
    assert lines[-1] == "Go on with: pictify-sync apply"


def test_pictures_whose_url_is_not_known_are_collected_not_rendered_again() -> None:
    """They are paid for already, so that another apply is not what is asked for."""
    lines = told(ApplySummary(unresolved=2))
    assert any("not rendered again" in line for line in lines)
    assert lines[-1] == "Look for them with: pictify-sync collect"


def test_problems_are_sorted_by_place_and_counted() -> None:
    """One line each, errors and warnings apart in the count."""
    problems = [
        Problem("b.yaml", 2, 3, "unknown field 'titel'", "did you mean 'title'?"),
        Problem("a.yaml", 10, 0, "the row has no 'id'"),
        Problem("a.yaml", 9, 1, "no glyph for U+0E01", "", Severity.WARNING),
        Problem("c.yaml", 0, 0, "not UTF-8"),
    ]
    assert text_of(problem_lines(problems)) == (
        "a.yaml:9:1: warning: no glyph for U+0E01\n"
        "a.yaml:10: error: the row has no 'id'\n"
        "b.yaml:2:3: error: unknown field 'titel'; did you mean 'title'?\n"
        "c.yaml: error: not UTF-8\n"
        "3 errors, 1 warning in 3 files\n"
    )
    assert list(problem_lines([])) == []


def test_errors_say_what_to_do() -> None:
    """The message, then what it concerns, then the hint."""
    assert text_of(error_lines(UsageError("x is not recorded", hint="pictify-sync state list"))) == (
        "Error: x is not recorded\nHint: pictify-sync state list\n"
    )
    assert "run the command again" in text_of(error_lines(Conflict(expected=1, serial=2)))
    assert "1 error in 1 file" in text_of(error_lines(InputError([Problem("a", 1, 1, "bad")])))


def test_what_was_not_approved_is_told_in_words() -> None:
    """The lines of the work as action and key, at most twenty of them."""
    work = [json.dumps(["asset", "delete", f"cards/{n}@default", None, None, None]) for n in range(30)]
    text = text_of(error_lines(NotApproved("more than was approved", exceeding=work)))
    assert "  delete cards/0@default\n" in text
    assert "  and 10 more\n" in text
    assert len(text.splitlines()) == 22


def test_status_counts_and_names_what_needs_attention() -> None:
    """Counts per manifest, open batches with the attempt that resolve asks for, drift, taint and failures."""
    one, other = filled("a", {"n": 1}), filled("b", {"n": 2}, manifest="other")
    records = [
        record(one),
        replace(record(other), tainted=True, drift=DriftKind.MISSING),
        failed_record("c", "E", "broken"),
    ]
    intended = Intended("attempt-1", batch(create("d")), (), (), (), "uid", "2026-01-02T03:04:05.000Z", "run-1")
    opened = [OpenBatch(intended, 1, None, None, "timeout")]
    facts = StatusFacts("abc", 1234, Ledger(3, 1, 4, 5, 6))
    text = text_of(status_lines(census(records), opened, facts))
    assert "may take" not in text
    slow = replace(facts, allowed={opened[0].intended.batch.group.provider: Capabilities(turnaround_seconds=172_800.0)})
    assert "it may take up to 2 days\n" in text_of(status_lines(census(records), opened, slow))
    assert "wait" not in text
    few = replace(facts, allowed={one.spec.provider: Capabilities(min_items=20)})
    assert "1 picture waits until" in text_of(status_lines(census(records), opened, few))
    assert "3 pictures recorded in 2 manifests" in text
    assert "  cards: 1 stored, 1 failed" in text
    assert "attempt-1, in doubt" in text
    assert "1 picture drifted: its file is missing" in text
    assert "1 picture tainted" in text
    assert "status --failed" in text
    assert "No state yet" in text_of(status_lines(census([]), [], StatusFacts("", 0, Ledger(0, 0, 0, 0, 0))))


def test_failed_records_are_listed_with_reason_attempts_and_remedy() -> None:
    """All of them: this is where the summary of an apply sends to."""
    records = [failed_record(f"i{number:02}", "NO_OUTCOME", "lost") for number in range(30)]
    text = text_of(failed_lines([record(filled("ok", {})), *records]))
    assert text.count("NO_OUTCOME: lost (1 attempt)") == 30
    assert "  NO_OUTCOME: the provider never reported" in text
    assert text_of(failed_lines([])) == "No picture failed.\n"


def test_show_tells_all_that_is_recorded() -> None:
    """File, sizes, spec, fingerprint and variables; sensitive ones hidden."""
    wanted = filled("a", {"title": "A", "email": {"$sensitive": "0123abcd"}})
    text = text_of(record_lines(record(wanted), recalling(wanted)))
    for part in ("cards/a@default", "status: stored", "file: cards/a.default.png", 'title: "A"', "email: (sensitive)"):
        assert part in text
    assert "0123abcd" not in text
    assert "only their digest is kept" in text_of(record_lines(record(wanted), lambda _: None))


@pytest.mark.parametrize("change", every_kind(), ids=lambda change: f"{change.action}-{change.reason}")
def test_explain_has_words_for_every_action_and_reason(change: object) -> None:
    """The first line says what would happen, the second why."""
    (known,) = [one for one in every_kind() if one == change]
    lines = text_of(explain_lines(known, lambda _: None)).splitlines()
    assert known.key in lines[0]
    assert lines[1].startswith("Reason: ")


def test_explain_sets_both_sides_side_by_side() -> None:
    """Which variable differs, from what to what; and which file it comes from."""
    change = update("a", {"title": "A", "n": 1}, {"title": "B", "n": 1})
    text = text_of(explain_lines(change, recalling(filled("a", {"title": "A", "n": 1}))))
    assert "it would be rendered" in text
    assert 'title: "A" -> "B"' in text
    assert "Declared in cards.yaml:12" in text
    assert "  n:" not in text


def test_a_status_has_words_for_every_state() -> None:
    """No status falls through."""
    for status in Status:
        text = text_of(record_lines(replace(record(filled("a", {})), status=status), lambda _: None))
        assert "status: " in text
