"""The Git repository that a project lies in, if any: where it begins, its history, and how two commits stand.

Nothing is written to it, and no command needs it: what git cannot tell is not known. This module must not know states.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from pictify_sync.state.git.program import quiet_environ

SECONDS = 60.0  # that one command may take
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MOST_ROOTS = 64


class Order(Enum):
    """How the commit that is checked out stands to another."""

    SAME = auto()
    NEWER = auto()  # it holds the other
    OLDER = auto()  # the other holds it
    DIVERGED = auto()  # neither holds the other
    UNKNOWN = auto()  # the history is not all here


@dataclass(frozen=True, slots=True)
class Checkout:
    """The repository of a folder, as git tells of it."""

    folder: Path
    environ: Mapping[str, str]

    def head(self) -> str:
        """The commit that is checked out; "" when there is none, or git cannot tell."""
        return self._commit("HEAD")

    def holds(self, commit: str) -> bool:
        """Whether the repository has that commit."""
        return bool(self._commit(commit))

    def is_shallow(self) -> bool:
        """Whether a part of the history was left out."""
        return self._told("rev-parse", "--is-shallow-repository") != "false"

    def roots(self) -> tuple[str, ...]:
        """The first commits of the history of HEAD, sorted; none when they are not known."""
        if not self.head() or self.is_shallow():
            return ()
        found = sorted((self._told("rev-list", "--max-parents=0", "HEAD") or "").split())
        return tuple(one for one in found[:_MOST_ROOTS] if _COMMIT.fullmatch(one))

    def began(self, roots: tuple[str, ...]) -> bool | None:
        """Whether the history here began with any of these commits; None when that is not known."""
        if any(map(self.holds, roots)):
            return True
        return None if not roots or not self.head() or self.is_shallow() else False

    def origin(self) -> str:
        """The URL of the remote `origin`; "" when there is none."""
        return self._told("config", "--get", "remote.origin.url") or ""

    def order(self, other: str) -> Order:
        """How HEAD stands to a commit."""
        head = self.head()
        if head == other:
            return Order.SAME
        if not head or not self.holds(other):
            return Order.UNKNOWN
        if self._is_ancestor(other, head):
            return Order.NEWER
        if self._is_ancestor(head, other):
            return Order.OLDER
        return Order.UNKNOWN if self.is_shallow() else Order.DIVERGED

    def _is_ancestor(self, commit: str, of: str) -> bool:
        return self._told("merge-base", "--is-ancestor", commit, of) is not None

    def _commit(self, name: str) -> str:
        if name != "HEAD" and not _COMMIT.fullmatch(name):
            return ""
        found = self._told("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}") or ""
        return found if _COMMIT.fullmatch(found) else ""

    def _told(self, *arguments: str) -> str | None:
        """What a command says; None when it fails, takes too long, or there is no git."""
        words = ["git", "-c", "core.fsmonitor=false", *arguments]
        environ = {**quiet_environ(self.environ), "GIT_NO_LAZY_FETCH": "1"}
        try:
            done = subprocess.run(  # noqa: S603 - a list, without a shell
                words,
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
