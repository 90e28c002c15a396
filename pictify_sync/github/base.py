"""The settings of a proposal are those of its base: it could raise its own limits, or move the state."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from pictify_sync.errors import GitHubError
from pictify_sync.github.commands import Git
from pictify_sync.github.proposal import changed_files, folded, have


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
    have(git, sha)
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


def all_settings_from_base(name: str, sha: str, environ: Mapping[str, str]) -> bool:
    """Do so with every file of that name in the repository: which of them counts is found from where a command runs."""
    git = Git(Path.cwd(), environ)
    have(git, sha)
    top = Path(_line(git("rev-parse", "--show-toplevel"))).resolve()
    wanted = folded(name)
    found = [os.fsdecode(path) for path in changed_files(git, sha)]
    changed = [settings_from_base(top / path, sha, environ) for path in found if folded(path)[-1:] == wanted]
    return any(changed)


def _replace(file: Path, content: bytes) -> None:
    """Write a file anew, never through a link that a proposal put there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as out:
        out.write(content)
    draft.replace(file)


def _line(said: bytes) -> str:
    return said.decode(errors="surrogateescape").rstrip("\n")
