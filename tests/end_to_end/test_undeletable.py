"""Files that cannot be deleted: an apply ends as it says it does, and the next one is not held up by what is left."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.project import ProjectFolder

ROOT = Path(__file__).parents[2]
ROWS = "id,title,colour\na,A,#102030\n"
CALL = re.compile(r'(\d+) +(unlink(?:at)?)\((?:\d+, |AT_FDCWD, )?"([^"]*)"')
PYTHONS_OWN = re.compile(r"^/dev/shm/|^listener-|/pymp-")  # of multiprocessing, which shows traces of its own

Paths = dict[str, list[str]]  # by system call: strace counts each by itself


def traced(
    folder: Path, call: str = "", when: str = ""
) -> tuple[ProjectFolder, subprocess.CompletedProcess[str], Paths]:
    """A first apply, some of whose deletions fail with EIO; gives what its main process was to delete, in order."""
    project, log = ProjectFolder(folder, rows=ROWS), folder.with_suffix(".strace")
    trace = ["strace", "-f", "-q", "-s", "999", "-o", str(log), "-e", "trace=unlink,unlinkat"]
    if when:
        trace += ["-e", f"inject={call}:error=EIO:when={when}"]
    done = subprocess.run(
        [*trace, sys.executable, "-m", "pictify_sync", "apply", "--yes"],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    calls = [found.groups() for line in log.read_text().splitlines() if (found := CALL.match(line))]
    own = [(call, path) for process, call, path in calls if process == calls[0][0]]
    return project, done, {call: [path for one, path in own if one == call] for call in ("unlink", "unlinkat")}


def undeleted(folder: Path) -> list[str]:
    """What the deletions that failed were of: each thread and process counts its calls for itself."""
    last: dict[str, str] = {}  # by thread: what it was deleting
    failed = []
    for line in folder.with_suffix(".strace").read_text().splitlines():
        process = line.split(" ", 1)[0]
        if found := CALL.match(line):
            last[process] = found[3]
        if line.endswith("(INJECTED)"):
            failed.append(last[process])
    return failed


def check(project: ProjectFolder, done: subprocess.CompletedProcess[str]) -> None:
    """It said what came of it, and whatever comes next works."""
    assert "Traceback" not in done.stderr
    if done.returncode == 0:
        assert "Applied: 2 stored." in done.stdout
        assert project.ok("plan").startswith("No changes")
    else:
        assert done.returncode == 1
        assert "Error: " in done.stderr
    project.ok("apply", "--yes")
    project.ok("state", "rebuild", "--check")
    assert len(project.files()) == 2
    assert project.run("plan", "--detailed-exitcode").returncode == 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_what_an_apply_cannot_delete_at_its_end_does_no_harm(tmp_path: Path) -> None:
    """Its lock file and the logs of both databases stay: everything was done all the same."""
    _, done, paths = traced(tmp_path / "before")
    assert done.returncode == 0, done.stderr
    at = next(at for at, path in enumerate(paths["unlink"], 1) if "/local/runs/" in path and path.endswith(".lock"))
    project, done, _ = traced(tmp_path / "project", "unlink", f"{at}+")
    assert list(project.folder.glob(".pictify-sync/local/runs/*.lock"))
    assert (project.folder / ".pictify-sync/local/emulator.db-wal").exists()
    assert (project.folder / ".pictify-sync/state.db-wal").exists()
    assert done.returncode == 0, done.stderr
    check(project, done)


@pytest.mark.full
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_whatever_an_apply_cannot_delete_does_no_harm(tmp_path: Path) -> None:
    """The same for each of its deletions by itself, from making the state on."""
    _, _, paths = traced(tmp_path / "before")
    for call, those in paths.items():
        for at in range(1, len(those) + 1):
            project, done, _ = traced(tmp_path / f"{call}{at}", call, str(at))
            if not any(PYTHONS_OWN.search(path) for path in undeleted(tmp_path / f"{call}{at}")):
                check(project, done)
