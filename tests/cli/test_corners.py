"""What a picky user runs into: slips of the pen, looking before anything exists, closed streams, full disks."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from pictify_sync.cli.root import COMMANDS, group
from tests.cli.running import Run, edit
from tests.cli.test_broken_world import shell
from tests.cli.test_terminal import COMMAND, environ

# Slips of the pen ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_exits_with_1(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run) -> None:
    """Never with 2, which means changes or drift; the command's own help is named."""
    monkeypatch.chdir(tmp_path)
    said = cli(name, "--nonsense")
    assert said.code == 1
    assert said.out == ""
    assert f"Try 'pictify-sync {name} --help' for help." in said.talk
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("typed", "meant"), [("plna", "plan"), ("aplly", "apply"), ("stat", "state"), ("??", "")])
def test_an_unknown_command_names_the_nearest(typed: str, meant: str, cli: Run) -> None:
    """If there is a near one."""
    said = cli(typed)
    assert said.code == 1
    assert (f"Did you mean '{meant}'?" in said.talk) is bool(meant)
    assert "Did you mean ''" not in said.talk


def test_a_nested_command_names_the_nearest_too(cli: Run) -> None:
    """`state lst` is as common as `plna`."""
    said = cli("state", "lst")
    assert said.code == 1
    assert "list" in said.talk


@pytest.mark.parametrize("command", ["show", "explain"])
@pytest.mark.parametrize("typed", ["cards/a", "cards/a@defualt", "card/a@default"])
def test_a_key_that_is_not_known_brings_those_like_it(project: Path, cli: Run, command: str, typed: str) -> None:
    """Most often the layout was forgotten."""
    said = cli(command, typed)
    assert (said.code, said.out) == (1, "")
    assert "did you mean cards/a@default" in said.talk


@pytest.mark.parametrize(
    "line", ['show "$X"', 'explain "$X"', 'taint "$X"', 'state mv "$X" a/b@c', 'state mv cards/a@default "$X"']
)
def test_a_word_that_is_no_utf_8_is_an_error_in_words(project: Path, line: str) -> None:
    """No key is such a word, and no stack is shown for it."""
    done = shell(project, f"X=$'\\xff\\e[31m'; $PS {line}")
    assert done.returncode == 1
    assert "\\udcff\\x1b[31m is " in done.stderr or "\\udcff\\x1b[31m\n" in done.stderr


def test_patterns_that_match_nothing_are_told(project: Path, cli: Run) -> None:
    """A plan warns and goes on; where nothing else would be left to do it is an error."""
    assert "Warning: no key matches --select 'crads/*'" not in cli("plan", "--select", "cards").talk
    assert "Warning: no key matches --select crads" in cli("plan", "--select", "crads").talk
    assert "Warning: no key matches --replace crads" in cli("plan", "--replace", "crads").talk
    for command in (["refresh"], ["taint"], ["untaint"], ["state", "rm"]):
        said = cli(*command, "crads")
        assert (said.code, said.out) == (1, "")
        assert "nothing recorded matches crads" in said.talk


def test_an_approved_plan_is_read_before_anything_is_shown(project: Path, cli: Run) -> None:
    """A wrong name is found at once, not after the plan."""
    edit(project, "a,A,", "a,Other,")
    said = cli("apply", "--approve", "nowhere.json")
    assert (said.code, said.out) == (1, "")
    assert "nowhere.json" in said.talk


# Explaining ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["cards/a@default", "cards/renamed@default"])
def test_a_rename_is_explained_by_both_keys(project: Path, cli: Run, key: str) -> None:
    """It is one move, whoever asks; an explanation must say what the plan says."""
    edit(project, "a,A,", "renamed,A,")
    said = cli("explain", key)
    assert said.code == 0
    assert "cards/renamed@default would be moved, without a render" in said.out
    assert "Reason: renamed" in said.out


@pytest.mark.parametrize(
    ("edited", "key", "reason"),
    [
        (("b,B,#654321\n", ""), "cards/b@square", "no longer in a manifest"),
        (("b,B,", "c,C,#000000\nb,B,"), "cards/c@square", "new"),
        (("a,A,", "a,Other,"), "cards/a@square", "variables changed"),
        (("a,A,", "a,Other,"), "cards/b@square", "up to date"),
    ],
)
def test_explain_agrees_with_the_plan(project: Path, cli: Run, edited: tuple[str, str], key: str, reason: str) -> None:
    """The same reason in both."""
    edit(project, *edited)
    assert f"Reason: {reason}" in cli("explain", key).out
    if reason != "up to date":
        line = next(line for line in cli("plan").out.splitlines() if f" {key.removeprefix('cards/')}:" in line)
        assert reason in line


