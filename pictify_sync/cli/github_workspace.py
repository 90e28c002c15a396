"""What the steps of the GitHub action do in the workspace: it may have been kept since an earlier run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pictify_sync.github.branch import OutputBranch
    from pictify_sync.github.proposal import Places
    from pictify_sync.wiring import Project

ASIDE = ".pictify-sync/set-aside"  # of the project: files that an artifacts branch does not hold
_WHOLE = "whole"  # a file that tells the next step: the output folder is what the artifacts branch holds


def places(project: Project, manifests: Sequence[str]) -> Places:
    """Where the project keeps what no proposal may bring, and where its manifests are: also those of the inputs."""
    from pictify_sync.github.proposal import Places
    from pictify_sync.wiring.finding import before_magic
    from pictify_sync.wiring.states import local_place

    settings = project.settings
    folders = [settings.local, *([settings.inbox] if "://" not in settings.inbox else [])]
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or ".").resolve()
    return Places(
        state=local_place(settings),
        folders=tuple(map(settings.path, folders)),
        manifests=(settings.path(settings.manifests), *(Path.cwd() / before_magic(one) for one in manifests)),
        project=workspace / os.environ.get("INPUT_WORKING_DIRECTORY", "."),
    )


def lay_out(branch: OutputBranch, project: Project, folder: Path) -> None:
    """Make the output folder what the branch holds, and say what was in the way."""
    if not branch.lay_out(project.settings.path(ASIDE)):
        notice("The artifacts branch does not exist yet; the first apply makes it.")
        return
    (folder / _WHOLE).touch()
    if branch.moved:
        notice(f"{branch.moved:,} files that the artifacts branch does not hold so were moved to {ASIDE}.")


def expect_whole(folder: Path) -> None:
    """Have commands of this process expect all pictures in the output folder, if it was laid out from a branch."""
    if (folder / _WHOLE).exists():
        os.environ["PICTIFY_SYNC_SHARED_OUTPUT"] = "true"


def fetch_history(project: Project) -> None:
    """Bring the commits that tell whether the one checked out is older than the one applied last."""
    from pictify_sync.github.history import fetch_history as fetch

    last = project.state().applied()
    if last is not None:
        fetch(last.commit, os.environ)


def notice(text: str) -> None:
    """Say something to whoever looks at the run."""
    from pictify_sync.cli.runner_log import instruct
    from pictify_sync.report.safe import safe
    from pictify_sync.report.workflow_commands import workflow_command

    instruct([workflow_command("notice", safe(text), title="pictify-sync")])
