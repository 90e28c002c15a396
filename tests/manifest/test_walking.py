"""Which files are found: links, folders that cannot be read, names, and places that are no input."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pictify_sync.manifest.places import Problems
from pictify_sync.manifest.walking import Walker, scan
from tests.manifest.project import ASSETS, TEMPLATE, Project

INLINE = ASSETS.replace("rows.jsonl", "[{id: 1, title: x}]")


def test_a_link_inside_the_project_is_followed(project: Project) -> None:
    """A linked folder is found by walking as by its name, a linked file too, and each file once."""
    project.write("shared/brand/b.yaml", INLINE.replace("out/", "b/"))
    project.write("shared/c.yaml", INLINE.replace("out/", "c/"))
    (project.folder / "manifests/brand").symlink_to("../shared/brand")
    (project.folder / "manifests/again").symlink_to("../shared/brand")
    (project.folder / "manifests/c.yaml").symlink_to("../shared/c.yaml")
    (project.folder / "manifests/round").symlink_to(".")
    assert list(project.read().manifests) == ["a", "b", "c"]
    assert list(project.read("manifests/brand").manifests) == ["b"]
    assert list(project.read("manifests/b*").manifests) == ["b"]
    assert list(project.read("manifests/*/b.yaml").manifests) == ["b"]


def test_a_template_behind_a_link_is_declared(project: Project) -> None:
    """Also where only the manifest that uses it is in scope."""
    project.write("shared/card.yaml", TEMPLATE)
    (project.folder / "manifests/card.html").rename(project.folder / "shared/card.html")
    (project.folder / "manifests/card.yaml").unlink()
    (project.folder / "manifests/templates").symlink_to("../shared")
    assert len(project.read("manifests/a.yaml")) == len(project.read()) == 4


@pytest.mark.parametrize("paths", [(), ("manifests/link",), ("manifests/*",), ("manifests/**",)])
def test_a_link_out_of_the_project_is_an_error_at_its_place(project: Project, paths: tuple[str, ...]) -> None:
    """A folder named, walked or matched means the same."""
    elsewhere = project.folder.with_name(f"{project.folder.name}-elsewhere")
    elsewhere.mkdir()
    (elsewhere / "x.yaml").write_text(INLINE)
    (project.folder / "manifests/link").symlink_to(elsewhere)
    told = project.fails(*paths)
    assert told.startswith("manifests/link:0:0: the link leads to ")
    assert "which lies outside the project folder" in told


def test_a_linked_file_that_leads_out_is_an_error_at_its_place(project: Project) -> None:
    """The link is named, not only what it leads to."""
    other = project.folder.with_name(f"{project.folder.name}-other.yaml")
    other.write_text(INLINE)
    (project.folder / "manifests/o.yaml").symlink_to(other)
    assert project.fails().startswith("manifests/o.yaml:0:0: the link leads to ")
    assert project.fails("manifests/o.yaml").startswith("manifests/o.yaml:0:0: the link leads to ")


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("brand", "../gone", "the link is broken"),
        ("v1.2", "../gone", "the link is broken"),
        ("b.yaml", "../gone.yaml", "the link is broken"),
        ("brand", "brand", "cannot be read: too many levels of symbolic links"),
        ("b.yaml", "b.yaml", "cannot be read: too many levels of symbolic links"),
    ],
)
def test_a_link_that_cannot_be_followed_is_an_error(project: Project, name: str, target: str, words: str) -> None:
    """It may have been a folder of manifests; a lost picture beside them is nobody's concern before it is named."""
    (project.folder / "manifests" / name).symlink_to(target)
    assert f"manifests/{name}:0:0: {words}" in project.fails()
    (project.folder / "manifests" / name).rename(project.folder / "manifests/logo.png")
    assert len(project.read()) == 4


OTHER = "apps/cards/manifests"


