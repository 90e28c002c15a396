"""`git` and `gh` as processes: what they are given, what they print, and how a token reaches them.

A token is passed by the environment only: it is in no argument, no address and no file.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from pictify_sync.errors import GitHubError

DEPTHS = (50, 500, 5_000)  # commits that are fetched of each, until the one is found above the other
PATIENCE = 300  # seconds for one command
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules")
_HELPER = '!f() { test "$1" != get || printf "username=x-access-token\\npassword=%s\\n" "$GH_TOKEN"; }; f'


def credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """Let git ask for GH_TOKEN where the server wants one, whatever the checkout left in its configuration."""
    values = [value for name, value in environ.items() if name.startswith("GIT_CONFIG_VALUE_")]
    if not environ.get("GH_TOKEN") or _HELPER in values:
        return {}
    server = environ.get("GITHUB_SERVER_URL") or "https://github.com"
    count = int(environ.get("GIT_CONFIG_COUNT") or 0)
    return {
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"credential.{server}.helper",
        f"GIT_CONFIG_VALUE_{count}": _HELPER,
        "GIT_TERMINAL_PROMPT": "0",
    }


@dataclass(frozen=True, slots=True)
class Git:
    """git in one folder."""

    folder: Path
    environ: Mapping[str, str]

    def __call__(self, *arguments: str, stdin: bytes = b"", more: Mapping[str, str] | None = None) -> bytes:
        """Run a command; gives its stdout. Raises GitHubError with git's last words."""
        done = self.tried(*arguments, stdin=stdin, more=more)
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            raise GitHubError(f"git {arguments[0]}: {words[-1] if words else f'exit code {done.returncode}'}")
        return done.stdout

    def tried(
        self, *arguments: str, stdin: bytes = b"", more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command that may fail."""
        whole = {**self.environ, "LC_ALL": "C", **(more or {})}
        return _run(["git", *arguments], whole, stdin, self.folder)


def fetch_history(commit: str, environ: Mapping[str, str]) -> bool:
    """Fetch what lies between HEAD and a commit; gives whether they can be compared now.

    What cannot be fetched is no error: whoever compares says so.
    """
    git = Git(Path.cwd(), environ)
    head = git("rev-parse", "HEAD").decode().strip()
    if _are_related(git, head, commit):
        return True
    if git("rev-parse", "--is-shallow-repository").strip() != b"true":
        git.tried(*_FETCH, "origin", commit)
        return not git.tried("cat-file", "-e", f"{commit}^{{commit}}").returncode
    for depth in DEPTHS:
        for tips in ((head, commit), (commit,)):  # HEAD may be nowhere at the remote
            if not git.tried(*_FETCH, f"--depth={depth}", "origin", *tips).returncode:
                break
        if _are_related(git, head, commit):
            return True
    return False


class Refused(Exception):
    """An answer of GitHub's API that is not a success. `status` is that of HTTP; 0 when none was told."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Api:
    """GitHub's REST API through `gh api`, for one repository."""

    repository: str
    environ: Mapping[str, str]

    def get(self, path: str, **query: str | int) -> Any:
        """Read JSON below the repository. Raises Refused."""
        return _json(self.fetch(path, **query))

    def fetch(self, path: str, **query: str | int) -> bytes:
        """Read bytes below the repository."""
        question = f"?{urlencode(query)}" if query else ""
        return self._call("GET", f"repos/{self.repository}/{path}{question}", b"")

    def send(self, method: str, path: str, content: Mapping[str, Any]) -> Any:
        """Send JSON below the repository, on stdin: it may be long, and anybody's."""
        body = json.dumps(content).encode()
        return _json(self._call(method, f"repos/{self.repository}/{path}", body))

    def login(self) -> str:
        """Who the token acts as; "" when that is not told, as for the token that a workflow is given."""
        try:
            found = _json(self._call("GET", "user", b""))
        except Refused:
            return ""
        name = found.get("login") if isinstance(found, Mapping) else None
        return name if isinstance(name, str) else ""

    def _call(self, method: str, path: str, body: bytes) -> bytes:
        host = urlsplit(self.environ.get("GITHUB_SERVER_URL") or "https://github.com").hostname or "github.com"
        taken = ["--input", "-"] if body else []
        words = ["gh", "api", "--method", method, path, *taken]
        done = _run(words, {**self.environ, "GH_HOST": host, "GH_PROMPT_DISABLED": "1"}, body, None)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
            raise Refused(_status(said), said.splitlines()[-1])
        return done.stdout


def _run(
    words: list[str], environ: Mapping[str, str], stdin: bytes, folder: Path | None
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - a list, without a shell
            words, cwd=folder, env=environ, input=stdin, capture_output=True, timeout=PATIENCE, check=False
        )
    except FileNotFoundError:
        raise GitHubError(f"there is no `{words[0]}` on this machine", hint=f"install {words[0]}") from None
    except subprocess.TimeoutExpired:
        raise GitHubError(f"`{words[0]} {words[1]}` did not end within {PATIENCE} seconds") from None


def _status(said: str) -> int:
    """Read `... (HTTP 403)` as gh ends its last line."""
    _, _, rest = said.rpartition("(HTTP ")
    number = rest.partition(")")[0]
    return int(number) if number.isdigit() and len(number) == 3 else 0


def _json(content: bytes) -> Any:
    try:
        return json.loads(content or b"null")
    except (ValueError, RecursionError):
        raise Refused(0, "the answer is not JSON") from None


def _are_related(git: Git, head: str, commit: str) -> bool:
    """Whether one of them is proven to hold the other."""
    pairs = ((head, commit), (commit, head))
    return any(not git.tried("merge-base", "--is-ancestor", one, other).returncode for one, other in pairs)
