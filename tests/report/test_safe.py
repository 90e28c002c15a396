"""No text from outside reaches a terminal with a control, bidi or other invisible character in it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pictify_sync.core.drift import Drift, Observed, TemplateDrift
from pictify_sync.core.entries import (
    Abandoned,
    Doubted,
    Entry,
    Intended,
    Ledger,
    OpenBatch,
    Settled,
    Submitted,
    TemplateRecorded,
)
from pictify_sync.core.events import (
    AssetFailed,
    AssetUnresolved,
    BatchInDoubt,
    BatchLost,
    BatchOdd,
    BatchRefused,
    BatchSubmitted,
    Event,
    FileLeft,
    FileSpared,
    TemplatePushed,
    Waiting,
)
from pictify_sync.core.model import Action, AssetKey, Change, DriftKind, Failure, Group, Reason, Status
from pictify_sync.core.template import TemplateChange
from pictify_sync.errors import (
    InputError,
    NotApproved,
    PictifySyncError,
    Problem,
    StalePlan,
    UsageError,
)
from pictify_sync.report.safe import escaped, for_shell, quoted, safe
from pictify_sync.report.terminal.explain import explain_lines
from pictify_sync.report.terminal.history import history_lines
from pictify_sync.report.terminal.plan import plan_lines
from pictify_sync.report.terminal.problems import error_lines
from pictify_sync.report.terminal.progress import event_line
from pictify_sync.report.terminal.records import (
    StatusFacts,
    census,
    drift_lines,
    failed_lines,
    listed,
    record_lines,
    status_lines,
    taken,
)
from pictify_sync.report.terminal.summary import summary_lines
from pictify_sync.report.words import Line
from pictify_sync.workflows.apply.outcome import ApplySummary
from tests.core.assets import SPEC, record
from tests.report.plans import batch, filled, plan_of, pushed, source

INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | {
    chr(code) for first, last in ((0xFE00, 0xFE0D), (0xE0100, 0xE01EF)) for code in range(first, last + 1)
}  # letters and marks that draw nothing
ATTACKS = "\x1b]8;;http://evil\x07 \u202e\u2066\u200f\u061c\u2028\x85\x00\r\n\ud800\ufeff\U000e0041"
texts = st.text(st.characters(), max_size=20) | st.sampled_from(ATTACKS) | st.just(ATTACKS)


def is_encodable(text: str) -> bool:
    """Whether the text has no lone surrogate: those never get past a digest."""
    return not any(unicodedata.category(char) == "Cs" for char in text)


def assert_harmless(text: str) -> None:
    """Letters, marks, numbers, punctuation, symbols and blanks only."""
    assert not {char for char in text if unicodedata.category(char) in INVISIBLE or char in BLANK}


@given(texts)
@example(ATTACKS)
def test_safe_text_is_harmless_and_clean_text_is_untouched(text: str) -> None:
    """What can be seen stays as it is; all else becomes an escape that can be seen."""
    shown = safe(text)
    assert_harmless(shown)
    if not any(unicodedata.category(char) in INVISIBLE or char in BLANK for char in text):
        assert shown == text


@pytest.mark.parametrize("text", sorted(BLANK))
def test_letters_and_marks_that_draw_nothing_are_shown(text: str) -> None:
    """Two names that look the same never read the same."""
    assert safe(f"a{text}b") == (f"a\\u{ord(text):04x}b" if ord(text) < 0x10000 else f"a\\U{ord(text):08x}b")


@given(st.recursive(texts | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
@example({ATTACKS: ["\u3164", "日本語", "\x7f\x9b", "\U000e0041"]})
def test_an_escaped_document_is_harmless_and_says_the_same(value: object) -> None:
    """JSON in which nothing hides is read as what was written, and what can be seen in it stays as it is."""
    for indent in (None, 2):
        written = json.dumps(value, ensure_ascii=False, indent=indent)
        shown = escaped(written)
        assert json.loads(shown) == value
        assert_harmless(shown.replace("\n", ""))
        if not any(unicodedata.category(char) in INVISIBLE or char in BLANK for char in written.replace("\n", "")):
            assert shown == written


@pytest.mark.parametrize(
    "text", ["العربية", "עברית", "हिन्दी", "日本語\u3000全角", "a\u00a0b", "e\u0301", "😀", "❤\ufe0f", "naïve"]
)
def test_every_script_is_shown_as_it_is(text: str) -> None:
    """Right-to-left letters, marks, wide blanks and emoji are no control characters."""
    assert safe(text) == text


@given(texts, st.integers(4, 30))
def test_quoted_text_is_harmless_and_short(text: str, limit: int) -> None:
    """Quotes around it, escapes in it, and three dots after it when it was cut."""
    shown = quoted(text, limit)
    assert_harmless(shown)
    assert shown.startswith('"')
    assert shown.endswith("...") == (len(text) > limit)


@given(texts)
def test_a_word_for_the_shell_is_harmless(text: str) -> None:
    """Pasting it can start nothing."""
    assert_harmless(for_shell(text))


def changes(text: str) -> list[Change]:
    """An update, a create, a failure, a rename and a delete in which every word is strange."""
    key = AssetKey(f"{text}/{text}@{text}")
    spec = replace(SPEC, provider=text, template=text, engine=text, template_revision=text)
    wanted = replace(filled("x", {"a": text, text: [{text: text}]}), key=key, output=text, spec=spec)
    was = replace(record(filled("x", {"b": {text: text}})), key=key)
    assert was.artifact
    was = replace(was, artifact=replace(was.artifact, path=text), output=text, url=text, attempt=text, rendered_at=text)
    failed = replace(was, status=Status.FAILED, failure=Failure(text, text, wanted.fingerprint))
    return [
        Change(key, Action.UPDATE, Reason.VARIABLES_CHANGED, wanted, was),
        Change(key, Action.CREATE, Reason.NEW, wanted, None, was),
        Change(key, Action.UPDATE, Reason.FAILED_BEFORE, wanted, failed),
        Change(key, Action.MOVE, Reason.RENAMED, wanted, None, was),
        Change(key, Action.DELETE, Reason.NOT_IN_MANIFEST, None, was),
    ]


def everything(text: str) -> Iterable[Line | None]:
    """Every report there is, about things whose every word is `text`."""
    all_changes = changes(text)
    update = all_changes[0]
    assert update.asset
    assert update.record
    old, new = source(text, html="a\n"), source(text, html=f"b\n{text}\n{text}")
    old, new = replace(old, provider=text), replace(new, provider=text, layouts={text: old.layouts["square"]})
    plan = plan_of(all_changes, templates=[TemplateChange(Action.UPDATE, new, pushed(old))], batches=[batch(update)])
    recall = {update.record.fingerprint.variables: filled("x", {"b": {text: text}}).variables}.get  # type: ignore[union-attr]
    yield from plan_lines(plan, recall)
    for change in all_changes:
        yield from explain_lines(change, recall)
    records = [change.record for change in all_changes if change.record]
    for one in records:
        yield from record_lines(one, recall)
        yield listed(one)
    yield from failed_lines(records)
    yield from taken([update.key], "tainted")
    card = TemplateDrift(text, text, text, "changed", (text,))
    yield from drift_lines(Observed((Drift(update.key, DriftKind.MISSING, text),), (card,)))
    yield from summary_lines(
        ApplySummary(failed=((AssetKey(text), text, text),), stopped=text), again="pictify-sync apply"
    )
    yield from journal(text, batch_of=update)
    yield from errors(text)
    yield from map(event_line, events(text, update.key))


def journal(text: str, *, batch_of: Change) -> Iterable[Line]:
    """Status and history."""
    group = Group(text, text, "png", "{}", text)
    intended = Intended(text, replace(batch(batch_of), group=group), (), (), (), text, text, text)
    opened = [OpenBatch(intended, 1, text, text, None), OpenBatch(intended, 2, None, None, text)]
    assert batch_of.record
    yield from status_lines(census([batch_of.record]), opened, StatusFacts(text or "x", 1, Ledger(1, 1, 1, 0, 1)))
    entries: tuple[Entry, ...] = (
        intended,
        Submitted(text, text, text),
        Doubted(text, text, text),
        Settled(text, text, (batch_of.record,), (), 0, 1, text),
        Abandoned(text, text, 0, 0, text),
        TemplateRecorded(pushed(source(text)), text),
    )
    yield from history_lines((serial, text, entry) for serial, entry in enumerate(entries))


def errors(text: str) -> Iterable[Line]:
    """Errors of every shape."""
    raised: list[PictifySyncError] = [
        UsageError(text, hint=text),
        StalePlan(text, keys=[text], hint=text),
        NotApproved(text, exceeding=[text, json.dumps(["asset", text, text]), json.dumps(["template"] + [text] * 3)]),
        InputError([Problem(text, 1, 2, text, text), Problem("", 0, 0, text)]),
    ]
    for error in raised:
        yield from error_lines(error)


def events(text: str, key: AssetKey) -> Iterable[Event]:
    """Every event that holds words."""
    group = Group(text, text, "png", "{}", text)
    yield from (TemplatePushed(text, text), BatchSubmitted(text, text, group, 3), BatchRefused(text, text, text))
    yield from (BatchInDoubt(text, text), AssetUnresolved(key), AssetFailed(key, text, text), FileLeft(text))
    yield from (BatchOdd(text, text), BatchLost(text, text, 2), AssetUnresolved(key, text), FileSpared(text, text))
    yield Waiting(3, text)


@given(texts.map(lambda text: text.replace("\ud800", "")).filter(is_encodable))
@example(ATTACKS.replace("\ud800", ""))
@example("\x1b[2J")
@example("\u202e")
def test_no_report_lets_a_control_or_bidi_character_through(text: str) -> None:
    """Whatever keys, values, paths, html, codes and messages hold, every line of every report is harmless."""
    for line in everything(text):
        if line is not None:
            assert_harmless(line.text)
