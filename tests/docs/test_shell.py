"""The shell blocks of README, tutorial and how-to pages run, in order, in a project of their own.

The project is the shipped one with few rows, so that it is quick; a ```text block after a shell block must be part of
what the commands said, with other numbers. How-to pages start from a project that was applied once.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import NAMES, ROOT, Block, blocks

RUN = [name for name in NAMES if name in ("README.md", "docs/tutorial.md") or name.startswith("docs/how-to/")]
COUNTRIES = ("BR,", "FR,", "JP,")
PRODUCTS = ('"lo-shu"', '"prism"', '"tangram"')
_INSTALL = re.compile(r"^python -m pip install .*?(&& |$)")
_NUMBER = re.compile(r"h1:[0-9a-f]+|\b[0-9a-f]{32,64}\b|\d[\d,.]*")


def shell(block: Block, folder: Path) -> str:
    """Run a block in a folder; gives what it said. Lines that install, or check the project itself, are left out."""
    kept = [_INSTALL.sub("", line) for line in block.text.splitlines()]
    text = "\n".join("" if line.strip() == "scripts/check" else line for line in kept)
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PICTIFY_", "PYTEST_"))},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PICTIFY_SYNC_PROVIDERS__LOCAL__WORKERS": "1",
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == block.exit_code, f"line {block.line} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


def write_project(folder: Path) -> None:
    """The shipped project with a few rows of each table."""
    shutil.copytree(ROOT / "manifests", folder / "manifests")
    shutil.copy(ROOT / "pictify-sync.yaml", folder)
    keep_lines(folder / "manifests/data/countries.csv", ("alpha_2,", *COUNTRIES))
    keep_lines(folder / "manifests/data/products.jsonl", tuple(f'{{"sku": {name}' for name in PRODUCTS))
    releases = folder / "manifests/release-cards.yaml"
    head, *rows = re.split(r"(?m)^(?=  - version)", releases.read_text(encoding="utf-8"))
    releases.write_text(head + "".join(rows[-3:]), encoding="utf-8")


def keep_lines(file: Path, starts: tuple[str, ...]) -> None:
    """Leave out all lines that do not start so."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if line.startswith(starts)), encoding="utf-8", newline="\n")


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was applied once; tests copy it."""
    folder = tmp_path_factory.mktemp("applied")
    write_project(folder)
    shell(Block("sh", "pictify-sync apply --yes", 0, 0), folder)
    return folder


@pytest.mark.parametrize("name", RUN)
def test_the_page_can_be_followed(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Every block ends with the exit code that its page says, and says what its page shows."""
    project = tmp_path / "project"
    if name.startswith("docs/how-to/"):
        shutil.copytree(request.getfixturevalue("applied"), project)
    else:
        project.mkdir()
        write_project(project)
    said = ""
    for block in blocks(name):
        if block.language == "sh":
            said = shell(block, project)
        elif block.language == "text":
            assert blurred(block.text) in blurred(said), f"{name}, line {block.line}: the commands said\n{said}"


def blurred(text: str) -> str:
    """The text without its numbers, which depend on how many rows there are."""
    return _NUMBER.sub("#", "\n".join(line.rstrip() for line in text.strip().splitlines()))
