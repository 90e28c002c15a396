"""Snapshots: what they hold, and what is refused when one is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pictify_sync.core.entries import FileMove, MovesIntended, Obsolete, Recorded, TemplateRecorded
from pictify_sync.core.fingerprint import spec_digest
from pictify_sync.core.model import RenderSpec
from pictify_sync.errors import InputError, StateError
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.state.snapshot.reader import import_snapshot, read_file
from pictify_sync.state.snapshot.writer import export
from pictify_sync.state.sqlite.store import SqliteStateStore, open_store
from tests.state.conformance import recorded
from tests.state.samples import (
    AT,
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


@pytest.fixture
def full(tmp_path: Path) -> Iterator[SqliteStateStore]:
    """A state with a line of every kind."""
    with open_at(tmp_path / "full") as store:
        move = FileMove(key(2), "0" * 64, "cards/001.webp", "cards/002.webp")
        contents = {number: number for number in (1, 3, 4)}
        store.commit(
            0,
            [
                TemplateRecorded(template("card"), AT),
                intended("a1", contents),
                settled("a1", stored(1), failed(3), failed(4, before=stored(4))),
                intended("a2", {5: 5, 6: 6}),
                submitted("a2"),
                MovesIntended((move,), (stored(2, content=1),), (key(1),), (), AT),
                Recorded("rm", (), (), (Obsolete("old.webp", "1" * 64),), AT),
                probed("p1", ended=False),
                probed("p1"),
            ],
        )
        yield store


def open_at(path: Path) -> SqliteStateStore:
    """Open or make the state below path."""
    store = open_store(path / "state.db", create=True)
    assert isinstance(store, SqliteStateStore)
    return store


def lines_of(store: SqliteStateStore | EmptyStateStore) -> list[str]:
    """The snapshot of a state."""
    lines: list[str] = []
    export(store, lines.append)
    return lines


def test_a_snapshot_is_readable_and_in_order(full: SqliteStateStore) -> None:
    """One JSON object per line, in the order of the kinds, with the variables as objects and no secret."""
    lines = lines_of(full)
    values = [json.loads(line) for line in lines]
    assert [value["kind"] for value in values] == [
        *("meta", "template", "asset", "asset", "asset", "open_batch", "moves", "obsolete", "probe", "spent", "end")
    ]
    assert values[2]["variables"] == json.loads(variables(1))
    assert "serial" not in "".join(lines)
    assert full.sensitive_key().hex() not in "".join(lines)
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)


def test_import_restores_everything(full: SqliteStateStore, tmp_path: Path) -> None:
    """Records, variables, templates, open batches, moves and obsolete files are as before; the lineage is kept."""
    with open_at(tmp_path / "other") as other:
        import_snapshot(lines_of(full), other, file="s.jsonl", at=AT)
        assert list(other.records()) == list(full.records())
        assert (other.probes(), other.ledger()) == (full.probes(), full.ledger())
        assert other.variables(print_of(1).variables) == variables(1)
        assert other.pending_moves() == full.pending_moves()
        assert (other.lineage, other.templates(), other.obsolete()) == (full.lineage, full.templates(), full.obsolete())
        (opened,) = other.open_batches()
        assert replace(opened, serial=0) == replace(full.open_batches()[0], serial=0)
        assert lines_of(other) == lines_of(full)


def test_import_needs_a_state_without_history(full: SqliteStateStore) -> None:
    """A state that has entries is never overwritten."""
    before = lines_of(full)
    with pytest.raises(StateError, match="history"):
        import_snapshot(before, full, file="s.jsonl", at=AT)
    assert lines_of(full) == before


def test_the_empty_state_can_be_exported() -> None:
    """A snapshot of nothing is its first line, and its end."""
    line, _ = lines_of(EmptyStateStore())
    assert json.loads(line)["lineage"] == ""


def test_many_records_are_imported_in_parts(tmp_path: Path) -> None:
    """Thousands of records survive, although no log entry holds them all."""
    with open_at(tmp_path / "one") as one, open_at(tmp_path / "two") as two:
        one.commit(0, [recorded(*map(stored, range(2500)))])
        assert import_snapshot(lines_of(one), two, file="s", at=AT).serial == 3
        assert list(two.records()) == list(one.records())


def edited(line: str, **changes: object) -> str:
    """A line with other values."""
    return json.dumps(json.loads(line) | changes)


def test_every_problem_is_told_with_its_line(full: SqliteStateStore, tmp_path: Path) -> None:
    """A hostile snapshot is refused as a whole, with all of its problems, and nothing is imported."""
    lines = lines_of(full)
    artifact = json.loads(lines[2])["artifact"]
    lines[2] = edited(lines[2], artifact=artifact | {"path": "../../etc/passwd"})
    lines[3] = edited(lines[3], key="../x@y")
    lines[4] = "{]"
    lines[7:7] = ['{"kind":"teleport"}']
    with open_at(tmp_path / "other") as other:
        with pytest.raises(InputError) as caught:
            import_snapshot(lines, other, file="s.jsonl", at=AT)
        assert {problem.line for problem in caught.value.problems} >= {3, 4, 5, 8}
        assert {problem.file for problem in caught.value.problems} == {"s.jsonl"}
        assert (other.serial(), other.count(), other.lineage == full.lineage) == (0, 0, False)


@pytest.mark.parametrize(
    ("number", "changes"),
    [
        (0, {"format": "other"}),
        (0, {"format_version": 4}),
        (0, {"lineage": ""}),
        (0, {"lineage": "../x"}),
        (2, {"variables": {"name": "another"}}),
        (2, {"output": "/abs"}),
        (2, {"output": "a//b"}),
        (2, {"output": "a/../b"}),
        (2, {"output": "a\u0000b"}),
        (2, {"status": "glorious"}),
        (2, {"fingerprint": None}),
        (2, {"attempts": "1"}),
        (2, {"tainted": 1}),
        (2, {"failed_variables": {}}),
        (2, {"key": "cards/item-999@default"}),
        (5, {"intended": {}}),
        (6, {"moves": [{"key": "k", "sha256": "", "old_path": "..", "new_path": "x"}]}),
        (7, {"path": "/etc/passwd"}),
        (8, {"facts": None}),
        (8, {"facts": {"results": "nested"}}),
        (8, {"at": "yesterday"}),
        (8, {"billed_min": 3}),
        (8, {"run": 7}),
    ],
)
def test_what_is_wrong_is_refused(
    full: SqliteStateStore, tmp_path: Path, number: int, changes: dict[str, object]
) -> None:
    """Every field that could mislead is checked."""
    lines = lines_of(full)
    lines[number] = edited(lines[number], **changes)
    with open_at(tmp_path / "other") as other:
        with pytest.raises(InputError) as caught:
            import_snapshot(lines, other, file="s", at=AT)
        expected = number + 2 if "item-999" in str(changes) else number + 1  # the next key is out of order
        assert caught.value.problems[0].line == expected
        assert other.serial() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("options", ""),
        ("options", "[]"),
        ("options", "null"),
        ("options", '{"quality": 0.85}'),
        ("options", '{"quality":0.85,"quality":0.85}'),
        ("options", '{"quality":NaN}'),
        ("options", '{"quality":0}'),
        ("options", '{"quality":1.5}'),
        ("options", None),
        ("format", "../x"),
        ("format", ""),
        ("variant", None),
    ],
)
def test_a_spec_that_is_none_is_refused(full: SqliteStateStore, tmp_path: Path, name: str, value: object) -> None:
    """Also where the fingerprint is that of what stands there: options are canonical JSON, a format is a name."""
    lines = lines_of(full)
    spec = json.loads(lines[2])["spec"] | {name: value}
    changed: dict[str, object] = {"spec": spec}
    if isinstance(value, str):
        with suppress(ValueError):
            prints = json.loads(lines[2])["fingerprint"]
            changed["fingerprint"] = prints | {"spec": spec_digest(RenderSpec(**spec))}
    lines[2] = edited(lines[2], **changed)
    with open_at(tmp_path / "other") as other:
        with pytest.raises(InputError) as caught:
            import_snapshot(lines, other, file="s", at=AT)
        assert caught.value.problems[0].line == 3
        assert other.serial() == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 10_000), garbage=st.sampled_from(["", "[", "\x00", '"', "null", "é", "{", "NaN", "9" * 5000])
)
def test_garbage_is_an_input_error(full: SqliteStateStore, tmp_path: Path, place: int, garbage: str) -> None:
    """A snapshot damaged anywhere is refused, or still means a valid state; nothing else is raised."""
    text = "".join(lines_of(full))
    at = place % len(text)
    damaged = text[:at] + garbage + text[at + 1 :]
    with open_at(tmp_path / f"other-{place}-{len(garbage)}-{hash(garbage)}") as other:
        if other.serial():
            return
        try:
            import_snapshot(damaged.splitlines(keepends=True), other, file="s", at=AT)
        except InputError:
            assert other.serial() == 0
        else:
            assert other.verify() == ()


def test_deep_nesting_is_refused(full: SqliteStateStore, tmp_path: Path) -> None:
    """A million brackets are a problem with a line, not a crash."""
    lines = [lines_of(full)[0], "[" * 1_000_000]
    with open_at(tmp_path / "other") as other, pytest.raises(InputError, match="2:0"):
        import_snapshot(lines, other, file="s", at=AT)


@pytest.mark.parametrize("kept", range(1, 11))
def test_a_cut_snapshot_is_refused(full: SqliteStateStore, tmp_path: Path, kept: int) -> None:
    """Cut off at the end of any line, or with any line left out: nothing is imported."""
    lines = lines_of(full)
    assert len(lines) == 11
    for some in (lines[:kept], [*lines[:kept], *lines[kept + 1 :]]):
        with open_at(tmp_path / f"other-{len(some)}") as other:
            with pytest.raises(InputError):
                import_snapshot(some, other, file="s", at=AT)
            assert other.serial() == 0


def test_more_after_the_end_is_refused(full: SqliteStateStore, tmp_path: Path) -> None:
    """Two snapshots in one file are none; blank lines at its end do no harm."""
    lines = lines_of(full)
    with open_at(tmp_path / "other") as other:
        with pytest.raises(InputError, match="after the end"):
            import_snapshot([*lines, *lines], other, file="s", at=AT)
        import_snapshot([*lines, "\n", "\r\n"], other, file="s", at=AT)
        assert other.count() == full.count()


def test_how_the_lines_are_written_does_not_matter(full: SqliteStateStore, tmp_path: Path) -> None:
    """Escapes, blanks, the order of names and line ends may change on the way: the values count."""
    lines = [json.dumps(dict(reversed(json.loads(line).items()))) + "\r\n" for line in lines_of(full)]
    with open_at(tmp_path / "other") as other:
        import_snapshot(lines, other, file="s", at=AT)
        assert lines_of(other) == lines_of(full)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom"])
def test_a_snapshot_is_read_as_shells_write_it(full: SqliteStateStore, tmp_path: Path, encoding: str) -> None:
    """UTF-8 and UTF-16, with the mark that they begin with."""
    text = "\ufeff" * encoding.endswith("bom") + "".join(lines_of(full))
    (tmp_path / "s.jsonl").write_bytes(text.encode(encoding.removesuffix("-bom")))
    with open_at(tmp_path / "other") as other:
        import_snapshot(read_file(tmp_path / "s.jsonl"), other, file="s", at=AT)
        assert lines_of(other) == lines_of(full)


@pytest.mark.parametrize(
    "content", [b"\xff\xfea", b"{}\n\xe9\n", b"\xfe\xff\xd8\x00", "é{}".encode("utf-16-le"), b"", b"\0" * 99]
)
def test_bytes_that_are_no_text_are_told_with_their_file(tmp_path: Path, content: bytes) -> None:
    """Half a UTF-16, Latin-1, nothing, zeros: an error with a place, and nothing is imported."""
    file = tmp_path / "s.jsonl"
    file.write_bytes(content)
    with open_at(tmp_path / "other") as other:
        with pytest.raises(InputError) as caught:
            import_snapshot(read_file(file), other, file=str(file), at=AT)
        assert caught.value.problems[0].file == str(file)
        assert other.serial() == 0
