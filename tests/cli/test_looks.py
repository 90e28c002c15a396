"""What refresh and doctor say of pictures, they have looked at; where there is nothing to look at is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Run, document


@pytest.mark.parametrize("arguments", [["refresh"], ["refresh", "--check"], ["refresh", "--check", "--json"]])
def test_without_a_state_nothing_can_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run, arguments: list[str]
) -> None:
    """A wrong folder, or a project that was never applied, is no good news."""
    monkeypatch.chdir(tmp_path)
    for begin in ([], ["init"]):
        if begin:
            cli(*begin)
        said = cli(*arguments)
        assert (said.code, said.out) == (1, "")
        assert "there is no state here" in said.talk


def test_refresh_says_how_much_it_looked_at(project: Path, cli: Run) -> None:
    """The pictures and what is wrong with them are counted; only what was recorded is promised to be repaired."""
    assert "No drift: 4 pictures looked at, all as recorded." in cli("refresh", "--check").out
    (project / "output/cards/a.default.png").unlink()
    (project / "output/cards/b.default.png").write_bytes(b"other")
    said = cli("refresh", "--check", "--markdown", "p.md")
    assert "4 pictures looked at, 1 missing and 1 changed." in said.out
    for text in (said.out, (project / "p.md").read_text()):
        assert "Nothing was recorded" in text
        assert "The next apply repairs" not in text
    found = document("drift", cli("refresh", "--check", "--json").out)
    assert (found["looked"], found["recorded"]) == (4, False)
    assert "The next apply repairs what is recorded" in cli("refresh").out


def test_doctor_looks_at_the_pictures(project: Path, cli: Run) -> None:
    """It says how many are well, and names those that are not."""
    assert "looked at 4: all are as recorded" in cli("doctor").out
    (project / "output/cards/a.default.png").unlink()
    (project / "output/cards/b.default.png").write_bytes(b"other")
    said = cli("doctor")
    assert said.code == 0
    assert "1 of 4 are missing: cards/a.default.png" in said.out
    assert "1 of 4 are changed: cards/b.default.png" in said.out
    assert "All is well" not in said.out


@pytest.mark.parametrize("arguments", [["collect"], ["cancel", "--all"], ["resolve", "a1", "--write-off"]])
def test_what_goes_on_with_a_state_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run, arguments: list[str]
) -> None:
    """In a wrong folder there is nothing to collect, cancel or resolve, nor anything to be called well."""
    monkeypatch.chdir(tmp_path)
    cli("init")
    said = cli(*arguments)
    assert (said.code, said.out) == (1, "")
    assert "there is no state yet" in said.talk
    assert cli("refresh", "--check").code == 1
    assert "No state yet" in cli("status", "--failed").out
