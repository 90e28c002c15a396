"""The output folder on a branch of the repository: laid out before a run, committed after it, pushed without force.

A bare repository of its own keeps attributes, filters, hooks and links of the user's checkout away from the bytes. Two
runs that push at once both succeed: the second lays its changes over the first's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from pictify_sync.errors import GitHubError
from pictify_sync.github.commands import Git

SUBJECT = "Pictures published by pictify-sync"
TRIES = 8  # pushes, when others push too
_AGAIN = "run refresh, then apply: the pictures of this run are not on the branch, and are made again"
_BUSY = ("cannot lock ref", "failed to update ref")  # of an answer, while another push is under way
_KEPT = "refs/kept"  # the tip that the folder was laid out from
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "pictify-sync"), ("EMAIL", "pictify-sync@users.noreply.github.com"))
}


class OutputBranch:
    """One branch that holds an output folder and nothing else. `store` is a folder for its own git directory."""

    def __init__(self, branch: str, output: Path, store: Path, environ: Mapping[str, str]) -> None:
        here = Git(Path.cwd(), environ)
        if branch.startswith("-") or here.tried("check-ref-format", f"refs/heads/{branch}").returncode:
            raise GitHubError(f"{branch} is no name of a branch")
        top = Path(here("rev-parse", "--show-toplevel").decode().rstrip("\n")).resolve()
        if output.resolve() != output or not output.is_relative_to(top) or output == top:
            raise GitHubError(f"{output.name} is not a folder of the repository, or a link")
        self._reference = f"refs/heads/{branch}"
        self._output = output
        self._here, self._top = here, top
        self._absent = store / "absent"  # there was no such branch when the folder was to be laid out
        self.moved = 0  # files that were moved away for it
        self._remote = here("remote", "get-url", "origin").decode().rstrip("\n")
        store.mkdir(parents=True, exist_ok=True)
        outside = {"GIT_DIR": str(store), "GIT_INDEX_FILE": str(store / "index"), "GIT_WORK_TREE": str(output)}
        self._git = Git(store, {**environ, **outside, **_AUTHOR})
        if not (store / "HEAD").exists():
            bare = Git(store, environ)
            bare("init", "--quiet", "--bare", "--template=", ".")
            for name in ("core.autocrlf", "core.symlinks", "core.bare", "gc.auto"):
                bare("config", name, "0" if name == "gc.auto" else "false")
            (store / "info").mkdir(exist_ok=True)
            (store / "info/attributes").write_text("* -text -filter -ident\n", encoding="utf-8")

    def lay_out(self, aside: Path | None = None) -> bool:
        """Make the folder what the branch holds; False when there is no such branch yet.

        A workspace may have been kept since an earlier run: what the branch does not hold is moved to `aside`, so that
        a picture which left the branch does not come back. Files of the checkout itself stay.
        """
        if not self._fetch():
            self._absent.touch()
            return False
        self._output.mkdir(parents=True, exist_ok=True)
        self._git("read-tree", _KEPT)
        self.moved = self._set_aside(aside or self._output.parent / ".pictify-sync/set-aside")
        self._git("checkout-index", "--all", "--force", "--quiet", "--index")
        wrong = os.fsdecode(self._git("diff-files", "--name-only", "-z")).split("\0")[:-1]
        if wrong:
            raise GitHubError(f"{self._output.name}/{wrong[0]} cannot be made what {self._reference} holds")
        return True

    def keep(self) -> bool:
        """Commit the folder and push it; False when the branch holds it as it is."""
        self._output.mkdir(parents=True, exist_ok=True)
        base = self._tip()
        if not base and not self._absent.exists() and self._listed():
            hint = "the step `fetch` of the action lays it out; run the job again"
            raise GitHubError(f"{self._reference} was not laid out before: it is not known what it holds", hint=hint)
        self._git("read-tree", base) if base else self._git("read-tree", "--empty")
        self._git("add", "--all", "--force", "--", ".", ":(exclude,top).pictify-sync*")
        tree = self._git("write-tree").decode().strip()
        changes = list(self._changes(base, tree))
        if not changes:
            return False
        for _ in range(TRIES):
            parent = self._tip()
            commit = self._commit(self._laid_over(parent, changes) if parent != base else tree, parent)
            refused = self._push(commit)
            if not refused:
                return True
            self._fetch()
            if self._tip() == parent and not any(word in refused for word in _BUSY):
                hint = f"the job needs the permission contents: write, and a branch that it may push to; then {_AGAIN}"
                raise GitHubError(f"{self._reference} cannot be pushed to: {refused}", hint=hint)
        raise GitHubError(f"{self._reference} could not be pushed in {TRIES} tries", hint=_AGAIN)

    def _set_aside(self, aside: Path) -> int:
        """Move away what the branch does not hold, or holds otherwise; gives how many files."""
        self._git.tried("update-index", "-q", "--refresh")
        words = ("-z", "--", ".", ":(exclude,top).pictify-sync*")
        found = self._git("ls-files", "--others", *words)
        found += self._git("diff-files", "--name-only", "--diff-filter=MT", *words)
        listed = self._here("ls-files", "-z", "--full-name", "--", str(self._output))
        own = {self._top / os.fsdecode(path) for path in listed.split(b"\0") if path}
        number = 0
        for path in filter(None, os.fsdecode(found).split("\0")):
            place = self._output / path
            if place in own:
                continue
            target = aside / self._tip()[:12] / path.rstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(place, target)
            number += 1
        return number

    def _listed(self) -> bool:
        """Whether the branch is there. Raises GitHubError when the remote does not answer."""
        return bool(self._git("ls-remote", self._remote, self._reference).strip())

    def _fetch(self) -> bool:
        if not self._listed():
            return False
        self._git("fetch", "--quiet", "--no-tags", "--depth=1", self._remote, f"+{self._reference}:{_KEPT}")
        if not self._git("log", "-1", "--format=%s", _KEPT).decode(errors="replace").startswith(SUBJECT):
            raise GitHubError(
                f"{self._reference} holds something else than pictures of pictify-sync",
                hint="choose a branch that does not exist yet",
            )
        return True

    def _tip(self) -> str:
        return self._git("for-each-ref", "--format=%(objectname)", _KEPT).decode().strip()

    def _commit(self, tree: str, parent: str) -> str:
        above = ("-p", parent) if parent else ()
        return self._git("commit-tree", tree, *above, stdin=SUBJECT.encode()).decode().strip()

    def _push(self, commit: str) -> str:
        """Push without force; gives why it was refused, "" when it was not."""
        done = self._git.tried("push", "--quiet", self._remote, f"{commit}:{self._reference}")
        if done.returncode == 0:
            self._git("update-ref", _KEPT, commit)
            return ""
        lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines()]
        told = [line for line in lines if line and not line.startswith(("To ", "hint:", "error: failed to push"))]
        return "; ".join(told[-4:]) or f"exit code {done.returncode}"

    def _changes(self, base: str, tree: str) -> Iterator[bytes]:
        """Lines for `update-index --index-info` that turn the base into the tree."""
        before = base or self._git("mktree").decode().strip()
        parts = self._git("diff-tree", "-r", "-z", "--raw", "--no-renames", before, tree).split(b"\0")
        for head, path in zip(parts[0::2], parts[1::2], strict=False):
            _, mode, _, sha, _ = head.split(b" ")
            yield mode + b" " + sha + b"\t" + path + b"\0"

    def _laid_over(self, parent: str, changes: list[bytes]) -> str:
        self._git("read-tree", parent)
        self._git("update-index", "-z", "--index-info", stdin=b"".join(changes))
        return self._git("write-tree").decode().strip()
