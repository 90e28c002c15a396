"""The real command where the settings let it render once more what nobody tells the URL of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.project import ProjectFolder
from tests.end_to_end.test_remote import SETTINGS, rendered, served

ROWS = "id,title,colour\na,A,#112233\nb,B,#445566\nagain,A,#112233\n"
WITH_SINGLE = SETTINGS.replace("poll_seconds", "url_sources: [results, inbox, lookup, single], poll_seconds")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that the embedded provider makes of the same manifests."""
    project = ProjectFolder(tmp_path_factory.mktemp("local"), rows=ROWS)
    project.ok("apply", "--yes")
    return project.files()


def status(project: ProjectFolder) -> dict[str, object]:
    """What `status --json` tells."""
    found: dict[str, object] = json.loads(project.ok("status", "--json"))
    return found


def test_only_collect_renders_again_and_only_where_the_settings_say_so(tmp_path: Path, local: dict[str, bytes]) -> None:
    """Off by default; on, each picture is rendered once more, however many assets share it, and the ledger says so."""
    project = ProjectFolder(tmp_path, settings=SETTINGS, rows=ROWS)
    with served(project, "--dialect", "names") as environ:
        assert project.run("apply", "--yes", environ=environ).returncode == 0
        assert project.run("collect", environ=environ).returncode == 0
        assert (rendered(project), project.files()) == (4, {})
        project.edit(
            "pictify-sync.yaml", "{poll_seconds", "{url_sources: [results, inbox, lookup, single], poll_seconds"
        )
        assert project.run("apply", "--yes", environ=environ).returncode == 0
        assert (rendered(project), project.files()) == (4, {})
        done = project.run("collect", environ=environ)
        assert done.returncode == 0, done.stderr
        assert (rendered(project), project.files()) == (8, local)
        assert project.run("collect", environ=environ).returncode == 0
        assert rendered(project) == 8
        assert project.run("plan", "--detailed-exitcode", environ=environ).returncode == 0


def test_a_lost_answer_is_in_doubt_and_is_not_asked_for_again(tmp_path: Path) -> None:
    """The render is billed, nobody knows, and the next collect leaves it alone: once, not each time."""
    project = ProjectFolder(tmp_path, settings=WITH_SINGLE, rows="id,title,colour\na,A,#112233\n")
    with served(project, "--dialect", "names", "--fault", "drop-after@renderTemplate") as environ:
        assert project.run("apply", "--yes", environ=environ).returncode == 0
        for meter in (3, 4, 4):
            done = project.run("collect", environ=environ)
            assert "in doubt" in done.stdout or meter == 4, done.stdout + done.stderr
            assert rendered(project) == meter
    assert len([one for one in status(project)["open_batches"] if one["in_doubt"]]) == 2  # type: ignore[attr-defined]


def test_a_failing_render_is_told_and_leaves_the_picture_as_it_was(tmp_path: Path) -> None:
    """A provider that renders nothing more stops it, with its reason."""
    project = ProjectFolder(tmp_path, settings=WITH_SINGLE, rows=ROWS)
    with served(project, "--dialect", "names", "--quota", "4") as environ:
        assert project.run("apply", "--yes", environ=environ).returncode == 0
        done = project.run("collect", environ=environ)
        assert (rendered(project), project.files()) == (4, {})
        assert "uota" in done.stdout, done.stdout
    assert status(project)["statuses"] == {"rendered": 6}


def test_single_stands_last(tmp_path: Path) -> None:
    """Nothing is billed before everything free was asked."""
    settings = WITH_SINGLE.replace("lookup, single", "single, lookup")
    done = ProjectFolder(tmp_path, settings=settings).run("plan")
    assert done.returncode == 1
    assert "'single' is billed, so it stands last" in done.stderr
