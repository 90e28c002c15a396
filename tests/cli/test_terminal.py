"""The command at a terminal, in a pipe that closes, and how little it loads."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.cli.running import ROWS, edit
from tests.end_to_end.project import ProjectFolder

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "pictify_sync"]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was applied once, to be copied."""
    project = ProjectFolder(tmp_path_factory.mktemp("terminal") / "project", rows=ROWS)
    project.ok("apply", "--yes")
    return project.folder


@pytest.fixture
def changed(applied: Path, tmp_path: Path) -> Path:
    """A copy of the applied project with one row edited since."""
    folder = Path(shutil.copytree(applied, tmp_path / "project"))
    edit(folder, "a,A,", "a,Other,")
    return folder


def environ(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a command."""
    plain = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TERM", "FORCE_COLOR"}}
    return {**plain, "PYTHONPATH": str(ROOT), "TERM": "xterm", **more}


def at_terminal(
    folder: Path,
    *arguments: str,
    answer: str = "",
    meanwhile: Callable[[], object] = lambda: None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, str]:
    """Run the command at a terminal of its own; the answer is typed once it asks, and something else has happened."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=environ(more), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown, asked, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not part:
            break
        shown += part
        if not asked and b"Only 'yes' is accepted" in shown:
            asked = True
            meanwhile()
            os.write(ours, f"{answer}\n".encode())
    os.close(ours)
    return process.wait(timeout=60), shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("answer", ["no", "y", "YES", ""])
def test_only_yes_is_accepted(changed: Path, answer: str) -> None:
    """Anything else changes nothing and exits with 1."""
    before = (changed / "output/cards/a.default.png").read_bytes()
    code, shown = at_terminal(changed, "apply", answer=answer)
    assert code == 1
    assert "nothing was changed" in shown
    assert (changed / "output/cards/a.default.png").read_bytes() == before


def test_yes_applies_with_a_bar_and_a_summary(changed: Path) -> None:
    """The plan, the question, then what was done."""
    code, shown = at_terminal(changed, "apply", answer="yes")
    plain = COLOUR.sub("", shown)
    assert code == 0, plain
    assert 'title: "A" -> "Other"' in plain
    assert "Applied: 2 stored; 2 unchanged." in plain
    assert "Traceback" not in plain


def test_manifests_that_change_while_it_asks_are_not_applied_unseen(changed: Path) -> None:
    """Another run makes a new plan necessary, which would be one of other manifests than were agreed to."""

    def meanwhile() -> None:
        rows = changed / "manifests/rows.csv"
        subprocess.run([*COMMAND, "taint", "cards/b*"], cwd=changed, env=environ({}), check=True, capture_output=True)
        rows.write_text(rows.read_text().replace("B", "Edited"))

    code, shown = at_terminal(changed, "apply", answer="yes", meanwhile=meanwhile)
    plain = " ".join(COLOUR.sub("", shown).split())
    assert code == 1, plain
    assert "the manifests, or their templates, changed since the plan" in plain
    assert "Applied: 2 stored" in plain


def test_colours_are_for_terminals_that_want_them(changed: Path) -> None:
    """NO_COLOR and a dumb terminal get the same words without colours."""
    coloured = at_terminal(changed, "plan")[1]
    assert COLOUR.search(coloured)
    for plain in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert at_terminal(changed, "plan", more=plain)[1] == COLOUR.sub("", coloured)


@pytest.mark.parametrize("arguments", [["plan", "--full"], ["state", "list"], ["log"], ["schema", "plan"]])
def test_a_reader_that_goes_away_is_no_error_to_tell(changed: Path, arguments: list[str]) -> None:
    """`| head` gets its lines, and nobody a traceback."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=changed, env=environ({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    talk = process.stderr.read().decode()
    process.stderr.close()
    process.wait(timeout=60)
    assert talk == ""


HEAVY = ("httpx", "deepdiff", "rich", "pytakumi", "werkzeug", "waitress", "PIL", "playwright")
LOOK = """
import json, sys
from pictify_sync.cli.root import run
code = run(sys.argv[1:])
print(json.dumps([code, sorted({name.split(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def loaded(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    """Exit code, and the packages that a command loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *arguments],
        cwd=folder,
        env=environ({}),
        capture_output=True,
        text=True,
        check=True,
    )
    code, packages = json.loads(done.stderr.splitlines()[-1])
    return code, set(packages)


def test_a_plan_loads_nothing_that_renders_or_connects(tmp_path: Path) -> None:
    """Neither an http client nor an engine, a web framework, DeepDiff or Rich."""
    rows = "id,title,colour\n" + "".join(f"i{n},T,#123456\n" for n in range(5))
    project = ProjectFolder(tmp_path, rows=rows)
    code, packages = loaded(project.folder, "plan")
    assert code == 0
    assert not packages & set(HEAVY)


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_help_and_version_load_click_alone(tmp_path: Path, arguments: list[str]) -> None:
    """No YAML, no pydantic, no SQLite."""
    code, packages = loaded(tmp_path, *arguments)
    assert code == 0
    assert not packages & {*HEAVY, "yaml", "pydantic", "sqlite3", "jinja2", "asyncio"}


def test_looking_at_the_state_is_light(changed: Path) -> None:
    """`status` needs nothing that renders or connects."""
    code, packages = loaded(changed, "status")
    assert code == 0
    assert not packages & set(HEAVY)
