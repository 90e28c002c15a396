"""One ref at a remote: what it is, fetching it, and pushing to it, with an answer that can be believed.

After a push that failed the remote is asked what became of it: a lost answer is no answer. This module must not know
what the commits hold.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from enum import Enum, auto

from pictify_sync.errors import StateError
from pictify_sync.state.git.place import GitPlace
from pictify_sync.state.git.program import Git, GitResult

TIP = "refs/state/tip"  # in our repository: keeps what was fetched or pushed last
_OID = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NEVER = re.compile(  # another try would end the same way
    r"hook declined|protected|denied|does not appear to be a git repository|not found|permission|not allowed|"
    r"prohibited|read.only|authenticat|\b40[134]\b",
    re.IGNORECASE,
)
TRIES = 5
_PAUSE = 0.5  # seconds before the second try; twice as long before each that follows


class Pushed(Enum):
    """What became of a push."""

    DONE = auto()  # the ref is, or was, at our commit
    MOVED = auto()  # the ref is elsewhere: look whether our commit is among what it holds


class GitRemote:
    """The ref of a place."""

    def __init__(self, git: Git, place: GitPlace, sleep: Callable[[float], None] = time.sleep) -> None:
        self.git, self.place, self._sleep = git, place, sleep

    def tip(self) -> str:
        """The commit that the ref is at, "" when there is no such ref. Raises StateError when nobody answers."""
        result = GitResult(0, b"", "")
        for attempt in range(TRIES):
            self._pause(attempt)
            result = self.git.run("ls-remote", "--quiet", "--", self.place.remote, self.place.ref)
            if result.code == 0:
                return self._listed(result.out)
            if _NEVER.search(result.talk):
                break
        raise StateError(
            f"{self.place} cannot be asked for: {result.talk}", hint="check the remote, and the permission to read it"
        )

    def _listed(self, out: bytes) -> str:
        for line in out.splitlines():
            oid, _, name = line.partition(b"\t")
            if name == self.place.ref.encode() and _OID.fullmatch(oid):
                return oid.decode()
        return ""

    def fetch(self, tip: str) -> bool:
        """Get that commit, without those before it; False when the remote no longer has it to give."""
        result = GitResult(0, b"", "")
        for attempt in range(TRIES):
            self._pause(attempt)
            result = self.git.run(
                *("fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--force"),
                *("--", self.place.remote, f"{tip}:{TIP}"),
            )
            if result.code == 0:
                return True
            if self.tip() != tip:
                return False
        raise StateError(
            f"{self.place} cannot be fetched: {result.talk}", hint="check the remote, and the permission to read it"
        )

    def holds(self, tip: str) -> bool:
        """Whether our repository holds that commit."""
        return self.git.run("rev-parse", "--quiet", "--verify", f"{tip}^{{tree}}").code == 0

    def push(self, oid: str, before: str, *, replace: bool = False) -> Pushed:
        """Move the ref from `before` ("": there is none) to our commit, by force only with `replace`.

        Raises StateError when the remote refuses, or cannot be reached for the push or the question after it.
        """
        lease = [f"--force-with-lease={self.place.ref}:{before}"] if replace else []
        result = GitResult(0, b"", "")
        for attempt in range(TRIES):
            self._pause(attempt)
            result = self.git.run(
                *("push", "--quiet", "--porcelain", "--no-verify", "--no-recurse-submodules", *lease),
                *("--", self.place.remote, f"{oid}:{self.place.ref}"),
            )
            now = oid if result.code == 0 else self.tip()
            if now == oid:
                self.git.check("update-ref", TIP, oid, doing="cannot note what was pushed")
                return Pushed.DONE
            if now != before:
                return Pushed.MOVED
            if _NEVER.search(result.talk + _reasons(result.out)):
                break
        why = "; ".join(filter(None, (_reasons(result.out), result.talk)))
        hint = "a run that records needs to push there: on GitHub the permission `contents: write`"
        raise StateError(f"{self.place} cannot be pushed to: {why}", hint=hint)

    def _pause(self, attempt: int) -> None:
        if attempt:
            self._sleep(_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311 - no secret


def _reasons(out: bytes) -> str:
    """What the remote said to each ref that it refused."""
    lines = (line.decode(errors="replace").split("\t") for line in out.splitlines() if line.startswith(b"!"))
    return "; ".join(line[-1] for line in lines)
