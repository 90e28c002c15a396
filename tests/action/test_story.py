"""The whole story, by the action's own steps: pull request, merge, apply, drift, repair."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.action.job import Hub
from tests.action.machine import git
from tests.end_to_end.project import ProjectFolder

ROWS = "id,title,colour\na,A,#123456\nb,B,#654321\n"
BRANCH = {"artifacts-branch": "pictures"}
DRIFT = {"command": "refresh", "issue": "auto", "fail-on-drift": "true", **BRANCH}
APPLY = {"command": "apply", "api-key": "key-of-the-service", "fail-on-drift": "true", **BRANCH}  # it ends what drifted


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A repository whose manifests were never applied."""
    made = Hub(tmp_path / "hub")
    settings = "state: git+ref:refs/pictify-sync/state\n"
    made.work = ProjectFolder(tmp_path / "developer", rows=ROWS, settings=settings)
    made.commit("main")
    return made


def test_from_a_pull_request_to_the_repair_of_drift(hub: Hub) -> None:
    """Each job on a machine of its own; between them there are only the repository and what GitHub keeps."""
    first = hub.run("workflow_dispatch", {**APPLY, "approval": "none"})
    assert (first.failed, first.outputs["creates"], first.outputs["renders"]) == (False, "4", "4"), first.log

    hub.work.edit("manifests/rows.csv", "a,A,", "a,Other,")
    number = hub.propose("change")
    planned = hub.run("pull_request", {"command": "plan", **BRANCH}, pull=number, workflow=2)
    assert not planned.failed, planned.log
    assert (planned.outputs["changed"], planned.outputs["updates"], planned.outputs["creates"]) == ("true", "2", "0")
    (comment,) = hub.read("comments")
    assert planned.outputs["digest"] in comment["body"]
    assert planned.outputs["digest"] in planned.summary

    hub.merge(number)
    applied = hub.run("push", APPLY)
    assert (applied.failed, applied.outputs["digest"]) == (False, planned.outputs["digest"]), applied.log
    names = git(hub.remote, "ls-tree", "-r", "--name-only", "pictures").splitlines()
    assert names == [f"cards/{item}.{layout}.png" for item in "ab" for layout in ("default", "square")]

    _lose(hub, "cards/a.default.png")
    looked = hub.run("schedule", {"command": "refresh", "extra-args": "--check", **BRANCH}, token="read", workflow=3)
    assert (looked.failed, looked.outputs["changed"]) == (False, "true"), looked.log
    drifted = hub.run("schedule", DRIFT, workflow=3)
    assert (drifted.failed, drifted.steps["Drift"], drifted.outputs["changed"]) == (True, "failure", "true")
    assert [issue["state"] for issue in hub.read("issues")] == ["open"]

    repaired = hub.run("workflow_dispatch", {**APPLY, "approval": "none"})
    assert (repaired.failed, repaired.outputs["repairs"], repaired.outputs["renders"]) == (False, "1", "1"), (
        repaired.log
    )
    clean = hub.run("schedule", DRIFT, workflow=3)
    assert (clean.failed, clean.outputs["changed"]) == (False, "false"), clean.log
    assert [issue["state"] for issue in hub.read("issues")] == ["closed"]


def _lose(hub: Hub, path: str) -> None:
    """Somebody removes a picture from the branch."""
    folder = hub.folder / "hand"
    git(hub.folder, "clone", "--quiet", "--branch", "pictures", hub.remote.as_uri(), str(folder))
    git(folder, "rm", "--quiet", path)
    git(folder, "commit", "--quiet", "-m", "Pictures published by pictify-sync, and one lost")
    git(folder, "push", "--quiet", "origin", "HEAD:pictures")
