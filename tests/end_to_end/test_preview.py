"""`preview` as people run it: real pictures, a hostile pull request, no trace in the project and no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.end_to_end.project import HTML, MANIFEST, ROWS, TEMPLATE, ProjectFolder

WATCHED = """\
import socket, sys
from pictify_sync.cli.root import run

def deny(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        raise RuntimeError(f"{event} {arguments}")
    if event in ("socket.connect", "socket.bind") and arguments[0].family != socket.AF_UNIX:
        raise RuntimeError(f"{event} {arguments}")

sys.addaudithook(deny)
sys.exit(run(sys.argv[1:]))
"""
PICTURE = 'title: {type: text, required: true, max_length: 80}\n  photo: {type: image, default: ""}'


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of four rows in two layouts that was applied once; to be copied."""
    project = ProjectFolder(tmp_path_factory.mktemp("applied") / "project")
    project.ok("apply", "--yes")
    return project.folder


@pytest.fixture
def project(applied: Path, tmp_path: Path) -> ProjectFolder:
    """A copy of one's own."""
    own = ProjectFolder(tmp_path / "unused")
    own.folder = Path(shutil.copytree(applied, tmp_path / "project"))
    return own


def tree(folder: Path) -> dict[str, tuple[bytes, float]]:
    """Every file with its bytes and its time, and every folder by its name."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.lstat().st_mtime) if path.is_file() else (b"", 0)
        for path in folder.rglob("*")
    }


def previewed(project: ProjectFolder, *arguments: str) -> dict[str, dict[str, Any]]:
    """The JSON document's changes by key, from a preview that leaves no trace in the project."""
    before = tree(project.folder)
    document = json.loads(project.ok("preview", "--json", *arguments))
    assert tree(project.folder) == before
    return {change["key"].removeprefix("cards/"): change for change in document["changes"]}


def test_a_pull_request_in_pictures(project: ProjectFolder, tmp_path: Path) -> None:
    """A new row, a cell, a key and nothing visible, each with what it shows; the pictures are what an apply makes."""
    project.edit("manifests/rows.csv", "i0,Title 0", "i0,Another title")
    project.edit("manifests/rows.csv", "i1,", "renamed,")
    project.write("manifests/rows.csv", (project.folder / "manifests/rows.csv").read_text() + "new,New,#ffffff\n")
    pages = ("--html", str(tmp_path / "page.html"), "--markdown", str(tmp_path / "comment.md"))
    found = previewed(project, "--pictures", str(tmp_path / "pictures"), *pages)
    assert "data:image/png;base64," in (tmp_path / "page.html").read_text()
    assert "would look as before" in (tmp_path / "comment.md").read_text()
    assert {key: change["action"] for key, change in found.items() if key.endswith("@default")} == {
        "i0@default": "update", "renamed@default": "move", "new@default": "create",
    }  # fmt: skip
    assert 0.001 < found["i0@default"]["changed"] < 0.2
    assert found["renamed@default"]["before"]
    assert found["new@default"]["before"] is None
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    pictures = [change[part] for change in found.values() for part in ("before", "after", "difference")]
    assert names == {one["file"] for one in pictures if one}
    project.ok("apply", "--yes")
    for item in ("i0@default", "new@square"):
        stored = project.folder / "output/cards" / (item.replace("@", ".") + ".png")
        assert (tmp_path / "pictures" / found[item]["after"]["file"]).read_bytes() == stored.read_bytes()


def test_an_edit_that_changes_no_pixel_is_told(project: ProjectFolder) -> None:
    """All eight are rendered again, and look as before."""
    project.edit("manifests/card.html", "</p>", "</p><!-- only a comment -->")
    found = previewed(project)
    assert [(change["action"], change["changed"], change["difference"]) for change in found.values()] == [
        ("update", 0.0, None)
    ] * 8


def test_another_size_has_no_difference_to_show(project: ProjectFolder) -> None:
    """All of it changes."""
    project.edit("manifests/card.yaml", "width: 80, height: 80", "width: 70, height: 70")
    found = previewed(project, "--select", "cards/i0")
    assert set(found) == {"i0@square"}
    assert (found["i0@square"]["changed"], found["i0@square"]["difference"]) == (1.0, None)


@pytest.mark.parametrize("media", [pytest.param("jpeg", marks=pytest.mark.full), "webp"])
def test_other_formats(tmp_path: Path, media: str) -> None:
    """Drawn and compared in the format of the manifest, and said in words."""
    project = ProjectFolder(tmp_path, media=media, rows="id,title,colour\na,A,#88ccff\nb,B,#88ccff\n")
    project.ok("apply", "--yes")
    project.edit("manifests/rows.csv", "a,A", "a,Something else")
    project.edit("manifests/card.html", "</p>", "</p><!-- only a comment -->")
    found = previewed(project)
    assert found["a@default"]["after"]["media_type"] == f"image/{media}"
    assert found["a@default"]["changed"] > 0.01
    assert found["b@default"]["changed"] == 0
    said = project.ok("preview")
    assert "~ cards/b@default: template changed; looks as before\n" in said
    assert said.endswith("Previewed 4 changes: 4 pictures to come, 2 of them look as before.\n")


def hostile(project: ProjectFolder) -> None:
    """What a stranger may put into a pull request."""
    project.edit("manifests/card.yaml", "title: {type: text, required: true, max_length: 80}", PICTURE)
    project.edit("manifests/card.html", "<p>{{title}}</p>", '<p>{{title}}</p>{{#if photo}}<img src="{{photo}}">{{/if}}')
    project.edit("manifests/cards.yaml", "variables:\n", "variables:\n  photo: \"{{ photo | default('') }}\"\n")
    rows = (
        "id,title,colour,photo\nfine,Fine,#ffffff,\n"
        "meta,Meta,#ffffff,http://169.254.169.254/latest/meta-data\n"
        "far,Far,#ffffff,https://pictures.invalid/x.png\n"
        "i0,Link,#ffffff,\n"
    )
    project.write("manifests/rows.csv", rows)
    slow = MANIFEST.format(format="png").replace("[default, square]", "[default]").replace("card\n", "slow\n")
    project.write("manifests/slow.yaml", slow.replace("name: cards", "name: slow") + "where: \"{{ id == 'fine' }}\"\n")
    project.write("manifests/slow-card.yaml", TEMPLATE.replace("card", "slow").replace("width: 120", "width: 6000"))
    layers = "<div style='position:absolute;inset:0;filter:blur(90px);box-shadow:0 0 900px 900px red'>" * 60
    project.write("manifests/slow.html", HTML.replace("<p>", layers + "<p>").replace("height: 63", "height: 6000"))
    output = project.folder / "output/cards"
    (output / "i0.default.png").unlink()
    (output / "i0.default.png").symlink_to("/etc/passwd")


def test_a_hostile_pull_request_costs_its_own_pictures_only(project: ProjectFolder, tmp_path: Path) -> None:
    """A link, hosts that are not allowed, a page that takes for ever: each is a note, and the others are drawn."""
    hostile(project)
    project.edit("pictify-sync.yaml", "workers: 1", "workers: 1, render_timeout: 1.5")
    done = watched(project, "preview", "--json", "--pictures", str(tmp_path / "pictures"))
    assert done.returncode == 0, done.stderr
    found = {change["key"]: change for change in json.loads(done.stdout)["changes"]}
    assert found["cards/fine@default"]["after"]
    for key, words in {
        "cards/meta@default": "not an allowed host",
        "cards/far@square": "IMAGE_FETCH_FAILED",
        "slow/fine@default": "RENDER_",
        "cards/i0@default": "the stored picture cannot be shown",
    }.items():
        assert words in found[key]["note"], key
    assert found["cards/i0@default"]["after"]
    assert found["cards/i0@default"]["before"] is None
    for path in (tmp_path / "pictures").iterdir():
        with Image.open(path) as image:
            image.load()


def watched(project: ProjectFolder, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that may reach nobody; in a network of its own where that can be had."""
    unshare = shutil.which("unshare")
    alone = [unshare or "", "--map-root-user", "--net"]
    if not unshare or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        alone = []
    return subprocess.run(
        [*alone, sys.executable, "-c", WATCHED, *arguments],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_nothing_is_left_behind(project: ProjectFolder, tmp_path: Path) -> None:
    """No temporary folder and no file, neither with a state nor without one."""
    project.edit("manifests/rows.csv", "Title 0", "Another")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    fresh = ProjectFolder(tmp_path / "fresh")
    for one in (project, fresh):
        before = tree(one.folder)
        done = one.run("preview", environ={"TMPDIR": str(temporary)})
        assert done.returncode == 0, done.stderr
        assert tree(one.folder) == before
    assert not (fresh.folder / ".pictify-sync").exists()
    assert list(temporary.iterdir()) == []


def test_the_sample_is_limited_and_the_rest_listed(project: ProjectFolder) -> None:
    """Both layouts of an update are in a sample of two."""
    project.write("manifests/rows.csv", ROWS.replace("Title", "Card"))
    found = previewed(project, "--max-previews", "2")
    assert [key for key, change in found.items() if change["in_sample"]] == ["i0@default", "i0@square"]
    assert {change["note"] for change in found.values() if not change["in_sample"]} == {"not in the sample"}
    said = project.ok("preview", "--max-previews", "0")
    assert said == "Previewed 0 changes: 0 pictures to come.\n8 other changes are not in the sample (--max-previews).\n"


def test_pictures_go_to_a_folder_of_their_own(project: ProjectFolder, tmp_path: Path) -> None:
    """One that has files already is refused, before anything is drawn."""
    done = project.run("preview", "--pictures", "manifests")
    assert (done.returncode, done.stdout) == (1, "")
    assert "manifests is not empty" in done.stderr
    assert project.ok("preview", "--pictures", str(tmp_path / "a/b")) == "No changes that have a picture.\n"
