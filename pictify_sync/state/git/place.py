"""Where a state on a Git ref lies: read from the setting, so that no part of it can be taken for an option of git.

git+ref:refs/pictify-sync/state          a ref of its own, at the remote `origin`
git+branch:pictify-state                 a branch
git+ref:refs/x/state?remote=upstream     another remote: its name, a path (with a slash first, or ./), or a URL
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from pictify_sync.errors import UsageError

PREFIX = "git+"
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.|lock(?:/|\Z)|/|\Z))*"
_REF = re.compile(rf"refs(?:/{_PART}){{1,16}}")
_NAME = re.compile(rf"{_PART}(?:/{_PART})*")
_PATH = re.compile(r"\.{0,2}/[^\x00-\x1f\x7f]*")
_URL = re.compile(r"(?:https?|ssh|git|file)://(?:[^\s/@\x00-\x1f]*@)?[A-Za-z0-9\[/][^\s\x00-\x1f\x7f]*")
_SCP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]*")
_USER = re.compile(r"(?<=://)[^\s/]*@")
_HINT = "for example git+ref:refs/pictify-sync/state, git+branch:pictify-state or git+ref:refs/x/state?remote=upstream"


@dataclass(frozen=True, slots=True)
class GitPlace:
    """A ref at a remote."""

    ref: str  # full name
    remote: str  # name of a remote of the project's repository, a path, or a URL

    @property
    def is_name(self) -> bool:
        """Whether the remote is the name of one, which needs a repository that knows it."""
        return _NAME.fullmatch(self.remote) is not None

    @property
    def slug(self) -> str:
        """A file name of its own for each ref and remote; users and passwords in a URL make no difference."""
        digest = blake2b(f"{self.ref}\n{without_user(self.remote)}".encode(), digest_size=4).hexdigest()
        return f"{self.ref.rpartition('/')[2][:40]}-{digest}"

    def __str__(self) -> str:
        return f"{self.ref} at {without_user(self.remote)}"


def parse_place(setting: str) -> GitPlace | None:
    """Read the setting `state`; None when it is a file. Raises UsageError for a ref or a remote that is none."""
    if not setting.startswith(PREFIX):
        return None
    kind, _, rest = setting.removeprefix(PREFIX).partition(":")
    name, _, remote = rest.partition("?remote=")
    ref = f"refs/heads/{name}" if kind == "branch" else name
    if kind not in ("ref", "branch") or not _REF.fullmatch(ref) or len(ref) > 200:
        raise UsageError("the setting `state` names no Git ref", hint=_HINT)
    remote = remote if "?remote=" in rest else "origin"
    if len(remote) > 2000 or not any(known.fullmatch(remote) for known in (_NAME, _PATH, _URL, _SCP)):
        raise UsageError("the setting `state` names no remote", hint=_HINT)
    return GitPlace(ref, remote)


def without_user(text: str) -> str:
    """Leave out of URLs in a text who they are opened as: it may be a password."""
    return _USER.sub("", text)
