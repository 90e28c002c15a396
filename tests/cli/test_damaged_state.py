"""A damaged state: every command that reads it works, or says what is wrong where and what to do; none breaks."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.cli.running import Run

READING = (
    *("plan", "plan --json", "status", "status --json", "history", "log", "state list --json", "state export"),
    *("show cards/a@default", "explain cards/a@default", "state rebuild --check", "refresh --check"),
)
STATE = Path(".pictify-sync/state.db")


def spoil(content: bytearray, chance: random.Random) -> bytearray:
    """Change bytes as a bad disk does."""
    at = chance.randrange(len(content))
    match chance.randrange(5):
        case 0:
            content[at] ^= 1 << chance.randrange(8)
        case 1:
            for _ in range(30):
                content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        case 2:
            content[at : at + 200] = chance.randbytes(len(content[at : at + 200]))
        case 3:
            page = at // 4096 * 4096
            content[page : page + 4096] = bytes(4096)
        case _:
            del content[at:]
    return content


def check(cli: Run, commands: tuple[str, ...]) -> int:
    """Run commands that may fail, but only with an error; gives how many did. What breaks raises here."""
    wrong = 0
    for line in commands:
        said = cli(*line.split())
        assert said.code in (0, 1, 2), line
        if said.code == 1 and not line.startswith(("state rebuild", "doctor")):
            wrong += 1
            assert "Error: " in said.talk, line
            assert "Hint: " in said.talk, line
            assert "state.db" in said.talk or "no recorded asset" in said.talk, said.talk
    return wrong


def flip(cli: Run, ending: str, seeds: range) -> int:
    """Spoil the state's file or its log in many ways; gives how many commands failed."""
    folder = STATE.parent
    whole = {path.name: path.read_bytes() for path in folder.glob("state.db*")}
    wrong = 0
    for seed in seeds:
        content = spoil(bytearray(whole[f"state.db{ending}"]), random.Random(f"{seed}{ending}"))
        for path in folder.glob("state.db*"):
            path.unlink()
        for name, kept in whole.items():
            (folder / name).write_bytes(kept if name != f"state.db{ending}" else content or b"\0")
        wrong += check(cli, READING)
    return wrong


def test_flipped_bits_are_an_error_or_do_no_harm(project: Path, cli: Run) -> None:
    """Bits, bytes and pages of the state's file, and a file that ends early."""
    assert flip(cli, "", range(12)) > 12


def test_flipped_bits_of_a_log_are_an_error_or_do_no_harm(project: Path, cli: Run) -> None:
    """The same in the write-ahead log that a killed process left."""
    with closing(sqlite3.connect(STATE, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE filler (x)")
        for _ in range(5):
            connection.execute("INSERT INTO filler VALUES (zeroblob(3000))")
        killed = {path.name: path.read_bytes() for path in STATE.parent.glob("state.db*")}
    for name, content in killed.items():
        (STATE.parent / name).write_bytes(content)
    flip(cli, "-wal", range(4))


@pytest.mark.full
@pytest.mark.parametrize("start", range(0, 400, 100))
def test_many_flipped_bits_are_an_error_or_do_no_harm(project: Path, cli: Run, start: int) -> None:
    """The same, many times."""
    flip(cli, "", range(start, start + 100))


HOSTILE = ("''", "'{'", "x'00ff'", "NULL", "-1", "CAST(x'ff' AS TEXT)")


def columns(path: Path) -> list[tuple[str, str]]:
    """All columns of all tables."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return [(table, row[1]) for table in tables for row in connection.execute(f"PRAGMA table_info({table})")]


def put(path: Path, table: str, column: str, value: str) -> None:
    """Put a value where a table would never take it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=1")
        for word in ("STRICT,", "STRICT", "NOT NULL"):
            connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, '') WHERE type = 'table'", (word,))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, suppress(sqlite3.Error):
        connection.execute(f"UPDATE OR IGNORE {table} SET {column} = {value}")


def check_values(cli: Run, values: Callable[[int], tuple[str, ...]]) -> None:
    """Put values into each column in turn, and run every command that reads."""
    shutil.copy(STATE, "whole.db")
    for number, (table, column) in enumerate(columns(STATE)):
        for value in values(number):
            for ending in ("-wal", "-shm"):
                STATE.with_name(f"state.db{ending}").unlink(missing_ok=True)
            shutil.copy("whole.db", STATE)
            put(STATE, table, column, value)
            check(cli, READING)


def test_values_that_cannot_be_are_an_error_or_do_no_harm(project: Path, cli: Run) -> None:
    """Wrong types, broken JSON and what is no text, in each column."""
    check_values(cli, lambda number: (HOSTILE[number % len(HOSTILE)],))


@pytest.mark.full
def test_all_values_that_cannot_be_are_an_error_or_do_no_harm(project: Path, cli: Run) -> None:
    """The same, each value in each column."""
    check_values(cli, lambda _: HOSTILE)
