"""Where Git and pictify-sync keep their own files, nothing is read from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.rendering.inspect import Inspector
from tests.manifest.project import ASSETS, Project

SECRET = '[core]\n\turl = https://token@example.org/"\n'
PLACES = [
    ".git/config",
    ".GIT/config",
    ".git./config",
    ".git /config",
    ".g\u200bit/config",
    "git~1/config",
    "vendor/lib/.git/config",
    "vendor/lib/.git",  # a submodule's, a worktree's
    ".pictify-sync/state.db",
    ".Pictify-Sync/inbox/ids/00/x.json",
    "data/.pictify-sync/local/emulator.db",
    "meta/config",  # of `git init --separate-git-dir meta`
    "meta/worktrees/w/HEAD",
    "kept/state.db",
    "kept/state.db-wal",
    "kept/inbox/x.json",
]
NAMING = [
    '<link rel="stylesheet" href="NAME">',
    '<link rel="stylesheet" href="own.css">',
    '<style>@import "NAME";</style>',
    '<style>@font-face {font-family: x; src: url("NAME")}</style>',
    '<p style="background: url(&quot;NAME&quot;)">',
    '<img src="NAME">',
    '<svg><image href="NAME"/></svg>',
    '<svg><use xlink:href="NAME#x"/></svg>',
]
WORDS = ("keep their own files", "keeps its own files", "is a file of pictify-sync's own")


@pytest.fixture
def place(project: Project, request: pytest.FixtureRequest) -> str:
    """A file in a place that is no input; the name of it, from the project."""
    name: str = request.param
    project.write(name, SECRET)
    for part in ("HEAD", "objects/x", "refs/x"):
        project.write(f"meta/{part}", "")
    kept = project.folder.resolve() / "kept"
    project.context = replace(project.context, kept=[kept / "state.db", kept / "inbox"])
    return name


def refused(told: str) -> bool:
    """Whether the words are those for such a place, and say nothing of what is in the file."""
    return any(words in told for words in WORDS) and "token" not in told


@pytest.mark.parametrize("place", PLACES, indirect=True)
@pytest.mark.parametrize("through", ["name", "link", "linked folder"])
def test_no_input_of_any_kind_is_read_from_there(project: Project, place: str, through: str) -> None:
    """Html, rows, pictures of rows, css, its imports and url(), pictures and fonts; by name and through links."""
    name = f"../{place}"
    if through == "link":
        (project.folder / "manifests/in").symlink_to(name)
        name = "in"
    elif through == "linked folder":
        (project.folder / "manifests/in").symlink_to(Path(name).parent)
        name = f"in/{Path(place).name}"
    for file, field, value in (("card", "html", "card.html"), ("a", "rows", "rows.jsonl")):
        before = (project.folder / f"manifests/{file}.yaml").read_text()
        project.write(f"manifests/{file}.yaml", before.replace(f"{field}: {value}", f'{field}: "{name}"'))
        assert refused(project.fails()), field
        project.write(f"manifests/{file}.yaml", before)
    project.rows({"id": "a", "title": "A", "photo": name})
    assert refused(project.fails())
    project.rows({"id": "a", "title": "A"})
    for html in NAMING:
        project.write("manifests/own.css", f'b {{background: url("{name}")}}')
        project.write("manifests/card.html", html.replace("NAME", name) + "{{title}}{{email}}<img src='{{photo}}'>")
        assert refused(project.fails(inspector=Inspector())), html


@pytest.mark.parametrize("place", [".git/x.yaml", "meta/x.yaml", "kept/inbox/x.yaml"], indirect=True)
def test_no_manifest_is_read_from_there(project: Project, place: str) -> None:
    """Neither named itself, nor through a link that a walk follows."""
    project.write(place, ASSETS)
    assert refused(project.fails(place))
    (project.folder / "manifests/in").symlink_to(Path("..") / Path(place).parent)
    assert refused(project.fails())
    (project.folder / "manifests/in").unlink()
    (project.folder / "manifests/in.yaml").symlink_to(Path("..") / place)
    assert refused(project.fails())


def test_a_plain_folder_may_have_a_part_of_such_a_name(project: Project) -> None:
    """`.github`, `git` and a picture called `.git.png` are nothing special."""
    for name in (".github/x.png", "git/x.png", "manifests/HEAD/x.png", "manifests/.git.png"):
        project.write(name, b"p")
        project.rows({"id": "a", "title": "A", "photo": f"../{name}"})
        assert not project.read().problems


@pytest.mark.parametrize("name", ["kept/inbox-art/own.css", "kept/state.db-art/own.css"])
def test_what_is_only_named_alike_is_read(project: Project, name: str) -> None:
    """A folder whose name begins as that of a file of pictify-sync's own."""
    kept = project.folder.resolve() / "kept"
    project.context = replace(project.context, kept=[kept / "state.db", kept / "inbox"], inspector=Inspector())
    project.write(name, "b {color: red}")
    project.edit("manifests/card.html", lambda old: f'<link rel="stylesheet" href="../{name}">{old}')
    assert len(project.read()) == 4
