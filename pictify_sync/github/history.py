"""The history that tells which of two commits is the older one: a checkout has the newest commit alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pictify_sync.github.commands import Git

DEPTHS = (50, 500, 5_000)  # commits that are fetched of each, until the one is found above the other
_FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules")


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


def _are_related(git: Git, head: str, commit: str) -> bool:
    """Whether one of them is proven to hold the other."""
    pairs = ((head, commit), (commit, head))
    return any(not git.tried("merge-base", "--is-ancestor", one, other).returncode for one, other in pairs)
