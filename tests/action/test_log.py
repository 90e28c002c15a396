"""Hostile text in the log of a step: no command of the runner comes of it, and annotations stay what they are."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pictify_sync.cli.streams import GuardedStream
from pictify_sync.errors import Problem, Severity
from pictify_sync.github.runner_log import disarmed, problem_commands, workflow_command
from tests.action.runner import Command, commands
from tests.end_to_end.project import ProjectFolder

PIECES = ["::", ":", "##[", "#", "[", "]", "error", "stop-commands", "set-output name=x", " ", "\t", "\r", "\n", "\r\n"]
INVISIBLE = ["\u200d", "\u00ad", "\ufeff", "\u00a0", "\u2028", "\x85", "\x00", "é", "%0A", "%25", ",", "=", ";", "\\"]
HOSTILE = st.lists(st.sampled_from([*PIECES, *PIECES, *INVISIBLE]), max_size=20).map("".join)
IN_ACTIONS = {"GITHUB_ACTIONS": "true"}


@given(HOSTILE)
@example("\u200d::error::x")
@example("#\u00ad#[error]x")
@example("x\r  ::error::x")
@example(":\u200d:error::x")
def test_disarmed_text_holds_no_command(text: str) -> None:
    """In whatever way the runner reads a line; and what held nothing suspicious stays as it was."""
    shown = disarmed(text)
    assert list(commands(shown)) == []
    if ":" not in text and "#" not in text:
        assert shown == text


@given(st.lists(HOSTILE, max_size=6))
def test_a_log_holds_no_command_however_it_is_written(pieces: list[str]) -> None:
    """In pieces, with flushes between them; nothing is lost."""
    stream = io.StringIO(newline="")
    log = GuardedStream(cast("TextIO", stream), runner=True)
    for piece in pieces:
        log.write(piece)
        log.flush()
    log.finish()
    assert list(commands(stream.getvalue())) == []
    told = stream.getvalue().replace("\\u003a", ":").replace("\\u0023", "#")
    assert told.removesuffix("\n") == "".join(pieces).removesuffix("\n")


@given(st.recursive(HOSTILE, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3)))
def test_a_document_keeps_its_values(value: object) -> None:
    """JSON that went through the log of a step is read as it was meant."""
    for indent in (None, 2):
        text = json.dumps(value, ensure_ascii=False, indent=indent)
        assert json.loads(disarmed(text)) == value
        assert list(commands(disarmed(text))) == []


@given(HOSTILE, HOSTILE, st.integers(0, 9))
def test_an_annotation_is_one_command(file: str, message: str, line: int) -> None:
    """Its place and message come out as they went in, but for what cannot be seen."""
    (written,) = problem_commands([Problem(file, line, 3, message)], "site")
    (found,) = commands(written)
    assert (found.name, found.properties.get("title")) == ("error", "pictify-sync")
    assert found.properties.get("line", "0") == str(line)
    if file.isprintable() and file:
        assert found.properties["file"] == f"site/{file}"
    if message.isprintable():
        assert found.text == message


@pytest.mark.parametrize(("file", "shown"), [("a.yaml", "s/a.yaml"), ("../x/a.yaml", "x/a.yaml"), ("/w/a", "/w/a")])
def test_an_annotation_names_its_file_from_the_repository(file: str, shown: str) -> None:
    """Without steps up, which GitHub finds no file by."""
    (found,) = commands(next(problem_commands([Problem(file, 1, 1, "no")], "s")))
    assert found.properties["file"] == shown


def test_only_so_many_annotations_as_are_shown() -> None:
    """Ten of a kind, errors first, in order."""
    problems = [Problem("a.yaml", line, 1, "no", "so", severity) for severity in Severity for line in range(30, 0, -1)]
    found = [command for text in problem_commands(problems) for command in commands(text)]
    assert [command.name for command in found] == ["error"] * 10 + ["warning"] * 10
    assert [command.properties["line"] for command in found[:10]] == [str(number) for number in range(1, 11)]
    assert found[0] == Command("error", {"file": "a.yaml", "line": "1", "col": "1", "title": "pictify-sync"}, "no; so")


def test_a_command_of_ours_ends_the_line_before_it() -> None:
    """What was begun is not lost, and the command stands at the start of a line."""
    stream = io.StringIO()
    log = GuardedStream(cast("TextIO", stream), runner=True)
    log.write("begun ::")
    log.write_commands([workflow_command("notice", "a\nb%")])
    assert stream.getvalue() == "begun ::\n::notice::a%0Ab%25\n"


def test_hostile_manifests_command_nothing(tmp_path: Path) -> None:
    """As values that are shown, in text and in JSON; as a file's name and an unknown field in a problem."""
    titles = ["::error::x", "a ##[error]x", "a\r::stop-commands::x", "\u200d::set-output name=a::b"]
    rows = "".join(f'a{number},"{title}",#000000\n' for number, title in enumerate(titles))
    project = ProjectFolder(tmp_path / "project", rows=f"id,title,colour\n{rows}")
    for command in (("plan", "--full"), ("plan", "--json")):
        assert _commands(project.run(*command, environ=IN_ACTIONS)) == []
    fields = "".join(f"{json.dumps(title)}: 1\n" for title in titles)
    project.write("manifests/:: error ::x ##[error].yaml", f"version: 1\n{fields}")
    done = project.run("validate", environ=IN_ACTIONS)
    assert (done.returncode, _commands(done)) == (1, [])
    assert _commands(project.run("plan", f"\r{titles[0]}", environ=IN_ACTIONS)) == []
    found = _commands(project.run("validate", "--github", environ=IN_ACTIONS))
    assert {command.name for command in found} == {"error"}


def test_an_apply_marks_what_failed_at_its_row(tmp_path: Path) -> None:
    """Each picture, with the reason; its key and the reason command nothing."""
    project = ProjectFolder(
        tmp_path / "project", rows="id,title,pic\na,A,\nb,B,https://example.invalid/::error::x.png\n"
    )
    project.edit(
        "manifests/card.yaml", "  colour: {type: color", "  pic: {type: image, default: ''}\n  colour: {type: color"
    )
    project.edit("manifests/card.html", "<p>", '<img src="{{pic}}"><p>')
    project.edit("manifests/cards.yaml", '  colour: "{{ colour }}"', '  pic: "{{ pic }}"')
    found = _commands(project.run("apply", "--yes", "--github", environ=IN_ACTIONS))
    places = [(one.properties["file"], one.properties["line"], one.text.partition(":")[0]) for one in found]
    assert places == [("manifests/rows.csv", "3", f"cards/b@{layout} failed") for layout in ("default", "square")]
    assert "example.invalid" in found[0].text


def test_a_file_is_written_as_everywhere(tmp_path: Path) -> None:
    """Only what the runner reads is changed: a document that goes to a file is not."""
    project = ProjectFolder(tmp_path / "project", rows="id,title,colour\na,##[error] A,#000000\n")
    text = {}
    for name, environ in (("here", {}), ("there", IN_ACTIONS)):
        with (tmp_path / name).open("w") as file:
            words = [sys.executable, "-m", "pictify_sync", "plan", "--json"]
            whole = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environ}
            subprocess.run(words, cwd=project.folder, env=whole, stdout=file, timeout=60, check=True)
        text[name] = (tmp_path / name).read_text()
    assert text["here"] == text["there"]
    assert "##[error]" in text["here"]


def _commands(done: subprocess.CompletedProcess[str]) -> list[Command]:
    return [*commands(done.stdout), *commands(done.stderr)]
