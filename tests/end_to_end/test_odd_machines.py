"""Environments that are not like ours: whatever they lack, a command ends in words, not in a stack trace."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.end_to_end.project import ProjectFolder

ROWS = "id,title,colour\na,\u0141\u00f3d\u017a \U0001f382,#123456\n"
REMOTE = {"PICTIFY_BASE_URL": "http://127.0.0.1:9", "PICTIFY_SYNC_PROVIDER": "pictify", "PICTIFY_API_KEY": "x"}
ASCII = {"PYTHONIOENCODING": "ascii"}
POSIX = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def project(tmp_path: Path) -> ProjectFolder:
    """One picture whose title needs more than Latin-1."""
    return ProjectFolder(tmp_path, rows=ROWS)


def shell(project: ProjectFolder, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in the project, in which `pictify-sync` stands for the command."""
    command = shlex.join([sys.executable, "-m", "pictify_sync"])
    full = line.replace("pictify-sync", command)
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(project.folder)}
    return subprocess.run(
        ["/bin/bash", "-c", full], cwd=project.folder, env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("environ", [ASCII, POSIX])
def test_what_an_encoding_does_not_have_is_escaped(project: ProjectFolder, environ: Mapping[str, str]) -> None:
    """Text is shown with escapes, and a JSON document stays one, with the very same values."""
    done = project.run("plan", "--full", environ=environ)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    found = json.loads(project.run("plan", "--json", environ=environ).stdout)
    assert found == json.loads(project.run("plan", "--json").stdout)
    assert "\U0001f382" in json.dumps(found, ensure_ascii=False)


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, "ALL_PROXY names a SOCKS proxy"),
        ({"HTTPS_PROXY": "ftp://user:pass@127.0.0.1"}, "HTTPS_PROXY is not the address of a proxy"),
        ({"NO_PROXY": "localhost,127.0.0.1,::1,fd00::/8"}, "cannot be reached"),
        ({"PICTIFY_API_KEY": "cl\u00e9"}, "the API key has a character that is not ASCII at position 3"),
        ({"PICTIFY_API_KEY": "two words"}, "the API key has a space or line break at position 4"),
    ],
)
def test_proxies_and_keys_that_cannot_be_are_told(project: ProjectFolder, environ: dict[str, str], words: str) -> None:
    """The variable is named and its value is not; a network in NO_PROXY, which some tools know, stops nothing."""
    done = project.run("apply", "--yes", environ=REMOTE | environ)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert words in done.stderr or (words == "cannot be reached" and "ConnectError" in done.stderr), done.stderr
    assert "user:pass" not in done.stderr
    assert "two words" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
@pytest.mark.parametrize("files", [10, 16, 24, 40])
def test_few_descriptors_end_in_words(project: ProjectFolder, files: int) -> None:
    """With too few open files allowed, apply says so, or works; the next one, with enough, goes on."""
    done = shell(project, f"ulimit -n {files}; pictify-sync apply --yes")
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0 or "Error: " in done.stderr or "Stopped early" in done.stdout + done.stderr
    assert shell(project, "pictify-sync apply --yes").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
@pytest.mark.parametrize(
    "line",
    [
        "pictify-sync plan >&- 2>&- <&-",
        "pictify-sync plan 2> /dev/full",
        "TMPDIR=/nowhere/at/all pictify-sync plan",
        "env -u HOME pictify-sync plan",
        "COLUMNS=0 TERM=dumb pictify-sync plan",
        "COLUMNS=1 pictify-sync status --help",
    ],
)
def test_what_is_missing_around_a_command_does_not_matter(project: ProjectFolder, line: str) -> None:
    """Streams, a home, a folder for temporary files, columns: a command that needs none of them works without."""
    done = shell(project, line)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
