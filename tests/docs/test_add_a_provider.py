"""The page on adding a provider: the package that it shows is built, passes the suite of providers, and renders."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.end_to_end.project import ProjectFolder

PAGE = "docs/how-to/add-a-provider.md"
PACKAGE = "pictify_sync_postcard"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the page, each under the name in the comment before its block."""
    folder = tmp_path_factory.mktemp("pictify-sync-postcard")
    (folder / PACKAGE).mkdir()
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    for name, content in re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", text, re.DOTALL):
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with that one, as an installer leaves it there: its modules, and what it says of itself."""
    folder = tmp_path_factory.mktemp("site-packages")
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (folder / PACKAGE).mkdir()
    for file in (source / PACKAGE).iterdir():
        (folder / PACKAGE / file.name).write_bytes(file.read_bytes())
    told = folder / f"{PACKAGE}-{project['version']}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [line for group, points in groups for line in (f"[{group}]", *(f"{n} = {at}" for n, at in points.items()))]
    (told / "entry_points.txt").write_text("\n".join(lines))
    return folder


def run(folder: Path, packages: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python there, with these packages installed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PICTIFY_", "PYTEST_"))}
    environ |= {"PYTHONPATH": os.pathsep.join([str(packages), str(ROOT)]), "NO_COLOR": "1"}
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False)


def test_the_page_shows_few_lines(source: Path) -> None:
    """About a hundred and fifty of code, spec and models included."""
    code = "".join(file.read_text(encoding="utf-8") for file in (source / PACKAGE).iterdir())
    assert len([line for line in code.splitlines() if line.strip()]) < 170


def test_it_passes_the_suite(source: Path, installed: Path) -> None:
    """As the page says, with its own test file."""
    done = run(source, installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_postcard.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_it_renders(installed: Path, tmp_path: Path) -> None:
    """With settings and commands of the page: an apply makes the pictures, and the next plan has nothing to do."""
    project = ProjectFolder(tmp_path / "project")
    (settings,) = (block.text for block in blocks(PAGE) if block.language == "yaml")
    project.write("pictify-sync.yaml", f"version: 1\n{settings}")
    text = "".join(block.text for block in blocks(PAGE) if block.language == "console")
    commands = [line.split()[2:] for line in text.splitlines() if line.startswith("$ pictify-sync ")]
    assert [command[0] for command in commands] == ["apply", "plan"]
    for command in commands:
        done = run(project.folder, installed, "-m", "pictify_sync", *command)
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((project.folder / "output").rglob("*.png"))) == 8
    project.write("pictify-sync.yaml", f"version: 1\n{settings}  postcard: {{paper: 3}}\n")
    told = run(project.folder, installed, "-m", "pictify_sync", "plan").stderr
    assert "pictify-sync.yaml:5:21: error: 'providers.postcard.paper' should be a text" in told
    project.write("pictify-sync.yaml", f"version: 1\n{settings}  postcard: {{paper: navy}}\n")
    told = run(project.folder, installed, "-m", "pictify_sync", "plan").stdout
    assert "8 to update" in told
    assert "paper" in run(project.folder, installed, "-m", "pictify_sync", "schema", "settings").stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [("raise ImportError('no such library')", "cannot be imported: ImportError"), ("SPEC = 1", "registers no Prov")],
)
def test_a_broken_package_is_named(installed: Path, tmp_path: Path, line: str, said: str) -> None:
    """What it raises, or registers, is told in one sentence with its name; projects that do not use it go on."""
    packages = tmp_path / "site-packages"
    packages.mkdir()
    (packages / "broken.py").write_text(line)
    (packages / "broken-1.dist-info").mkdir()
    (packages / "broken-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (packages / "broken-1.dist-info/entry_points.txt").write_text("[pictify_sync.providers]\nbad = broken:SPEC\n")
    project = ProjectFolder(tmp_path / "project")
    assert run(project.folder, packages, "-m", "pictify_sync", "plan").returncode == 0
    project.edit("manifests/cards.yaml", "version: 1\n", "version: 1\nprovider: bad\n")
    done = run(project.folder, packages, "-m", "pictify_sync", "plan")
    assert done.returncode == 1
    assert "the package broken" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
