"""What `plan` and `--version` load, and that a plan works where there is no network and no secret."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.project import ProjectFolder

HEAVY = {
    "PIL",
    "deepdiff",
    "httpx",
    "obstore",
    "pebble",
    "playwright",
    "pytakumi",
    "rich",
    "tenacity",
    "waitress",
    "werkzeug",
}
WATCHED = """\
import json, sys
from pictify_sync.cli.root import run

def deny(event, arguments):
    if event.startswith("socket.") or event in ("subprocess.Popen", "os.system", "os.fork", "os.exec"):
        raise RuntimeError(f"{event} {arguments}")

sys.addaudithook(deny)
code = run(sys.argv[1:])
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""
ROWS = "id,title,colour\n" + "".join(f"i{n},Title {n},#12345{n}\n" for n in range(5))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectFolder:
    """Ten assets, none of them made yet."""
    return ProjectFolder(tmp_path_factory.mktemp("plan"), rows=ROWS)


def watched(project: ProjectFolder, *arguments: str, before: tuple[str, ...] = ()) -> tuple[int, set[str], str]:
    """Run a command that may open no socket and start no process; gives exit code, packages loaded, and stdout."""
    done = subprocess.run(
        [*before, sys.executable, "-c", WATCHED, *arguments],
        cwd=project.folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    code, loaded = json.loads(done.stderr.splitlines()[-1])
    return code, set(loaded), done.stdout


@pytest.mark.parametrize("command", [("plan", "--detailed-exitcode"), ("plan", "--detailed-exitcode", "--json")])
def test_a_plan_loads_nothing_heavy_and_reaches_out_to_nobody(project: ProjectFolder, command: tuple[str, ...]) -> None:
    """No client, engine, server or picture library is imported, no socket made, no process started, no secret there."""
    code, loaded, said = watched(project, *command)
    assert code == 2
    assert '"create":10' in said.replace(" ", "") or "10 to create" in said
    assert loaded & HEAVY == set()


def test_a_plan_leaves_the_bucket_alone(project: ProjectFolder) -> None:
    """Where pictures are kept in a bucket, neither its client nor a key is needed to plan."""
    code, loaded, _ = watched(project, "plan", before=("env", "PICTIFY_SYNC_ARTIFACTS=s3://pictures/p"))
    assert code == 0
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_without_a_network(project: ProjectFolder, command: str) -> None:
    """In a network namespace of its own, without even a loopback that is up."""
    unshare = shutil.which("unshare")
    alone = (unshare or "", "--map-root-user", "--net")
    if not unshare or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespaces here")
    code, _, _ = watched(project, command, before=alone)
    assert code == 0


def test_the_version_loads_next_to_nothing(project: ProjectFolder) -> None:
    """Neither models nor parsers: it only says a number."""
    _, loaded, _ = watched(project, "--version")
    assert loaded & {*HEAVY, "jinja2", "pydantic", "sqlite3", "yaml", "tinycss2"} == set()
