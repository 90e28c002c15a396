"""The plans that were reviewed: those of the pull requests whose commits have not been applied yet.

A plan is looked for in the artifacts of the pull request's own runs. Its file may have been written by anybody who can
open a pull request: it is taken out of its archive within limits, and its reader believes nothing in it.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pictify_sync.errors import GitHubError
from pictify_sync.github.commands import Api
from pictify_sync.github.event import Run, queued_in

MEMBER = "plan.json"
MAX_ARCHIVE = 64 << 20  # bytes of an artifact
MAX_PLAN = 256 << 20  # bytes of the plan in it
COMMITS = 50  # that are looked at, newest first
PAGE = 100
PAGES = 30  # of plans that are looked through: a pull request may have waited behind many others


def reviewed(api: Api, run: Run) -> list[tuple[int, str]]:
    """Return (number, newest commit) of every pull request that the run has to do with.

    In a merge queue that is the one whose turn it is, those queued before it, and those merged but not applied. After
    a merge, all since the last run of this workflow that succeeded: one that was waiting may have been cancelled for
    this one.
    """
    found: dict[int, str] = {}
    branch = run.branch
    if run.queued is not None:
        pull = api.get(f"pulls/{run.queued}")
        found[run.queued] = str(_at(pull, "head", "sha"))
        branch = str(_at(pull, "base", "ref"))
    queue = _queue(api, branch) if run.queued is not None else {}
    for commit in _unapplied(api, run, branch):
        if commit in queue:
            found[queue[commit]] = str(_at(api.get(f"pulls/{queue[commit]}"), "head", "sha"))
            continue
        pulls = api.get(f"commits/{commit}/pulls")
        for pull in pulls if isinstance(pulls, list) else []:
            if _at(pull, "merged_at") and _at(pull, "base", "ref") == branch:
                found[int(_at(pull, "number"))] = str(_at(pull, "head", "sha"))
    return sorted(found.items())


def fetch_plans(api: Api, pulls: Sequence[tuple[int, str]], artifact: str, folder: Path) -> Iterator[tuple[int, bool]]:
    """Write the newest plan of every pull request to `folder`; gives (number, whether there was one)."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, sha in pulls:
        newest = next(_plans(api, artifact, sha), None)
        if newest is not None:
            unpack(api.fetch(f"actions/artifacts/{newest}/zip"), folder / f"{number}.json")
        yield number, newest is not None


def unpack(archive: bytes, file: Path) -> None:
    """Take the plan out of an artifact. Raises GitHubError for what is no such archive, or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as members:
            if members.namelist().count(MEMBER) != 1:
                raise GitHubError("the artifact holds no plan")
            with members.open(MEMBER) as plan:
                content = plan.read(MAX_PLAN + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        raise GitHubError(f"the artifact cannot be read: {type(error).__name__}") from None
    if len(content) > MAX_PLAN:
        raise GitHubError(f"the plan in the artifact has more than {MAX_PLAN} bytes")
    file.write_bytes(content)


def _queue(api: Api, branch: str) -> Mapping[str, int]:
    """Commit -> the pull request that a merge queue made it for, of all that wait for a branch now."""
    told = api.get(f"git/matching-refs/heads/gh-readonly-queue/{quote(branch)}/pr-")
    refs = [(queued_in(str(_at(one, "ref"))), _at(one, "object", "sha")) for one in told or []]
    return {str(sha): number for number, sha in refs if number is not None}


def _unapplied(api: Api, run: Run, branch: str) -> Sequence[str]:
    """The commits of the branch since the last one applied, newest first, without those that a merge brought."""
    tip = run.merge_group.base_sha if run.merge_group is not None else run.sha
    last = _last_success(api, run, branch)
    above: dict[str, str] = {}  # commit -> its first parent
    line: list[str] = []
    while tip not in ("", last) and len(line) < COMMITS:
        if tip not in above:  # a merge may have brought more than a page of them
            for one in api.get("commits", sha=tip, per_page=PAGE):
                parents = _at(one, "parents")
                above[str(_at(one, "sha"))] = str(_at(parents[0], "sha")) if parents else ""
        line.append(tip)
        tip = above.get(tip, "")
    return line


def _last_success(api: Api, run: Run, branch: str) -> str | None:
    """Where the branch was when this workflow last succeeded; None when that is not known."""
    if run.merge_group is not None:
        return None
    workflow = _at(api.get(f"actions/runs/{run.run_id}"), "workflow_id")
    runs = api.get(f"actions/workflows/{int(workflow)}/runs", branch=branch, status="success", per_page=1)
    found = _at(runs, "workflow_runs")
    return str(_at(found[0], "head_sha")) if found else None


def _plans(api: Api, artifact: str, sha: str) -> Iterator[int]:
    """Ids of the plans that runs on a pull request left for a commit, newest first."""
    for page in range(1, PAGES + 1):
        listed = _at(api.get("actions/artifacts", name=artifact, per_page=PAGE, page=page), "artifacts") or []
        fitting = [one for one in listed if _at(one, "workflow_run", "head_sha") == sha and not _at(one, "expired")]
        for one in sorted(fitting, key=lambda one: str(_at(one, "created_at")), reverse=True):
            run = api.get(f"actions/runs/{int(_at(one, 'workflow_run', 'id'))}")
            if _at(run, "event") == "pull_request" and int(_at(one, "size_in_bytes") or 0) <= MAX_ARCHIVE:
                yield int(_at(one, "id"))
        if len(listed) < PAGE:
            return


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
