"""Objects of a Git repository, read and written as they are: nothing is ever checked out, so no name becomes a path.

This module must not know what the files say.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha1, sha256
from typing import IO

from pictify_sync.errors import StateError
from pictify_sync.state.git.program import Git, said

FILE, FOLDER = "100644", "40000"
MADE = "refs/state/made"  # in our repository: the newest commit that we made
_WHO = b"pictify-sync <pictify-sync@localhost>"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One name in a tree."""

    mode: str
    name: bytes
    oid: str


class Objects:
    """Reads objects by one process of git."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self._stdin, self._stdout = stdin, stdout

    def read(self, name: str, limit: int) -> tuple[str, bytes]:
        """Kind and content of an object. Raises StateError when it is not there, or larger than `limit` bytes."""
        try:
            self._stdin.write(name.encode() + b"\n")
            self._stdin.flush()
            head = self._stdout.readline().split()
        except OSError:
            head = []
        if len(head) != 3:
            raise StateError("an object is missing or damaged", hint="pictify-sync state rebuild")
        kind, size = head[1].decode(), int(head[2])
        if size > limit:
            raise StateError(f"{size:,} bytes where at most {limit:,} may be")
        content = self._stdout.read(size + 1)
        if len(content) != size + 1:
            raise StateError("an object is damaged", hint="pictify-sync state rebuild")
        return kind, content[:-1]

    def tree(self, name: str, limit: int) -> tuple[Leaf, ...]:
        """The names in a tree. Raises StateError when it is none."""
        kind, content = self.read(name, limit)
        if kind != "tree":
            raise StateError(f"a {kind} where a folder should be")
        width = 32 if len(name.partition("^")[0]) == 64 else 20
        return tuple(_leaves(content, width))


def _leaves(content: bytes, width: int) -> Iterator[Leaf]:
    at = 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        at = end + 1 + width
        yield Leaf(mode.decode(), name, content[end + 1 : at].hex())


@contextmanager
def objects(git: Git) -> Iterator[Objects]:
    """Read objects within."""
    with git.start(["cat-file", "--batch"]) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Objects(process.stdin, process.stdout)


def blob_id(content: bytes, like: str) -> str:
    """The name of a file's content, in a repository with names like that one."""
    made = sha1(usedforsecurity=False) if len(like) != 64 else sha256()
    made.update(b"blob %d\0" % len(content))
    made.update(content)
    return made.hexdigest()


def write_commit(
    git: Git, parent: str, message: str, files: Iterable[tuple[str, bytes]], removed: Sequence[str] = ()
) -> str:
    """Make a commit: the parent's tree ("": an empty one) without what is removed, with the files. Returns its id.

    Only the files in hand are in memory. Raises StateError when the disk is full, or the parent is not there.
    """
    with git.start(["fast-import", "--quiet", "--done", "--force"]) as process:
        assert process.stdin is not None
        try:
            for piece in _stream(parent, message, files, removed):
                process.stdin.write(piece)
            out, talk = process.communicate()
        except BrokenPipeError:
            out, talk = process.communicate()
    made = out.decode().strip()
    if process.returncode != 0 or not made:
        raise StateError(f"cannot make a commit: {said(talk)}", hint="check the disk's free space")
    return made


def _stream(parent: str, message: str, files: Iterable[tuple[str, bytes]], removed: Sequence[str]) -> Iterator[bytes]:
    text = message.encode()
    yield b"reset %s\ncommit %s\nmark :1\n" % (MADE.encode(), MADE.encode())
    yield b"committer %s %d +0000\ndata %d\n%s\n" % (_WHO, time.time(), len(text), text)
    if parent:
        yield b"from %s\n" % parent.encode()
    for path in removed:
        yield b"D %s\n" % path.encode()
    for path, content in files:
        yield b"M %s inline %s\ndata %d\n" % (FILE.encode(), path.encode(), len(content))
        yield content
        yield b"\n"
    yield b"get-mark :1\ndone\n"
