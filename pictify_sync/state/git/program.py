"""Runs the program git: argument lists without a shell, no questions to a terminal, no secret in what it says.

Objects and refs live in a bare repository of our own, so that the project's repository is never written to; its remotes
and what reaches them (credentials, proxies, URLs put in place of others) are taken over from its configuration. This
module must not know what is kept in the objects.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pictify_sync.errors import StateError
from pictify_sync.state.git.place import GitPlace, without_user

SECONDS = 600.0  # that one command may take
_MAX_LOOSE, _MAX_PACKS = 4000, 60  # objects and packs of our repository; beyond, what the ref holds is fetched again
_TAKEN = ("core.sshcommand", "core.gitproxy", "core.askpass", "ssh.variant")
_TAKEN_SECTIONS = ("http.", "url.", "credential.", "protocol.")
_OF_REMOTE = ("proxy", "proxyauthmethod", "uploadpack", "receivepack", "vcs")
_PLAIN = re.compile(  # what `git init` writes; any other setting may name a program that git then runs
    r"(?:\[(?:core|extensions)\]\n|\t(?:repositoryformatversion|filemode|bare|symlinks|ignorecase|precomposeunicode|"
    r"logallrefupdates|objectformat|compatobjectformat|refstorage) = \w+\n)+"
)
_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_OURS = {  # over whatever the user's configuration says
    "core.hooksPath": os.devnull,
    "core.fsyncMethod": "fsync",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.recurseSubmodules": "false",
    "push.followTags": "false",
    "push.gpgSign": "false",
    "advice.fetchShowForcedUpdates": "false",
}


@dataclass(frozen=True, slots=True)
class GitResult:
    """What a command ended with."""

    code: int
    out: bytes
    talk: str  # the end of stderr on one line, users and passwords of URLs left out


class Git:
    """One bare repository of ours, and how its remote is reached."""

    def __init__(self, folder: Path, directory: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self._directory = directory  # relative remotes start here
        self._environ = {**environ, "GIT_DIR": str(folder.resolve())}

    def prepare(self, *, afresh: bool = False) -> None:
        """Make the repository where there is none; what is there is thrown away if it is damaged, full, or `afresh`.

        So is one that we did not make: somebody may have committed it with the project.
        """
        if not afresh and self._is_ours() and self._is_sound():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            self.folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise StateError(
                f"cannot make {self.folder}: {error.strerror}", hint="check the folder's permissions"
            ) from None
        self.check("init", "--quiet", "--bare", "--template=", doing="cannot make a repository")

    def _is_ours(self) -> bool:
        """Whether git can be run there: its configuration is that of a new repository, and lies in it."""
        try:
            settings = (self.folder / "config").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return False
        return _PLAIN.fullmatch(settings) is not None and not (self.folder / "commondir").exists()

    def _is_sound(self) -> bool:
        counted = self.run("count-objects", "-v")
        found = dict(line.split(b": ", 1) for line in counted.out.splitlines() if b": " in line)
        counts = [int(found.get(name, b"0")) for name in (b"count", b"packs")]
        return counted.code == 0 and counts[0] <= _MAX_LOOSE and counts[1] <= _MAX_PACKS

    def run(self, *arguments: str, seconds: float = SECONDS) -> GitResult:
        """Run a command to its end. Raises StateError when git is not there or takes too long."""
        with self.start(arguments, stdin=subprocess.DEVNULL) as process:
            try:
                out, talk = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                return GitResult(-1, b"", f"git {arguments[0]} took more than {seconds:.0f} s")
            return GitResult(process.returncode, out, said(talk))

    def check(self, *arguments: str, doing: str) -> bytes:
        """Run a command that must succeed and return its stdout. Raises StateError that says what it was for."""
        result = self.run(*arguments)
        if result.code != 0:
            raise StateError(f"{doing}: {result.talk or f'git ended with {result.code}'}")
        return result.out

    @contextmanager
    def start(self, arguments: Sequence[str], stdin: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
        """Start a command in a session of its own, so that a Ctrl-C meant for us does not cut a push in two."""
        try:
            process = subprocess.Popen(  # noqa: S603 - a list, with nothing in it that was not checked
                ["git", *arguments],  # noqa: S607 - whichever git the user has
                cwd=self._directory,
                env=self._environ,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise StateError(f"git cannot be run: {error.strerror}", hint="a state on a Git ref needs git") from None
        try:
            yield process
        finally:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            for pipe in (process.stdin, process.stdout, process.stderr):
                _close(pipe)
            process.wait()


def open_git(place: GitPlace, project: Path, folder: Path, environ: Mapping[str, str]) -> Git:
    """Bind a repository of ours at `folder` to the place. Raises StateError when the remote is not known."""
    outer = quiet_environ(environ)
    plain = Git(project / ".git", project, outer)
    plain._environ.pop("GIT_DIR")
    top = plain.run("rev-parse", "--show-toplevel")
    if top.code != 0 and place.is_name:
        raise StateError(
            f"the state {place.ref} is at the remote {place.remote} of a Git repository, "
            f"and this folder is not in one: {top.talk}",
            hint="work in a clone, or name a URL or a path: git+ref:...?remote=URL",
        )
    taken = _taken(plain, place) if top.code == 0 else []
    directory = Path(os.fsdecode(top.out.strip())) if top.code == 0 and place.is_name else project
    return Git(folder, directory, _configured(outer, [*taken, *_OURS.items()]))


def quiet_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which git works on the repository of its folder, asks nothing and translates nothing."""
    return {name: value for name, value in environ.items() if not _is_foreign(name)} | _QUIET


