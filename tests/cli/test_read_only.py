"""Where nothing can be written: everything that only reads works, and what writes says why it cannot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import Said as Ran
from tests.end_to_end.project import ProjectFolder
from tests.state.git_remotes import Hub

ROOT = Path(__file__).parents[2]
READING = (
    *("plan", "plan --json", "validate", "status", "status --json", "show cards/a@default", "explain cards/a@default"),
    *(
        "history",
        "log",
        "state list",
        "state export",
        "state rebuild --check",
        "refresh --check",
        "doctor",
        "preview --pictures {out}",
    ),
)
WRITING = ("apply --yes --replace *", "taint cards/a@default", "state rm cards/a@default", "state compact", "gc")
RUN = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from pictify_sync.cli.root import run
for line in sys.argv[1:]:
    out, talk = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(talk):
        code = run(line.split())
    print(json.dumps([line, code, out.getvalue(), talk.getvalue()]))
"""
CHILD = """
import os, signal, sys
from pathlib import Path
from pictify_sync.state.sqlite.store import open_store
store = open_store(Path(sys.argv[1]), create=True)
with store.writing() as connection:
    connection.execute("INSERT INTO meta VALUES ('mark', x'01')")
os.kill(os.getpid(), signal.SIGKILL)
"""

Said = dict[str, tuple[int, str, str]]


def said(folder: Path, commands: tuple[str, ...], *before: str) -> Said:
    """What commands say that run in a folder, one after the other."""
    scratch = folder.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    lines = [line.format(out=scratch / "pictures") for line in commands]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}
    done = subprocess.run(
        [*before, sys.executable, "-c", RUN, *lines],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {command: (one[1], one[2], one[3]) for command, one in zip(commands, found, strict=True)}


def read_only(folder: Path) -> tuple[str, ...]:
    """What to run a command with so that it finds a folder on a read-only file system."""
    mount = f'mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && cd {folder} && exec "$@"'
    return "unshare", "-m", "sh", "-c", mount, "-"


def check_reading(found: Said) -> None:
    """All of them work as they do elsewhere."""
    wrong = {line: (code, talk) for line, (code, _, talk) in found.items() if code != (line == "doctor")}
    assert not wrong
    errors = [line.split(" (")[0] for line in found["doctor"][1].splitlines() if line.startswith("error: ")]
    assert errors[0] == "error: output"  # nothing can be published there, and the state is sound
    assert set(errors) <= {"error: output", "error: engine"}  # of the machine: render processes may not start
    assert found["plan"][1].startswith("No changes. All 4 pictures")
    assert found["state list"][1].count("\n") == 4
    assert "ok: state (" in found["doctor"][1]
    assert "Traceback" not in str(found)


@pytest.mark.skipif(shutil.which("unshare") is None or os.geteuid() != 0, reason="needs root for a mount")
@pytest.mark.parametrize("left", ["nothing", "a log", "a log without its index"])
def test_everything_that_only_reads_works_on_a_read_only_file_system(project: Path, left: str) -> None:
    """Also where a killed run left the newest of the state in its log; who writes is told that it cannot."""
    path = project / ".pictify-sync/state.db"
    if left != "nothing":
        subprocess.run([sys.executable, "-c", CHILD, str(path)], cwd=ROOT, check=False)
        assert path.with_name("state.db-wal").stat().st_size
    if left == "a log without its index":
        path.with_name("state.db-shm").unlink()
    before = {one: one.read_bytes() for one in project.rglob("*") if one.is_file()}
    found = said(project, READING + WRITING, *read_only(project))
    check_reading({line: found[line] for line in READING})
    for line in WRITING:
        code, _, talk = found[line]
        assert code == 1, line
        assert "Error: " in talk, line
        assert "Hint: " in talk, line
        assert "Traceback" not in talk
    assert {one: one.read_bytes() for one in project.rglob("*") if one.is_file()} == before


@pytest.mark.skipif(shutil.which("setpriv") is None or os.geteuid() != 0, reason="needs root to become another user")
def test_everything_that_only_reads_works_in_a_folder_of_somebody_else(project: Path, tmp_path: Path) -> None:
    """A folder on a drive that can be written to, but not by whoever runs the command."""
    for folder, _, names in os.walk(project):
        Path(folder).chmod(0o755)
        for name in names:
            (Path(folder) / name).chmod(0o644)
    (tmp_path / "scratch").mkdir(mode=0o777)
    (tmp_path / "scratch").chmod(0o777)
    for parent in (tmp_path, *tmp_path.parents[:-1]):
        parent.chmod(parent.stat().st_mode | 0o055)
    other = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if subprocess.run([*other, sys.executable, "-c", "import click"], capture_output=True, check=False).returncode:
        pytest.skip("another user may not read this environment's packages")
    found = said(project, READING, *other)
    check_reading(found)


@pytest.mark.skipif(shutil.which("unshare") is None or os.geteuid() != 0, reason="needs root for a mount")
def test_a_state_of_a_ref_is_read_on_a_read_only_file_system(
    hub: Hub, clone: Callable[[str], ProjectFolder], at: Callable[..., Ran]
) -> None:
    """What was fetched before is planned with, shown and checked, and nothing is written."""
    one = clone("one")
    assert at(one, "apply", "--yes").code == 0
    before = {path: path.read_bytes() for path in one.folder.rglob("*") if path.is_file()}
    found = said(one.folder, ("plan", "status", "refresh --check", "state list"), *read_only(one.folder))
    assert [(line, talk) for line, (code, _, talk) in found.items() if code != 0] == []
    assert found["plan"][1].startswith("No changes")
    assert found["state list"][1].count("\n") == 8
    assert {path: path.read_bytes() for path in one.folder.rglob("*") if path.is_file()} == before
