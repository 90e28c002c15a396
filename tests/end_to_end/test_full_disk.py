"""No file may grow beyond a limit, as on a full disk: an apply says so, and the next one finishes what was begun."""

from __future__ import annotations

import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.end_to_end.project import ProjectFolder

ROWS = "id,title,colour\n" + "".join(f"i{n},Title {n},#{n:02x}{n:02x}40\n" for n in range(100))


def limited(project: ProjectFolder, size: int) -> subprocess.CompletedProcess[str]:
    """An apply none of whose files gets larger than so many bytes."""
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (size, size))
    command = [sys.executable, "-m", "pictify_sync", "apply", "--yes"]
    return subprocess.run(
        command,
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=limit,
    )


@pytest.mark.parametrize("size", [100_000, 150_000, 200_000, 300_000])
def test_a_full_disk_is_an_error_and_loses_nothing(tmp_path: Path, size: int) -> None:
    """Twice, since the second run finds what the first one left; then there is room."""
    project = ProjectFolder(tmp_path / "project", rows=ROWS)
    for _ in range(2):
        done = limited(project, size)
        assert "Traceback" not in done.stderr
        assert done.returncode == 1, done.stderr
        said = f"\n{done.stderr}{done.stdout}"
        assert "\nError: " in said or "\nStopped early: " in said
        assert "OperationalError" not in said  # sentences, and no names of Python's classes
    project.ok("apply", "--yes")
    assert len(project.files()) == 200
    assert set(project.meter().values()) == {1}
    assert project.run("plan", "--detailed-exitcode").returncode == 0
