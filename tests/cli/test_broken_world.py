"""The world around a command is broken: closed streams, full disks, missing permissions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import ROWS
from tests.cli.test_terminal import COMMAND, environ
from tests.end_to_end.project import ProjectFolder


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a shell line in which `$PS` is the command."""
    words = environ({"PS": " ".join(COMMAND)})
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_log_that_takes_both_streams_keeps_their_order(tmp_path: Path) -> None:
    """The plan stands before what was done about it."""
    folder = ProjectFolder(tmp_path, rows=ROWS).folder
    lines = shell(folder, "$PS apply --yes 2>&1").stdout.splitlines()
    words = ("Plan: ", "To do: ", "Batch ", "Applied: ")
    places = [next(n for n, line in enumerate(lines) if line.startswith(word)) for word in words]
    assert places == sorted(places)


@pytest.mark.parametrize(
    "line",
    ["$PS status >&-", "$PS plan 2>&-", "$PS plan >&- 2>&-", "$PS state export >&-", "$PS validate --json >&-"],
)
def test_closed_streams_are_no_error(project: Path, line: str) -> None:
    """Who closes a stream does not want to read it; the exit code still counts."""
    done = shell(project, line)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["status", "plan --json", "state export", "--help", "log", "schema"])
def test_a_full_disk_is_an_error_in_words(project: Path, words: str) -> None:
    """Exit code 1, for what was asked for is not there."""
    done = shell(project, f"$PS {words} > /dev/full")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "no space left" in done.stderr


@pytest.mark.parametrize(
    ("blocked", "command"),
    [
        ("output", "apply --yes --replace cards"),
        (".pictify-sync", "plan"),
        (".pictify-sync", "apply --yes"),
        (".pictify-sync", "status"),
        ("pictify-sync.yaml", "plan"),
        ("manifests/rows.csv", "plan"),
        ("manifests/cards.yaml", "validate"),
    ],
)
def test_a_path_that_is_of_the_wrong_kind_is_an_error_in_words(project: Path, blocked: str, command: str) -> None:
    """A file where a folder should be, or the other way round: named, without a traceback."""
    path = project / blocked
    was_folder = path.is_dir()
    path.rename(project / "away")
    path.write_text("x") if was_folder else path.mkdir()
    done = shell(project, f"$PS {command}")
    assert "Traceback" not in done.stderr
    if blocked not in {"pictify-sync.yaml", "manifests/cards.yaml"}:
        assert done.returncode == 1
        assert Path(blocked).name in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do everything")
@pytest.mark.parametrize("command", ["plan --out closed/plan.json", "init closed/project", "plan closed"])
def test_missing_permission_is_an_error_in_words(project: Path, command: str) -> None:
    """The path and the reason."""
    (project / "closed").mkdir(mode=0)
    done = shell(project, f"$PS {command}")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "closed" in done.stderr