# Before there is anything --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["validate"], ["explain", "a/b@default"]])
def test_a_folder_without_manifests_says_how_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run, command: list[str]
) -> None:
    """And nothing is made there."""
    monkeypatch.chdir(tmp_path)
    said = cli(*command)
    assert (said.code, said.out) == (1, "")
    assert "there is no 'manifests' here" in said.talk
    assert "pictify-sync init" in said.talk
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        "taint x",
        "untaint x",
        "state rm x",
        "state mv a/b@c a/c@c",
        "state export",
        "state rebuild",
        "show a/b@c",
        "refresh",
        "status",
        "history",
        "log",
    ],
)
def test_looking_for_a_state_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run, command: str
) -> None:
    """Only apply and import make a state: a wrong folder stays as it was."""
    monkeypatch.chdir(tmp_path)
    said = cli(*command.split())
    assert said.code == (0 if command in {"status", "history", "log"} else 1)
    assert "Traceback" not in said.talk
    assert list(tmp_path.iterdir()) == []


def test_init_elsewhere_says_where_to_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run) -> None:
    """What comes next can be pasted; a file in the way is no traceback."""
    monkeypatch.chdir(tmp_path)
    assert "Next: cd 'my cards', then pictify-sync plan" in cli("init", "my cards").talk
    (tmp_path / "file").write_text("")
    said = cli("init", "file/below")
    assert said.code == 1
    assert "not a directory" in said.talk


def test_settings_elsewhere_bind_the_project_to_their_folder(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Run
) -> None:
    """State, manifests and output are those beside the settings file."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    said = cli("--settings", str(project / "pictify-sync.yaml"), "plan", "--detailed-exitcode")
    assert (said.code, list(elsewhere.iterdir())) == (0, [])


# Applying ------------------------------------------------------------------------------------------------------------


def test_nothing_to_do_is_one_line(project: Path, cli: Run) -> None:
    """No summary of nothing."""
    assert cli("apply", "--yes").out == "No changes. All 4 pictures are as the manifests ask.\n"


def test_a_saved_plan_says_how_to_carry_it_out(project: Path, cli: Run) -> None:
    """On stderr, after the plan."""
    edit(project, "a,A,", "a,Other,")
    said = cli("plan", "--out", "plan.json")
    assert said.talk == "Saved to plan.json. Carry out exactly this with: pictify-sync apply plan.json\n"
    assert cli("apply", "plan.json").code == 0


def test_nobody_to_ask_is_an_error_that_changes_nothing(project: Path) -> None:
    """Neither a pipe nor a closed stdin can answer."""
    edit(project, "a,A,", "a,Other,")
    for line in ("echo yes | $PS apply", "$PS apply <&-"):
        done = shell(project, line)
        assert done.returncode == 1
        assert "stdin is not a terminal, so apply cannot ask for confirmation; nothing was changed" in done.stderr
        assert "--yes" in done.stderr
    assert "to update" in shell(project, "$PS plan").stdout


# In a session of its own whose terminal it is, so that Ctrl-C is a signal to it and to nobody else; and heeded there,
# also when these tests run in the background of a script, where it is ignored and children inherit that.
OWN_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("typed", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_leaving_the_question_is_a_no(project: Path, typed: bytes) -> None:
    """At once, with exit code 1, and nothing changed."""
    edit(project, "a,A,", "a,Other,")
    terminal, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, *COMMAND, "apply"],
        env=environ({}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = leave(terminal, typed)
        code = process.wait(timeout=60)
    os.close(terminal)  # not before: closing it hangs up on whoever is left
    assert code == 1, shown
    assert b"nothing was changed" in shown
    assert b"Traceback" not in shown


def leave(terminal: int, typed: bytes) -> bytes:
    """Wait for the question and type until the other side is closed; gives all that was shown.

    What is typed between the question and the moment when Python waits for an answer may be lost, so it is typed again.
    """
    shown, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 2)[0]:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # Linux: the other side is closed
                break
            if not part:
                break
            asked = b"is accepted" in shown
            shown += part
            if asked or b"is accepted" not in shown:
                continue
        if b"is accepted" in shown:
            os.write(terminal, typed)
    return shown


# Streams and disks ---------------------------------------------------------------------------------------------------


def test_help_of_every_command_is_on_stdout(cli: Run) -> None:
    """Asked for, so data; exit code 0."""
    context = click.Context(group)
    for name in group.list_commands(context):
        said = cli(name, "--help")
        assert (said.code, said.talk) == (0, "")
        assert said.out.startswith(f"Usage: pictify-sync {name} ")


@pytest.mark.parametrize("command", ["serve", "webhooks serve"])
def test_a_port_that_is_none_is_an_error_in_words(cli: Run, command: str) -> None:
    """Before anything is opened."""
    said = cli(*command.split(), "--port", "99999")
    assert said.code == 1
    assert "65535" in said.talk
