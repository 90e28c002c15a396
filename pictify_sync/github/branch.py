"""The output folder on a branch of the repository: laid out before a run, committed after it, pushed without force.

A bare repository of its own keeps attributes, filters, hooks and links of the user's checkout away from the bytes. Two
runs that push at once both succeed: the second lays its changes over the first's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pictify_sync.errors import GitHubError
from pictify_sync.github.commands import Git

SUBJECT = "Pictures published by pictify-sync"
TRIES = 8  # pushes, when others push too
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

    def lay_out(self) -> bool:
        """Fill the folder from the branch; False when there is no such branch yet."""
        if not self._fetch():
            return False
        self._output.mkdir(parents=True, exist_ok=True)
        self._git("read-tree", _KEPT)
        self._git("checkout-index", "--all", "--force", "--quiet")
        return True

    def keep(self) -> bool:
        """Commit the folder and push it; False when the branch holds it as it is."""
        self._output.mkdir(parents=True, exist_ok=True)
        base = self._tip()
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
                hint = "the job needs the permission contents: write, and a branch that it may push to"
                raise GitHubError(f"{self._reference} cannot be pushed to: {refused}", hint=hint)
        raise GitHubError(f"{self._reference} could not be pushed in {TRIES} tries", hint="run it again")

    def _fetch(self) -> bool:
        if not self._git("ls-remote", self._remote, self._reference).strip():
            return False
        self._git("fetch", "--quiet", "--no-tags", "--depth=1", self._remote, f"+{self._reference}:{_KEPT}")
        if not self._git("log", "-1", "--format=%s", _KEPT).decode(errors="replace").startswith(SUBJECT):
            raise GitHubError(
                f"{self._reference} holds something else than pictures of pictify-sync",
                hint="choose a branch that does not exist yet",
            )
        return True

    def _tip(self) -> str:
        return self._git.tried("rev-parse", "--verify", "--quiet", _KEPT).stdout.decode().strip()

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
