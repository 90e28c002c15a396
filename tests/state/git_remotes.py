"""Bare repositories and clones below a test's folder, and what happens to pushes there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pictify_sync.state.git.opening import GitState, open_write
from pictify_sync.state.git.place import GitPlace
from pictify_sync.state.git.store import GitStateStore

REF = "refs/pictify-sync/state"
SECRET = "0123456789abcdef" * 4
ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str, text: str = "") -> str:
    """Run git in a folder; gives its stdout."""
    done = subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@localhost", *arguments],
        cwd=folder,
        env=ENVIRON,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


class Hub:
    """A bare repository that folders push to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.exists():
            folder.mkdir(parents=True)
            git(folder, "init", "--quiet", "--bare")

    def state(self, folder: Path, *, linger: float = 0.05) -> GitState:
        """The state of a project folder, whose remote this is."""
        folder.mkdir(parents=True, exist_ok=True)
        return GitState(
            GitPlace(REF, os.path.relpath(self.folder, folder)), folder, SECRET, ENVIRON, linger, patience=0.1
        )

    def open(self, folder: Path, *, linger: float = 0.05) -> GitStateStore:
        """The state opened to write."""
        store = open_write(self.state(folder, linger=linger), create=True)
        assert isinstance(store, GitStateStore)
        return store

    def tip(self) -> str:
        """The commit that the ref is at."""
        return git(self.folder, "rev-parse", "--verify", REF)

    def names(self) -> list[str]:
        """Paths in the tip's tree."""
        return git(self.folder, "ls-tree", "-r", "--name-only", REF).splitlines()

    def hook(self, name: str, script: str) -> None:
        """Install a hook."""
        file = self.folder / "hooks" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
