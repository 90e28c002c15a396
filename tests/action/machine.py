"""What lies on a runner's machine before a step runs: a checkout, and the tool."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT

IDENTITY = {f"GIT_{who}_{what}": "dev@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")} | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *words: str) -> str:
    """Run git in a folder."""
    done = subprocess.run(
        ["git", *words], cwd=folder, env={**os.environ, **IDENTITY}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def checkout(remote: Path, folder: Path, sha: str) -> None:
    """Like actions/checkout without persisted credentials: one commit, detached."""
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", remote.as_uri())
    git(folder, "fetch", "--quiet", "--no-tags", "--depth=1", "origin", sha)
    git(folder, "checkout", "--quiet", "--detach", "FETCH_HEAD")


def install(temp: Path) -> None:
    """The tool, as an earlier step of the job would have left it: from here instead of from a registry."""
    tool = temp / "pictify-sync/venv/bin/pictify-sync"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m pictify_sync "$@"\n')
    tool.chmod(0o755)
