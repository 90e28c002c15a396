"""A reader that goes away, as `| head` does, stops no work."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import edit
from tests.cli.test_terminal import COMMAND, environ


def unread(folder: Path, *arguments: str, talk: bool = False) -> int:
    """Run a command whose output nobody reads, nor, with `talk`, what it says beside it; gives the exit code."""
    out = subprocess.PIPE
    err = subprocess.STDOUT if talk else subprocess.PIPE
    process = subprocess.Popen([*COMMAND, *arguments], cwd=folder, env=environ({}), stdout=out, stderr=err)
    assert process.stdout
    process.stdout.close()
    said = b""
    if process.stderr:
        said = process.stderr.read()
        process.stderr.close()
    code = process.wait(timeout=300)
    assert b"Traceback" not in said
    assert b"BrokenPipe" not in said
    return code


@pytest.mark.parametrize("arguments", [["plan"], ["plan", "--full", "--json"]])
def test_a_plan_that_nobody_reads_writes_its_files(project: Path, arguments: list[str]) -> None:
    """Pages and the saved plan are whole, and the exit code is its own."""
    edit(project, "a,A,", "a,Other,")
    files = ("--html", "p.html", "--markdown", "p.md", "--summary", "s.md", "--out", "p")
    assert unread(project, *arguments, "--detailed-exitcode", *files) == 2
    assert "2 to update" in (project / "p.md").read_text()
    assert "</html>" in (project / "p.html").read_text()
    assert json.loads((project / "p").read_text())["summary"]["actions"]["update"] == 2
    assert (project / "s.md").read_text()


@pytest.mark.parametrize("talk", [False, True])
def test_an_apply_that_nobody_reads_is_carried_out(project: Path, *, talk: bool) -> None:
    """Also where stderr goes into the same pipe."""
    edit(project, "a,A,", "a,Other,")
    assert unread(project, "apply", "--yes", "--html", "p.html", talk=talk) == 0
    assert "2 stored" in (project / "p.html").read_text()
    assert unread(project, "plan", "--detailed-exitcode") == 0


@pytest.mark.parametrize("arguments", [["status"], ["state", "list"], ["log"], ["refresh", "--check"], ["doctor"]])
def test_what_only_looks_ends_well(project: Path, arguments: list[str]) -> None:
    """A reader that has seen enough is no error."""
    assert unread(project, *arguments) == 0
