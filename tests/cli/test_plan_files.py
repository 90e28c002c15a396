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


def test_a_saved_plan_is_said_to_be_no_manifest(project: Path, cli: Run) -> None:
    """What reads manifests says so in one line, not by every field that a manifest does not have."""
    cli("plan", "--out", "p.yaml")
    for command in ("plan", "validate", "preview"):
        said = cli(command, "p.yaml")
        assert (said.code, said.out) == (1, "")
        assert (
            "p.yaml is a saved plan, and no manifest\nHint: carry it out with: pictify-sync apply p.yaml" in said.talk
        )


def test_a_saved_plan_that_an_editor_marked_is_one(project: Path, cli: Run) -> None:
    """With a mark of its byte order it is refused as a changed plan, not read as a manifest."""
    cli("plan", "--out", "p")
    Path("p").write_bytes(b"\xef\xbb\xbf" + Path("p").read_bytes())
    said = cli("apply", "p")
    assert (said.code, said.talk.count("error:")) == (1, 1)
    assert "a plan is what `pictify-sync plan --out FILE` writes, unchanged" in said.talk


def test_a_saved_plan_that_was_not_approved_is_refused(project: Path, cli: Run) -> None:
    """--approve holds for a saved plan, too."""
    edit(project, "a,A,", "a,Other,")
    cli("plan", "--out", "p.json")
    for other in ("none", "h1:00"):
        said = cli("apply", "p.json", "--approve", other)
        assert (said.code, "approved" in said.talk) == (1, True)
    assert cli("apply", "p.json", "--approve", "p.json").code == 0
