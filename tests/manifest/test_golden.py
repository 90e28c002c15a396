"""Bad manifests, each with the problems it must be told: `file:line:column: what; how to fix`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pictify_sync.core.template import TemplateRecord
from pictify_sync.errors import InputError, Problem
from pictify_sync.manifest.context import ReadContext
from pictify_sync.manifest.desired import read_manifests
from tests.manifest.fakes import OFFLINE

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())


def record(uid: str) -> TemplateRecord:
    """A template that the provider is known to hold, and nothing of what is in it."""
    return TemplateRecord(name=uid, provider="local", uid=uid, digest="", revisions={}, source="")


def told(folder: Path) -> str:
    """Give the problems of a folder of manifests as text, one a line."""
    known = {("local", uid): record(uid) for uid in ("u", "uid1", "x")}
    context = ReadContext(project=folder, root=folder, templates=known, cwd=folder, **OFFLINE)
    problems: tuple[Problem, ...]
    try:
        problems = tuple(read_manifests([], context).problems)
    except InputError as error:
        problems = error.problems
    return "".join(f"{problem.severity}: {problem}\n" for problem in problems)


@pytest.mark.parametrize("case", CASES)
def test_problems_are_told_with_place_and_remedy(case: str) -> None:
    """All problems of all files are told at once, each with its place."""
    assert told(GOLDEN / case) == (GOLDEN / case / "expected.txt").read_text(encoding="utf-8")


if __name__ == "__main__":  # write the expected texts anew, to be read in the diff
    for name in sys.argv[1:] or CASES:
        (GOLDEN / name / "expected.txt").write_text(told(GOLDEN / name), encoding="utf-8")
