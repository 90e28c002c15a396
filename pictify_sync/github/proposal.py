"""What a proposal may not decide: the settings, which are those of its base, the state, and what commands keep.

It could raise its own limits, or have a plan compare with a state that it made up. Names are compared as any file
system may take them: in other letters, with signs that nobody sees, or by a short name. This module must not know what
is in a state.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from secrets import token_hex

from pictify_sync.errors import GitHubError
from pictify_sync.github.commands import Git

KEPT = ".pictify-sync"  # wherever a project is
_SHORT = re.compile(r"pictif~\d+")  # how some file systems name it as well
_BESIDE = ("", "-wal", "-shm", "-journal")  # endings of the files of a state
_LINK, _SUBMODULE, _NOTHING = b"120000", b"160000", b"000000"

Names = tuple[str, ...]  # folded parts of a path from the top of the repository


@dataclass(frozen=True, slots=True)
class Places:
    """Where a project of the base's settings keeps things: paths on this machine, inside the repository or not."""

    state: Path | None = None  # a file, with others beside it; or a repository
    folders: tuple[Path, ...] = ()  # what commands keep
    manifests: tuple[Path, ...] = ()  # their folder, and those that the workflow names
    project: Path | None = None  # as the workflow names it: where it really is may be a link's doing


@dataclass(frozen=True, slots=True)
class _Change:
    before: bytes  # mode in the base
    after: bytes  # mode in the proposal
    path: bytes

    @property
    def names(self) -> Names:
        return folded(os.fsdecode(self.path))

    @property
    def shown(self) -> str:
        return self.path.decode(errors="backslashreplace")


def folded(path: str) -> Names:
    """Return the parts of a path so that two names of one file, on whichever file system, are the same."""
    return tuple(_folded(part) for part in path.split("/"))


def _folded(part: str) -> str:
    visible = "".join(letter for letter in part if unicodedata.category(letter) != "Cf")
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    plain = plain.partition(":")[0].rstrip(". ") or plain
    return KEPT if _SHORT.fullmatch(plain) else plain


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


def refuse_kept(sha: str, environ: Mapping[str, str], places: Places | None = None) -> None:
    """Raise GitHubError when a proposal adds or changes what its base's commands keep, or puts something in its way.

    Without `places` only what every project keeps is looked at.
    """
    git = Git(Path.cwd(), environ)
    have(git, sha)
    top = Path(os.fsdecode(git("rev-parse", "--show-toplevel")).rstrip("\n")).resolve()
    places = places or Places()
    kept = [*_inside(top, places.state), *(names for folder in places.folders for names in _inside(top, folder))]
    own = [names for place in (Path.cwd(), places.project) for names in _inside(top, place) if names]
    manifests = [names for place in places.manifests for names in _inside(top, place)]
    state = {(*names[:-1], f"{names[-1]}{end}") for names in _inside(top, places.state) for end in _BESIDE if names}
    for change in _changes(git, sha):
        if change.after == _NOTHING:
            continue
        names, is_other_tree = change.names, change.after in (_LINK, _SUBMODULE)
        taken = names in state or any(_is_below(names, one) for one in kept)
        covers = is_other_tree and any(_is_below(one, names) for one in (*kept, *own))
        if KEPT in names or taken or covers:
            hint = "take it out of the commits; what commands keep there belongs to no repository"
            raise GitHubError(f"the proposal brings {change.shown}", hint=hint)
        if change.after == _SUBMODULE and change.before != _SUBMODULE and _touches(names, manifests):
            raise _submodule(change.shown)
    _refuse_submodules(git, sha, [*kept, *manifests], own)


def have(git: Git, sha: str) -> None:
    """Fetch a commit that is not here."""
    if git.tried("cat-file", "-e", f"{sha}^{{commit}}").returncode:
        git("fetch", "--no-tags", "--depth=1", "--no-recurse-submodules", "origin", sha)


def changed_files(git: Git, sha: str) -> Iterator[bytes]:
    """Yield the paths of all files that a proposal adds, changes or removes, as bytes: they may be no text."""
    return (change.path for change in _changes(git, sha))


def _changes(git: Git, sha: str) -> Iterator[_Change]:
    parts = git("diff-tree", "-r", "-z", "--raw", "--no-renames", sha, "HEAD").split(b"\0")
    for head, path in zip(parts[0::2], parts[1::2], strict=False):
        before, after, *_ = head.lstrip(b":").split(b" ")
        yield _Change(before, after, path)


def _inside(top: Path, place: Path | None) -> Iterator[Names]:
    """The folded names of a place from the top of the repository: as it is written, and where links lead."""
    if place is None:
        return
    for path in {Path(os.path.normpath(place)), place.resolve()}:
        if path.is_relative_to(top):
            relative = PurePosixPath(path.relative_to(top).as_posix())
            yield () if relative == PurePosixPath() else folded(str(relative))


def _is_below(names: Names, other: Names) -> bool:
    """Whether a place is another one or lies in it; the top of the repository is no place."""
    return bool(other) and names[: len(other)] == other


def _touches(names: Names, others: Iterable[Names]) -> bool:
    return any(_is_below(names, other) or _is_below(other, names) or not other for other in others)


def _refuse_submodules(git: Git, sha: str, places: list[Names], own: list[Names]) -> None:
    """Raise GitHubError when a proposal says otherwise than its base where a submodule in such a place comes from.

    Of the project's own folder, only one that holds the whole of it matters.
    """
    before, after = _submodules(git, sha), _submodules(git, "HEAD")
    for name, settings in sorted(after.items()):
        path = settings.get("path", "")
        names = folded(os.path.normpath(path))
        there = _touches(names, places) or any(_is_below(one, names) for one in own)
        if path and before.get(name) != settings and there:
            raise _submodule(path)


def _submodules(git: Git, commit: str) -> dict[str, dict[str, str]]:
    """Name -> settings of the submodules of a commit."""
    if git.tried("cat-file", "-e", f"{commit}:.gitmodules").returncode:
        return {}
    listed = os.fsdecode(git("config", "--blob", f"{commit}:.gitmodules", "--null", "--list"))
    found: dict[str, dict[str, str]] = {}
    for item in listed.split("\0"):
        key, _, value = item.partition("\n")
        section, _, rest = key.partition(".")
        name, _, setting = rest.rpartition(".")
        if section.lower() == "submodule" and name:
            found.setdefault(name, {})[setting.lower()] = value
    return found


def _submodule(shown: str) -> GitHubError:
    hint = "what is in a submodule is not in the proposal that people read; add it in a commit of its own to the base"
    return GitHubError(f"the proposal brings the submodule {shown}, where manifests or the state lie", hint=hint)


def _replace(file: Path, content: bytes) -> None:
    """Write a file anew, never through a link that a proposal put there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as out:
        out.write(content)
    draft.replace(file)


def _line(said: bytes) -> str:
    return said.decode(errors="surrogateescape").rstrip("\n")
