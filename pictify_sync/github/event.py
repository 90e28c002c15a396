"""What GitHub says about the run: its event and the environment of its steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pictify_sync.errors import GitHubError, UsageError

MAX_BYTES = 32 << 20  # of an event's payload; GitHub caps one at 25 MB
Sha = Field(pattern="^[0-9a-f]{40}([0-9a-f]{24})?$")
_QUEUED = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-([1-9]\d{0,9})-[0-9a-f]{40,64}")


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Repository(_Read):
    full_name: str


class _End(_Read):
    sha: str = Sha
    repo: _Repository | None = None  # None: the fork is gone


class PullRequest(_Read):
    """The pull request that an event is about."""

    number: int = Field(ge=1)
    base: _End
    head: _End


class MergeGroup(_Read):
    """The group of commits that a merge queue is about to put on a branch."""

    base_sha: str = Sha
    head_ref: str


class _Payload(_Read):
    pull_request: PullRequest | None = None
    merge_group: MergeGroup | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a workflow, as seen from a step."""

    event: str  # push, pull_request, merge_group, schedule, ...
    repository: str  # "owner/name"
    sha: str  # that the run is about
    branch: str  # "" when it is not about one
    run_id: str
    server: str  # https://github.com, or that of an enterprise
    pull_request: PullRequest | None
    merge_group: MergeGroup | None

    @property
    def base_sha(self) -> str | None:
        """The commit whose settings count, None when they are the run's own: only a proposal has a base."""
        if self.pull_request is not None:
            return self.pull_request.base.sha
        return self.merge_group.base_sha if self.merge_group is not None else None

    @property
    def from_fork(self) -> bool:
        """Whether the proposal comes from another repository: its run has no secrets and may write nothing."""
        if self.pull_request is None:
            return False
        repo = self.pull_request.head.repo
        return repo is None or repo.full_name != self.repository

    @property
    def queued(self) -> int | None:
        """The pull request whose turn it is in a merge queue; None elsewhere."""
        return queued_in(self.merge_group.head_ref) if self.merge_group else None

    @property
    def url(self) -> str:
        """Where people see this run."""
        return f"{self.server}/{self.repository}/actions/runs/{self.run_id}"


def queued_in(reference: str) -> int | None:
    """The pull request that a branch of a merge queue was made for; None for any other branch."""
    found = _QUEUED.fullmatch(reference)
    return int(found[1]) if found else None


def read_run(environ: Mapping[str, str]) -> Run:
    """Read the environment and the payload of the event. Raises UsageError outside of GitHub Actions."""
    needed = ("GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_RUN_ID")
    missing = [name for name in needed if not environ.get(name)]
    if missing:
        raise UsageError(f"{missing[0]} is not set", hint="this command is a step of the GitHub action")
    payload = _payload(Path(environ["GITHUB_EVENT_PATH"]))
    reference = environ.get("GITHUB_REF", "")
    return Run(
        event=environ["GITHUB_EVENT_NAME"],
        repository=environ["GITHUB_REPOSITORY"],
        sha=environ["GITHUB_SHA"],
        branch=reference.removeprefix("refs/heads/") if reference.startswith("refs/heads/") else "",
        run_id=environ["GITHUB_RUN_ID"],
        server=environ.get("GITHUB_SERVER_URL") or "https://github.com",
        pull_request=payload.pull_request,
        merge_group=payload.merge_group,
    )


def _payload(file: Path) -> _Payload:
    try:
        with file.open("rb") as content:
            return _Payload.model_validate_json(content.read(MAX_BYTES))
    except (OSError, ValidationError) as error:
        raise GitHubError(f"the event of this run cannot be read: {type(error).__name__}") from None