def said(talk: bytes) -> str:
    """The last lines of what git said, on one line, without secrets and controls."""
    text = without_user(talk[-20_000:].decode(errors="replace"))
    lines = ["".join(letter if letter.isprintable() else " " for letter in line).strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not line.startswith("hint:")]
    return "; ".join(kept[-6:])[-600:]


def _taken(plain: Git, place: GitPlace) -> list[tuple[str, str]]:
    """What the project's own configuration says of reaching a remote; the user's is read by git itself."""
    listed = plain.run("config", "--list", "--null", "--show-scope")
    if listed.code != 0:
        raise StateError(f"the repository's configuration cannot be read: {listed.talk}")
    fields = os.fsdecode(listed.out).split("\0")
    items = [(scope, *item.partition("\n")) for scope, item in zip(fields[::2], fields[1::2], strict=False)]
    local = [(name, value if mark else "true") for scope, name, mark, value in items if scope in ("local", "worktree")]
    taken = [item for item in local if item[0] in _TAKEN or item[0].startswith(_TAKEN_SECTIONS)]
    if place.is_name:
        start = f"remote.{place.remote}."
        taken += [item for item in local if item[0].removeprefix(start) in _OF_REMOTE]
        urls = [item for item in items if item[1] == f"{start}pushurl"] or [
            item for item in items if item[1] == f"{start}url"
        ]
        if len(urls) != 1:
            known = "has several URLs" if urls else "is not known to the repository"
            hint = f"git remote add {place.remote} URL; or name another remote in `state`"
            raise StateError(f"the remote {place.remote} {known}", hint=hint)
        taken += [(f"{start}url", value) for scope, _, _, value in urls if scope in ("local", "worktree")]
    return taken


def _configured(environ: Mapping[str, str], settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Add settings by the environment, where no other process of the machine can read them."""
    first = int(environ.get("GIT_CONFIG_COUNT") or 0)
    made = {**environ, "GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (name, value) in enumerate(settings, start=first):
        made |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    return made


def _is_foreign(name: str) -> bool:
    """Variables that bind git to another repository, or make it talk."""
    repository = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")
    others = (
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
        "GIT_SHALLOW_FILE",
        "GIT_QUARANTINE_PATH",
    )
    return name in (*repository, *others) or name.startswith("GIT_TRACE")


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        with suppress(OSError):
            pipe.close()
