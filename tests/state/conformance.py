"""What every StateStore promises. An adapter's test subclasses StateStoreContract and says how to open its store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.core.entries import (
    Abandoned,
    Cleaned,
    Doubted,
    Entry,
    FileMove,
    Moved,
    MovesIntended,
    Obsolete,
    Recorded,
    Settled,
    TemplateRecorded,
)
from pictify_sync.core.model import AssetKey, DriftKind, Record, Status, key_order
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import Conflict, StateError
from tests.state.samples import (
    AT,
    artifact,
    failed,
    intended,
    key,
    print_of,
    probed,
    settled,
    stored,
    submitted,
    template,
    variables,
)

Open = Callable[[], StateStore]


def recorded(*puts: Record, removes: tuple[AssetKey, ...] = (), obsolete: tuple[Obsolete, ...] = ()) -> Recorded:
    """A decision of the user."""
    return Recorded("import", puts, removes, obsolete, AT)


class StateStoreContract(ABC):
    """The port's promises, one test each."""

    @abstractmethod
    def opener(self, tmp_path: Path) -> Open:
        """A function that opens the one state below tmp_path, again and again."""

    @pytest.fixture
    def again(self, tmp_path: Path) -> Open:
        return self.opener(tmp_path)

    @pytest.fixture
    def store(self, again: Open) -> StateStore:
        return again()

    def test_a_new_state_is_empty(self, store: StateStore) -> None:
        """Nothing is recorded in a new state, and it has a lineage of its own."""
        assert (store.serial(), store.count(), list(store.records()), list(store.entries())) == (0, 0, [], [])
        assert (store.open_batches(), store.obsolete(), store.templates(), store.pending_moves()) == ((), (), (), None)
        assert store.probes() == ()
        assert store.lineage
        assert store.record(key(1)) is None

    def test_lineages_and_sensitive_keys_last(self, store: StateStore, again: Open) -> None:
        """Lineage and sensitive key are fixed when the state is made."""
        assert (again().lineage, again().sensitive_key()) == (store.lineage, store.sensitive_key())
        assert len(store.sensitive_key()) >= 16

    def test_a_batch_goes_through_its_life(self, store: StateStore, again: Open) -> None:
        """An attempt is open from its intent until it is settled, and each step can be read by another process."""
        entry = intended("a1", {1: 1, 2: 2})
        assert store.commit(0, [entry]) == 1
        (opened,) = again().open_batches()
        assert (opened.intended, opened.serial, opened.batch_id, opened.doubt) == (entry, 1, None, None)
        assert store.commit(1, [Doubted("a1", "reset", AT)]) == 2
        assert again().open_batches()[0].doubt == "reset"
        assert store.commit(2, [submitted("a1")]) == 3
        (opened,) = again().open_batches()
        assert (opened.batch_id, opened.submitted_at, opened.doubt) == ("batch-of-a1", AT, None)
        assert store.commit(3, [settled("a1", stored(1), failed(2))]) == 4
        other = again()
        assert other.open_batches() == ()
        assert list(other.records()) == [stored(1), failed(2)]
        assert (other.record(key(2)), other.count()) == (failed(2), 2)
        assert other.variables(print_of(2).variables) == variables(2)

    def test_entries_read_back_as_written(self, store: StateStore, again: Open) -> None:
        """The log gives every entry back, equal and in order, after any serial."""
        file = Obsolete("old/ü.webp", "0" * 64)
        move = FileMove(key(1), stored(1).artifact.sha256, "cards/001.webp", "new/001.webp")  # type: ignore[union-attr]
        after = replace(stored(1), artifact=artifact("new/001.webp", 1), output="new/001.webp")
        entries: list[Entry] = [
            TemplateRecorded(template("card"), AT),
            probed("p1", ended=False),
            probed("p1"),
            intended("a1", {1: 1, 2: 2}),
            Doubted("a1", "timeout", AT),
            submitted("a1"),
            replace(settled("a1", stored(1)), obsolete=(file,)),
            intended("a2", {5: 5}, keep_variables=False),
            Abandoned("a2", "gone", 0, 1, AT),
            MovesIntended((move,), (after,), (), (), AT),
            Moved((after,), (), (), AT),
            Cleaned((file,), AT),
            recorded(stored(9), removes=(key(1),)),
        ]
        assert store.commit(0, entries[:4]) == 4
        assert store.commit(4, entries[4:]) == len(entries)
        assert list(again().entries()) == [(number, AT, entry) for number, entry in enumerate(entries, start=1)]
        assert [serial for serial, _, _ in store.entries(11)] == [12, 13]

    def test_live_checks_are_kept_by_service(self, store: StateStore, again: Open) -> None:
        """The newest check with facts of each provider and service stands; one that found nothing changes nothing."""
        other = replace(probed("p2", names_layouts=True), service="https://other.test")
        newer = probed("p3", names_layouts=False)
        checks = [probed("p1"), other, probed("p3", ended=False), newer, probed("p4", ended=False), probed("p5", "a")]
        store.commit(0, checks)
        assert again().probes() == (probed("p5", "a"), newer, other)

    def test_a_live_check_ends_once(self, store: StateStore) -> None:
        """What it found is never replaced under its own name, nor moved to another service."""
        store.commit(0, [probed("p1"), probed("p2", ended=False)])
        moved = replace(probed("p2"), service="https://other.test")
        costly = replace(probed("p3"), billed_min=3, billed_max=2)
        for wrong in (probed("p1"), probed("p1", ended=False), moved, costly):
            with pytest.raises(StateError, match="impossible"):
                store.commit(2, [wrong])
        assert store.probes() == (probed("p1"),)

    def test_a_stale_writer_is_refused(self, store: StateStore, again: Open) -> None:
        """A commit after an old serial writes nothing and tells the newest serial."""
        other = again()
        store.commit(0, [recorded(stored(1))])
        for wrong in (0, 2):
            with pytest.raises(Conflict) as caught:
                other.commit(wrong, [recorded(stored(2))])
            assert (caught.value.expected, caught.value.serial) == (wrong, 1)
        assert (other.serial(), other.count()) == (1, 1)
        assert other.commit(1, [recorded(stored(2))]) == 2

    def test_a_run_of_entries_is_all_or_nothing(self, store: StateStore, again: Open) -> None:
        """When one entry of a run is impossible, none of them is written."""
        with pytest.raises(StateError):
            store.commit(0, [recorded(stored(1)), intended("a1", {3: 3}), settled("a2", stored(2))])
        assert (again().serial(), again().count(), again().open_batches()) == (0, 0, ())
        assert store.commit(0, [intended("a1", {3: 3})]) == 1
        assert store.variables(print_of(1).variables) is None

    @pytest.mark.parametrize(
        ("before", "wrong"),
        [
            ([], settled("a1")),
            ([], submitted("a1")),
            ([], Doubted("a1", "", AT)),
            ([], Abandoned("a1", "", 0, 0, AT)),
            ([], Moved((), (), (), AT)),
            ([], recorded(stored(1), stored(1))),
            ([], recorded(stored(1), removes=(key(1),))),
            ([], recorded(replace(stored(1), spec=None))),
            ([], replace(intended("a1", {1: 1}), variables=("{}",))),
            ([], replace(intended("a1", {1: 1}), variables=())),
            ([], replace(intended("a1", {1: 1}), specs=())),
            ([], replace(intended("a1", {1: 1}), claims=intended("a1", {2: 1}).claims)),
            ([], replace(intended("a1", {1: 1}), claims=intended("a1", {1: 2}).claims)),
            ([], replace(intended("a1", {1: 1}), claims=intended("a1", {1: 1}).claims * 2)),
            ([intended("a1", {1: 1})], intended("a1", {2: 2})),
            ([intended("a1", {1: 1})], intended("a2", {1: 1})),
            ([intended("a1", {1: 1})], intended("a2", {0: 0, 1: 7})),
            ([intended("a1", {1: 1})], settled("a1", stored(2))),
            ([intended("a1", {1: 1})], replace(settled("a1"), billed_min=2)),
            ([intended("a1", {1: 1})], Abandoned("a1", "", -1, 0, AT)),
            ([intended("a1", {1: 1}), submitted("a1")], replace(submitted("a1"), batch_id="other")),
            ([intended("a1", {1: 1}), submitted("a1")], Doubted("a1", "", AT)),
            ([intended("a1", {1: 1}), settled("a1")], settled("a1")),
            ([intended("a1", {1: 1}), settled("a1")], intended("a1", {1: 1})),
            ([MovesIntended((), (), (), (), AT)], MovesIntended((), (), (), (), AT)),
        ],
    )
    def test_impossible_entries_are_refused(self, store: StateStore, before: list[Entry], wrong: Entry) -> None:
        """An entry that cannot follow what came before, or contradicts itself, is refused and leaves no trace."""
        serial = store.commit(0, before)
        with pytest.raises(StateError, match="impossible"):
            store.commit(serial, [wrong])
        assert store.serial() == serial

    def test_an_abandoned_batch_frees_its_keys(self, store: StateStore) -> None:
        """What an abandoned attempt claimed may be claimed again, in the same run of entries too."""
        store.commit(0, [intended("a1", {1: 1})])
        assert store.commit(1, [Abandoned("a1", "", 0, 1, AT), intended("a2", {1: 1})]) == 3
        assert [opened.intended.attempt for opened in store.open_batches()] == ["a2"]

    def test_records_are_sorted_by_bytes_and_selected_by_prefix(self, store: StateStore) -> None:
        """Records stream in the order of their keys' UTF-8 bytes; a prefix is taken literally."""
        names = ["a", "Z", "a%", "a_b", "ab", "é", "\ud7ff", "\ue000", "🎈", "aé", "a🎈", "\U0010ffff", "\U0010ffffx"]
        keys = [AssetKey(f"m/i@{name}") for name in names]
        store.commit(0, [recorded(*(replace(stored(1), key=one) for one in keys))])
        ordered = sorted(keys, key=key_order)
        assert [record.key for record in store.records()] == ordered
        layouts = ("", "a", "a%", "a_", "é", "\ud7ff", "🎈", "\U0010ffff", "\U0010ffffx", "b")
        for prefix in ("", "m/", "n", *(f"m/i@{start}" for start in layouts)):
            assert [r.key for r in store.records(prefix)] == [one for one in ordered if one.startswith(prefix)]

    def test_a_stream_keeps_to_one_serial(self, store: StateStore, again: Open) -> None:
        """A stream that is under way does not see, nor hold up, what is committed meanwhile."""
        store.commit(0, [recorded(*map(stored, range(600)))])
        stream = store.records()
        first = [next(stream), next(stream)]
        store.commit(1, [recorded(*(replace(stored(n), tainted=True) for n in range(700)))])
        again().commit(2, [recorded(removes=tuple(map(key, range(650))))])
        assert first + list(stream) == [stored(number) for number in range(600)]
        assert store.count() == len(list(store.records())) == 50

    def test_find_gives_sound_artifacts_only(self, store: StateStore) -> None:
        """A picture is found by its fingerprint if it is published, untainted and without drift: the first by key."""
        sound = [stored(5, content=7), stored(6, content=7)]
        unsound = [
            replace(stored(1, content=7), tainted=True),
            replace(stored(2, content=7), drift=DriftKind.MISSING),
            replace(stored(3, content=7), status=Status.RENDERED),
            replace(stored(4, content=7), artifact=None),
        ]
        store.commit(0, [recorded(*unsound)])
        assert store.find(print_of(7)) is None
        store.commit(1, [recorded(*sound, stored(8))])
        assert store.find(print_of(7)) == sound[0]
        assert store.find(replace(print_of(7), spec=print_of(8).variables)) is None
        store.commit(2, [recorded(failed(5, before=sound[0]))])
        assert store.find(print_of(7)) == failed(5, before=sound[0])

    def test_owners_of_a_path(self, store: StateStore) -> None:
        """All keys whose artifact lies at a path are given, in order."""
        store.commit(0, [recorded(stored(2, path="x"), stored(1, path="x"), stored(3))])
        assert store.owners("x") == (key(1), key(2))
        assert store.owners("y") == ()

    def test_obsolete_files_wait_until_they_are_cleaned(self, store: StateStore) -> None:
        """An obsolete file is listed until Cleaned, unless a record owns its path or comes to own it."""
        one, two, owned = Obsolete("b", "1" * 64), Obsolete("a", "2" * 64), Obsolete("cards/001.webp", "3" * 64)
        store.commit(0, [recorded(stored(1), obsolete=(one, two, owned))])
        assert store.obsolete() == (two, one)
        store.commit(1, [recorded(stored(2, path="a"))])
        assert store.obsolete() == (one,)
        store.commit(2, [Cleaned((one, two), AT)])
        assert store.obsolete() == ()
        store.commit(3, [recorded(removes=(key(1),), obsolete=(owned,))])
        assert store.obsolete() == (owned,)

    def test_moves_take_effect_when_the_files_are_in_place(self, store: StateStore) -> None:
        """MovesIntended changes no record; Moved does, and ends it."""
        store.commit(0, [recorded(stored(1))])
        moves = MovesIntended((), (stored(2, content=1),), (key(1),), (Obsolete("cards/001.webp", "0" * 64),), AT)
        store.commit(1, [moves])
        assert (store.pending_moves(), list(store.records()), store.obsolete()) == (moves, [stored(1)], ())
        store.commit(2, [Moved(moves.puts, moves.removes, moves.obsolete, AT)])
        assert (store.pending_moves(), list(store.records())) == (None, [stored(2, content=1)])
        assert store.obsolete() == moves.obsolete

    def test_templates_are_replaced_by_name(self, store: StateStore) -> None:
        """The newest record of a template counts; they are sorted by name."""
        store.commit(0, [TemplateRecorded(template(name), AT) for name in ("b", "a")])
        store.commit(2, [TemplateRecorded(template("b", "r2"), AT)])
        assert store.templates() == (template("a"), template("b", "r2"))
        assert list(store.templates()[0].layouts) == ["default", "a-square"]

    def test_variables_may_be_kept_as_digests_only(self, store: StateStore) -> None:
        """An intent without variables leaves their digest in the record alone."""
        store.commit(0, [intended("a1", {1: 1}, keep_variables=False), settled("a1", stored(1))])
        assert store.variables(print_of(1).variables) is None

    def test_an_empty_commit_is_checked_too(self, store: StateStore) -> None:
        """Nothing to append is fine at the newest serial and a conflict elsewhere."""
        assert store.commit(0, []) == 0
        with pytest.raises(Conflict):
            store.commit(1, [])

    def test_text_that_is_no_unicode_is_refused(self, store: StateStore) -> None:
        """A lone surrogate in a message is a StateError, and nothing is written."""
        with pytest.raises(StateError):
            store.commit(0, [Settled("a1", "\ud800", (), (), 0, 0, AT)])
        assert store.serial() == 0
