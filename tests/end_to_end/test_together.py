"""Two applies at once, and applies that are stopped: real processes, real signals."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from pictify_sync.providers.pictify.server.app import read_meter
from tests.end_to_end.project import ProjectFolder
from tests.end_to_end.test_remote import served

ROWS = "id,title,colour\n" + "".join(f"i{n:02},Title {n},#{n * 5 % 256:02x}8040\n" for n in range(40))
SETTINGS = "providers: {local: {max_items: 5, max_open: 2}}\n"


def finished(project: ProjectFolder) -> None:
    """Everything is published, rendered once, and nothing is left to do."""
    assert len(project.files()) == 80
    assert set(project.meter().values()) == {1}
    assert sum(project.meter().values()) == 80
    assert project.run("plan", "--detailed-exitcode").returncode == 0
    assert project.run("state", "rebuild", "--check").returncode == 0


def test_two_applies_at_once(tmp_path: Path) -> None:
    """Nothing is rendered twice, no record is lost, and both end well."""
    project = ProjectFolder(tmp_path, rows=ROWS, settings=SETTINGS)
    both = [project.start("apply", "--yes") for _ in range(2)]
    for process in both:
        _, talk = process.communicate(timeout=120)
        assert process.returncode == 0, talk
    finished(project)


def begun(project: ProjectFolder) -> None:
    """Wait until some, but not all, pictures are published."""
    deadline = time.monotonic() + 60
    while len(project.files()) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_apply_says_how_to_go_on(tmp_path: Path, number: signal.Signals) -> None:
    """Exit code 1, nothing new is submitted, and the next apply finishes without a second render."""
    project = ProjectFolder(tmp_path, rows=ROWS, settings=SETTINGS)
    process = project.start("apply", "--yes")
    begun(project)
    process.send_signal(number)
    out, talk = process.communicate(timeout=60)
    assert process.returncode == 1, out + talk
    assert "Go on with: pictify-sync apply" in out
    assert len(project.files()) < 80
    project.ok("apply", "--yes")
    finished(project)


def test_a_killed_apply_leaves_no_worker_behind_and_is_finished(tmp_path: Path) -> None:
    """SIGKILL in the middle of rendering: the next apply converges, and no picture is metered twice."""
    project = ProjectFolder(tmp_path, rows=ROWS, settings=SETTINGS)
    process = project.start("apply", "--yes")
    begun(project)
    process.kill()
    process.communicate(timeout=60)
    project.ok("apply", "--yes")
    finished(project)


def test_many_applies_with_one_account(tmp_path: Path) -> None:
    """A batch whose POST another run has just sent is that run's work: all end well, and each picture is paid once."""
    settings = "provider: pictify\nproviders: {pictify: {max_items: 2, requests_per_minute: 6000, poll_seconds: 0.2}}\n"
    project = ProjectFolder(tmp_path, settings=settings)
    with served(project, "--faults", "--fault", "delay=1@batchRenderTemplate") as environ:
        running = [project.start("apply", "--yes", environ=environ) for _ in range(4)]
        for process in running:
            _, talk = process.communicate(timeout=120)
            assert process.returncode == 0, talk
        assert len(project.files()) == len(read_meter(project.folder / "server")) == 8
        assert project.run("plan", "--detailed-exitcode", environ=environ).returncode == 0
