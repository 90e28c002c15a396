"""What a proposal may not bring: settings of its own, or what commands keep between runs.

It could so raise its own limits, move the state, or have a plan compare with a state that it made up.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from pictify_sync.errors import GitHubError
from pictify_sync.github.commands import Git

_KEPT = (":(icase,glob)**/.pictify-sync", ":(icase,glob)**/.pictify-sync/**")  # wherever a project is


def settings_from_base(file: Path, sha: str, environ: Mapping[str, str]) -> bool:
    """Put the base's version of a settings file in place of the proposal's, or remove what the base does not have.

    Gives whether that changed anything. Raises GitHubError when the base cannot be read, or the file is outside the
    repository: then nothing is known of it, and nothing may run.
    """
    git = Git(Path.cwd(), environ)
    top = Path(_line(git("rev-parse", "--show-toplevel"))).resolve()
    place = Path(os.path.normpath(Path.cwd().resolve() / file))
    if not place.is_relative_to(top) or place.parent.resolve() != place.parent:
        raise GitHubError(f"{file} is outside of the repository, or behind a link")
    path = place.relative_to(top).as_posix()
    _have(git, sha)
    kind = git("ls-tree", "-z", "--full-tree", sha, "--", path).decode(errors="surrogateescape")
    here = place.read_bytes() if place.is_file() and not place.is_symlink() else None
    if not kind:
        place.unlink(missing_ok=True)
        return here is not None
    if not kind.startswith(("100644 blob", "100755 blob")):
        raise GitHubError(f"{file.name} of the base is not a file")
    there = git("cat-file", "blob", kind.split()[2])
    if here != there:
        _replace(place, there)
    return here != there


def refuse_kept(sha: str, environ: Mapping[str, str]) -> None:
    """Raise GitHubError when a proposal commits something to a `.pictify-sync` folder that its base does not hold.

    State, index and pictures there are taken for what earlier commands left.
    """
    git = Git(Path.cwd(), environ)
    _have(git, sha)
    named = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=d", sha, "HEAD", "--", *_KEPT)
    found = git(*named).decode(errors="replace").split("\0")
    if found[0]:
        hint = "take it out of the commits; what commands keep there belongs to no repository"
        raise GitHubError(f"the proposal brings {found[0]}", hint=hint)


def _have(git: Git, sha: str) -> None:
    if git.tried("cat-file", "-e", f"{sha}^{{commit}}").returncode:
        git("fetch", "--no-tags", "--depth=1", "--no-recurse-submodules", "origin", sha)


def _replace(file: Path, content: bytes) -> None:
    """Write a file anew, never through a link that a proposal put there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as out:
        out.write(content)
    draft.replace(file)


def _line(said: bytes) -> str:
    return said.decode(errors="surrogateescape").rstrip("\n")
