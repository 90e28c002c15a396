"""The first day with the real command: what each edit renders, by the embedded server's own meter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.project import ProjectFolder


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """A project that was applied once. Tests copy what they need from it and never change it."""
    project = ProjectFolder(tmp_path_factory.mktemp("applied"))
    project.ok("apply", "--yes")
    return project


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """A project of one's own, applied once."""
    own = ProjectFolder(tmp_path)
    own.ok("apply", "--yes")
    return own


def renders(project: ProjectFolder) -> int:
    """Pictures that the embedded server has made so far."""
    return sum(project.meter().values())


def test_first_apply_publishes_every_asset(applied: ProjectFolder) -> None:
    """Eight files, each of the right format and size, each rendered once."""
    assert len(applied.files()) == 8
    assert set(applied.meter().values()) == {1}
    for name in applied.files():
        size = (80, 80) if "square" in name else (120, 63)
        assert applied.size(name) == ("PNG", size)


@pytest.mark.parametrize(("media", "decoded"), [("jpeg", "JPEG"), ("webp", "WEBP")])
def test_formats(tmp_path: Path, media: str, decoded: str) -> None:
    """The format of the manifest is the format of the bytes."""
    project = ProjectFolder(tmp_path, media=media, rows="id,title,colour\na,A,#123456\n")
    project.ok("apply", "--yes")
    assert {project.size(name)[0] for name in project.files()} == {decoded}


def test_second_plan_is_empty(applied: ProjectFolder) -> None:
    """Exit code 0 although changes would be 2; nothing is rendered by another apply."""
    before = renders(applied)
    done = applied.run("plan", "--detailed-exitcode")
    assert (done.returncode, done.stderr) == (0, "")
    assert "No changes" in done.stdout
    applied.ok("apply", "--yes")
    assert renders(applied) == before


PATH = "x/{{ layout }}/{{ key }}.{{ format }}"
EDITS = {
    "a cell": ("manifests/rows.csv", "i0,Title 0", "i0,Another", 2, 8),
    "a key": ("manifests/rows.csv", "i0,Title 0", "renamed,Title 0", 0, 8),
    "a row": ("manifests/rows.csv", "i3,Title 3,#6f1140\n", "", 0, 6),
    "the template": ("manifests/card.html", "font-size: 16px", "font-size: 15px", 8, 8),
    "a layout's size": ("manifests/card.yaml", "width: 80, height: 80", "width: 70, height: 70", 4, 8),
    "a layout's display name": ("manifests/card.yaml", "name: Square", "name: Quadrat", 0, 8),
    "a new layout": ("manifests/cards.yaml", "[default, square]", "[default, square, tall]", 4, 12),
    "one layout less": ("manifests/cards.yaml", "[default, square]", "[default]", 0, 4),
    "the output path": ("manifests/cards.yaml", "rows: rows.csv", f"rows: rows.csv\noutput: {PATH!r}", 0, 8),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_renders_exactly_what_it_changes(project: ProjectFolder, edit: tuple[str, str, str, int, int]) -> None:
    """Counted by the embedded server's meter; afterwards nothing is left to do, and no old file lies about."""
    file, old, new, rendered, files = edit
    before = renders(project)
    project.edit(file, old, new)
    assert project.run("plan", "--detailed-exitcode").returncode == 2 or rendered == 0
    project.ok("apply", "--yes", "--allow-deletes")
    assert renders(project) - before == rendered
    assert len(project.files()) == files
    assert project.run("plan", "--detailed-exitcode").returncode == 0


def test_a_failing_item_exits_1_and_is_retried(project: ProjectFolder) -> None:
    """The other items are stored; the failed one names its reason, and the next apply tries it again."""
    project.edit("manifests/card.yaml", "variables:", 'variables:\n  photo: {type: image, default: ""}')
    project.edit("manifests/card.html", "<p>", '<img src="{{photo}}"><p>')
    project.edit("manifests/cards.yaml", "variables:", 'variables:\n  photo: "{{ photo }}"')
    rows = "id,title,colour,photo\na,A,#123456,\nb,B,#654321,missing.png\n"
    project.write("manifests/rows.csv", rows)
    done = project.run("apply", "--yes", "--allow-deletes")
    assert done.returncode == 1
    assert "IMAGE_FETCH_FAILED" in done.stdout + done.stderr
    assert sorted(project.files()) == ["cards/a.default.png", "cards/a.square.png"]
    assert project.run("apply", "--yes", "--max-failure-rate", "1").returncode == 0
    project.write("manifests/rows.csv", rows.replace("missing.png", ""))
    project.ok("apply", "--yes")
    assert len(project.files()) == 4


def test_a_deleted_file_is_seen_by_refresh_and_repaired(project: ProjectFolder) -> None:
    """A plan looks at no file; refresh does, and the next apply fetches it from where it still is, without a render."""
    victim = next(iter(project.files()))
    (project.folder / "output" / victim).unlink()
    assert project.run("plan", "--detailed-exitcode").returncode == 0
    assert project.run("refresh", "--check").returncode == 2
    project.ok("refresh")
    before = renders(project)
    project.ok("apply", "--yes")
    assert renders(project) == before
    assert victim in project.files()


def test_a_saved_plan_is_applied_as_it_is_or_refused_as_stale(project: ProjectFolder) -> None:
    """What was reviewed is what is done; a state that moved on refuses it before the first request."""
    project.edit("manifests/rows.csv", "Title 0", "Planned")
    project.ok("plan", "--out", "plan.json")
    json.loads((project.folder / "plan.json").read_text())
    project.edit("manifests/rows.csv", "Planned", "Later")
    before = renders(project)
    project.ok("apply", "plan.json")
    assert renders(project) - before == 2
    project.ok("apply", "--yes")
    refused = project.run("apply", "plan.json")
    assert refused.returncode == 1
    assert "plan again" in refused.stderr
    assert renders(project) - before == 4


def test_apply_without_a_terminal_needs_consent(project: ProjectFolder) -> None:
    """Nobody can answer, so nothing is done."""
    project.edit("manifests/rows.csv", "Title 0", "New")
    before = project.files()
    done = project.run("apply")
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert project.files() == before


def test_many_deletes_need_consent(tmp_path: Path) -> None:
    """The guard counts from ten recorded assets on, and names the switch that lifts it."""
    rows = [f"i{n},Title {n},#123456" for n in range(12)]
    project = ProjectFolder(tmp_path, rows="\n".join(["id,title,colour", *rows, ""]))
    project.ok("apply", "--yes")
    project.write("manifests/rows.csv", "\n".join(["id,title,colour", *rows[:5], ""]))
    refused = project.run("apply", "--yes")
    assert refused.returncode == 1
    assert "--allow-deletes" in refused.stderr
    assert len(project.files()) == 24
    project.ok("apply", "--yes", "--allow-deletes")
    assert len(project.files()) == 10


def test_export_then_import_is_the_identity(project: ProjectFolder, tmp_path: Path) -> None:
    """A snapshot carries everything a plan needs to another machine."""
    snapshot = project.ok("state", "export")
    (project.folder / ".pictify-sync" / "state.db").rename(tmp_path / "old.db")
    (tmp_path / "snapshot.jsonl").write_text(snapshot)
    project.ok("state", "import", str(tmp_path / "snapshot.jsonl"))
    assert project.ok("state", "export") == snapshot
    assert project.run("plan", "--detailed-exitcode").returncode == 0
