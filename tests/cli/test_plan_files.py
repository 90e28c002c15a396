"""A saved plan is known by what it holds, whatever its file is called; and init beside a .gitignore."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tests.cli.running import Run, edit


@pytest.mark.parametrize("name", ["plan", "plan.txt", "p.yaml", "p.json", "reviewed.plan"])
def test_a_saved_plan_may_have_any_name(project: Path, cli: Run, name: str) -> None:
    """Apply carries it out, --approve and --check-against read it."""
    edit(project, "a,A,", "a,Other,")
    said = cli("plan", "--out", name)
    assert f"pictify-sync apply {name}" in said.talk
    assert cli("plan", "--check-against", name).code == 0
    edit(project, "b,B,", "b,More,")
    assert cli("plan", "--check-against", name).code == 1
    assert cli("apply", "--approve", name).code == 1
    applied = cli("apply", name)
    assert (applied.code, "2 stored" in applied.out) == (0, True)
    assert "2 to update" in cli("plan").out  # of b, which the plan did not name


def test_a_plan_may_come_through_a_pipe(project: Path, cli: Run) -> None:
    """As a shell's <(...) gives it."""
    edit(project, "a,A,", "a,Other,")
    cli("plan", "--out", "p")
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(Path("p").read_bytes()))
    writer.start()
    said = cli("apply", "pipe")
    writer.join()
    assert (said.code, "2 stored" in said.out) == (0, True)


def test_a_plan_is_written_into_a_pipe_and_does_not_replace_it(project: Path, cli: Run) -> None:
    """What is no regular file, a device for instance, stays what it is."""
    os.mkfifo("pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text(encoding="utf-8")))
    reader.start()
    assert cli("plan", "--out", "pipe").code == 0
    reader.join()
    assert read[0].startswith('{"format":"pictify-sync/plan"')
    assert Path("pipe").is_fifo()


def test_what_is_no_plan_is_not_taken_for_one(project: Path, cli: Run) -> None:
    """A manifest in JSON is one; a plan goes alone; a digest that is none is looked for as a file."""
    cli("plan", "--out", "p")
    assert "is applied alone" in cli("apply", "p", "manifests", "--yes").talk
    (project / "broken.json").write_text("{}")
    assert "not a plan" in cli("apply", "broken.json").talk
    assert "nowhere" in cli("apply", "--approve", "nowhere").talk
    (project / "m.json").write_text('{"version": 1, "name": "m", "template": "none", "rows": [], "key": "x"}')
    assert "not a plan" not in cli("apply", "m.json", "--yes").talk


def test_init_beside_a_gitignore_says_what_to_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run) -> None:
    """It changes no file of anybody's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".gitignore").write_text("*.pyc\n/output\n")
    assert "Add to .gitignore, which exists already: .pictify-sync/\n" in cli("init").talk
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n/output\n"