@pytest.mark.parametrize(
    "paths", [("apps",), ("apps/*/manifests",), ("apps/**/*.yaml",), (".",), (OTHER,), (f"{OTHER}/o.yaml",)]
)
def test_what_belongs_to_another_project_is_refused(project: Project, paths: tuple[str, ...]) -> None:
    """A folder below with settings of its own, whatever leads there; with settings chosen by hand it is read."""
    project.write("apps/cards/pictify-sync.yaml", "version: 1\n")
    project.write(f"{OTHER}/o.yaml", INLINE.replace("out/", "o/"))
    (told,) = project.fails(*paths).splitlines()
    assert told.startswith("apps/cards")
    assert "belongs to another project, that of " in told
    assert "o" in project.read(*paths, over_all=True).manifests


@pytest.mark.parametrize("target", [f"../{OTHER}", f"../{OTHER}/o.yaml"])
def test_no_link_leads_to_another_project(project: Project, target: str) -> None:
    """Its settings and its guard would not be those of the run."""
    project.write("apps/cards/pictify-sync.yaml", "version: 1\n")
    project.write(f"{OTHER}/o.yaml", INLINE.replace("out/", "o/"))
    (project.folder / "manifests/link.yaml").symlink_to(target)
    assert project.fails().startswith("manifests/link.yaml:0:0: belongs to another project, that of ")


def test_a_settings_file_is_no_manifest(project: Project) -> None:
    """The whole project folder can be named."""
    project.write("pictify-sync.yaml", "version: 1\n")
    assert list(project.read(".").manifests) == ["a"]


class Refusing:
    """Lists folders as the operating system does, but for one that it refuses."""

    def __init__(self, name: str, error: OSError) -> None:
        self.name = name
        self.error = error

    def __call__(self, folder: Path) -> Sequence[os.DirEntry[str]]:
        if folder.name == self.name:
            raise self.error
        return scan(folder)


REFUSALS = [
    (PermissionError(13, "Permission denied"), "the folder cannot be read: permission denied"),
    (OSError(5, "Input/output error"), "the folder cannot be read: input/output error"),
    (FileNotFoundError(2, "No such file or directory"), "the folder vanished while it was read"),
]
WAYS: Sequence[Callable[[Walker, Path], list[Path]]] = [
    lambda walker, root: list(walker.walk(root)),
    lambda walker, root: list(walker.matches(root / "**" / "*.yaml")),
    lambda walker, root: list(walker.matches(root / "brand" / "*.yaml")),
]


@pytest.mark.parametrize(("error", "words"), REFUSALS)
@pytest.mark.parametrize("way", WAYS)
def test_a_folder_that_cannot_be_read_is_not_empty(
    project: Project, error: OSError, words: str, way: Callable[[Walker, Path], list[Path]]
) -> None:
    """Whatever refuses it, walking and matching tell of the folder."""
    project.write("manifests/brand/b.yaml", INLINE)
    problems = Problems()
    way(Walker(project.context, problems, Refusing("brand", error)), project.folder / "manifests")
    assert [(one.file, one.message) for one in problems.listed()] == [("manifests/brand", words)]


def test_names_that_are_not_utf_8_are_told(project: Project) -> None:
    """A folder and a file with such a name are errors, not passed over, and can be printed."""
    top = os.fsencode(project.folder / "manifests")
    Path(os.fsdecode(top + b"/caf\xe9")).mkdir()
    Path(os.fsdecode(top + b"/\xff.yaml")).write_text(INLINE)
    told = project.fails()
    assert "manifests/caf\\xe9:0:0: the name is not UTF-8; rename it" in told
    assert "manifests/\\xff.yaml:0:0: the name is not UTF-8; rename it" in told


def test_what_may_declare_a_missing_template_is_told(project: Project) -> None:
    """A file outside the scope that cannot be loaded matters where the template of a manifest is not found."""
    project.write("manifests/card.yaml", TEMPLATE.replace("width: 1200", "width: [1200"))
    assert "manifests/card.yaml:" in project.fails("manifests/a.yaml")
    assert "bad YAML" in project.fails("manifests/a.yaml", provider="pictify")
    project.write("manifests/b.yaml", INLINE.replace("out/", "b/").replace("card", "other"))
    project.write("manifests/other.yaml", TEMPLATE)
    assert list(project.read("manifests/b.yaml").manifests) == ["b"]
