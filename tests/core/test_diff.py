"""Every action and reason, and the laws of the merge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.diff import Scope, diff
from pictify_sync.core.model import Action, Asset, Change, DriftKind, Failure, Reason, Record, Status, key_order
from tests.core.assets import asset, record


def changes(desired: Sequence[Asset], records: Sequence[Record], **scope: Any) -> list[Change]:
    """Diff two unsorted lists within the manifest `m`."""
    assets = sorted(desired, key=lambda one: key_order(one.key))
    known = sorted(records, key=lambda one: key_order(one.key))
    return list(diff(lambda: assets, lambda: known, Scope(**({"manifests": {"m"}} | scope))))


def verdicts(found: Sequence[Change]) -> list[tuple[str, Action, Reason]]:
    """Key, action and reason of each change."""
    return [(change.key, change.action, change.reason) for change in found]


A = asset("a")
FAILED = record(A, status=Status.FAILED, fingerprint=None, spec=None, artifact=None)
FAILED_SAME = replace(FAILED, failure=Failure("X", "x", A.fingerprint))

CASES = [
    ("new", A, None, Action.CREATE, Reason.NEW),
    ("kept", A, record(A), Action.KEEP, Reason.UP_TO_DATE),
    ("value", asset("a", value=2), record(A), Action.UPDATE, Reason.VARIABLES_CHANGED),
    ("template", asset("a", template_revision="r2"), record(A), Action.UPDATE, Reason.TEMPLATE_CHANGED),
    ("quality", asset("a", options='{"quality":0.5}'), record(A), Action.UPDATE, Reason.SPEC_CHANGED),
    ("engine", asset("a", engine="takumi 2"), record(A), Action.UPDATE, Reason.ENGINE_CHANGED),
    ("provider", asset("a", provider="pictify"), record(A), Action.UPDATE, Reason.PROVIDER_CHANGED),
    ("tainted", A, record(A, tainted=True), Action.UPDATE, Reason.TAINTED),
    ("missing", A, record(A, drift=DriftKind.MISSING), Action.REPAIR, Reason.MISSING),
    ("tampered", A, record(A, drift=DriftKind.TAMPERED), Action.REPAIR, Reason.TAMPERED),
    ("expired", A, record(A, drift=DriftKind.EXPIRED), Action.REPAIR, Reason.EXPIRED),
    ("failed", A, FAILED_SAME, Action.CREATE, Reason.FAILED_BEFORE),
    ("unresolved", A, record(A, status=Status.RENDERED, artifact=None), Action.AWAIT, Reason.IN_FLIGHT),
    ("path", replace(A, output="m/other.png"), record(A), Action.MOVE, Reason.OUTPUT_CHANGED),
    ("gone", None, record(A), Action.DELETE, Reason.NOT_IN_MANIFEST),
    ("protected", None, record(A, protect=True), Action.BLOCKED, Reason.PROTECTED),
]


@pytest.mark.parametrize(
    ("wanted", "known", "action", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_case_has_its_action_and_reason(
    wanted: Asset | None, known: Record | None, action: Action, reason: Reason
) -> None:
    """One asset, one record, one verdict."""
    found = changes([] if wanted is None else [wanted], [] if known is None else [known])
    assert verdicts(found) == [(A.key, action, reason)]


def test_a_failed_update_that_was_taken_back_needs_no_render() -> None:
    """The old artifact is still what the manifest asks for; the failure is still to be cleared."""
    failed = record(A, status=Status.FAILED, failure=Failure("X", "x", asset("a", value=2).fingerprint))
    assert verdicts(changes([A], [failed])) == [(A.key, Action.KEEP, Reason.TAKEN_BACK)]


def test_a_requested_render_that_failed_is_tried_again() -> None:
    """The artifact is as it should be, but somebody asked for a new one."""
    failed = record(A, status=Status.FAILED, failure=Failure("X", "x", A.fingerprint))
    assert verdicts(changes([A], [failed])) == [(A.key, Action.UPDATE, Reason.FAILED_BEFORE)]


def test_in_flight_wins_over_everything() -> None:
    """What an open batch will make is awaited, whatever the manifests say by now."""
    for wanted, known in ([A], []), ([], [record(A)]), ([asset("a", value=9)], [record(A)]):
        assert verdicts(changes(wanted, known, in_flight={A.key})) == [(A.key, Action.AWAIT, Reason.IN_FLIGHT)]


def test_a_renamed_key_moves_its_artifact() -> None:
    """Equal fingerprint under a new key, old key gone: a move, and no delete of the old one."""
    new = asset("z", value="a")
    assert new.fingerprint == A.fingerprint
    found = changes([new], [record(A)])
    assert verdicts(found) == [(new.key, Action.MOVE, Reason.RENAMED)]
    assert found[0].source == record(A)


def test_equal_inputs_of_a_recorded_asset_are_copied() -> None:
    """A new key whose picture exists under a living key is not rendered."""
    twin = asset("z", value="a")
    known = record(A)
    found = changes([A, twin], [known], find=lambda wanted: known if wanted == A.fingerprint else None)
    assert verdicts(found)[1] == (twin.key, Action.CREATE, Reason.NEW)
    assert found[1].source == known
    assert not found[1].renders


def test_replace_renders_again() -> None:
    """A requested key is rendered although nothing changed, and never copied."""
    found = changes([A], [record(A)], requested=lambda key: key == A.key, find=lambda _: record(A))
    assert verdicts(found) == [(A.key, Action.UPDATE, Reason.REQUESTED)]
    assert found[0].renders


def test_other_manifests_are_deleted_only_by_a_run_over_the_whole_root() -> None:
    """Given paths limit the scope to the manifests loaded from them."""
    other = record(asset("x", manifest="other"))
    assert changes([], [other]) == []
    assert verdicts(changes([], [other], whole=True)) == [(other.key, Action.DELETE, Reason.NOT_IN_MANIFEST)]


def test_a_selection_never_deletes_outside_itself() -> None:
    """Both sides are filtered, so an unselected rename is not half seen."""
    b = asset("b")
    found = changes([], [record(A), record(b)], selected=lambda key: key == b.key)
    assert verdicts(found) == [(b.key, Action.DELETE, Reason.NOT_IN_MANIFEST)]


items = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3))


@given(items, items)
def test_every_key_is_judged_once_and_in_order(wanted: dict[str, int], known: dict[str, int]) -> None:
    """Each desired key and each recorded key appears once; a moved key's old name is inside its move."""
    desired = [asset(name, value=value) for name, value in wanted.items()]
    records = [record(asset(name, value=value)) for name, value in known.items()]
    found = changes(desired, records)
    keys = [key_order(change.key) for change in found]
    assert keys == sorted(set(keys))
    renamed = {change.source.key for change in found if change.reason is Reason.RENAMED and change.source}
    assert {change.key for change in found} | renamed == {one.key for one in desired} | {one.key for one in records}
    assert not renamed & {change.key for change in found}


@given(items)
def test_what_was_made_as_desired_is_kept(wanted: dict[str, int]) -> None:
    """Records of exactly the desired assets give nothing but keeps."""
    desired = [asset(name, value=value) for name, value in wanted.items()]
    found = changes(desired, [record(one) for one in desired])
    assert {change.action for change in found} <= {Action.KEEP}


def test_what_was_never_published_and_then_failed_is_not_up_to_date() -> None:
    """It was rendered without a URL, and the attempt after that failed: nothing of it exists."""
    wanted = asset("a")
    failure = Failure("E", "broken", wanted.fingerprint)
    known = record(wanted, status=Status.FAILED, artifact=None, failure=failure)
    (change,) = diff(lambda: [wanted], lambda: [known], Scope(manifests=("m",), whole=True))
    assert (change.action, change.reason, change.renders) == (Action.CREATE, Reason.FAILED_BEFORE, True)
