"""Single jobs of the action: what they refuse, what they do without rights, and what a stranger can make them do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.version import Version

from pictify_sync.providers.pictify.server.app import read_meter
from tests.action.job import Hub, Job
from tests.action.machine import git
from tests.docs.pages import ROOT
from tests.end_to_end.project import ProjectFolder
from tests.end_to_end.test_remote import KEY, SETTINGS, served

ROWS = "id,title,colour\na,A,#123456\nb,B,#654321\n"
APPLY = {"command": "apply", "api-key": "key-of-the-service"}


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A repository whose manifests were never applied."""
    made = Hub(tmp_path / "hub")
    settings = "state: git+ref:refs/pictify-sync/state\nguard: {max_renders: 100}\n"
    made.work = ProjectFolder(tmp_path / "developer", rows=ROWS, settings=settings)
    made.commit("main")
    return made


def rendered(hub: Hub) -> Counter[tuple[str, str]]:
    """(variables, layout) -> times that any machine rendered it."""
    stores = hub.folder.glob("machine-*/work/.pictify-sync/local")
    return Counter((row["variables"], row["layout"]) for store in stores for row in read_meter(store))


def said(job: Job, name: str) -> str:
    """What the job tells of a kind."""
    return " ".join(command.text for command in job.commands if command.name == name)


def test_a_proposal_brings_no_nearer_settings(hub: Hub) -> None:
    """Wherever settings are looked for, those of the base count: beside its manifests there are none."""
    hub.work.write("manifests/pictify-sync.yaml", "version: 1\nmanifests: .\nguard: {max_renders: 1000000}\n")
    number = hub.propose("change", fork=True)
    job = hub.run("pull_request", {"manifests": "manifests"}, pull=number, token="read", workflow=2)
    assert not job.failed, job.log
    assert "settings are those of the base" in said(job, "notice")
    assert not (job.folder / "manifests/pictify-sync.yaml").exists()
    assert "Project:" not in job.log


def test_a_proposal_brings_no_submodule_where_the_workflow_looks(hub: Hub) -> None:
    """Manifests that the inputs name may lie beside the folder of the settings."""
    (hub.work.folder / "manifests").rename(hub.work.folder / "cards")
    hub.commit("main")
    head = git(hub.work.folder, "rev-parse", "HEAD")
    (hub.work.folder / "cards/more").mkdir()
    git(hub.work.folder, "update-index", "--add", "--cacheinfo", f"160000,{head},cards/more")
    number = hub.propose("change", fork=True)
    job = hub.run("pull_request", {"manifests": "cards/**/*.yaml"}, pull=number, token="read", workflow=2)
    assert job.failed
    assert "the submodule cards/more" in said(job, "error")


@pytest.mark.full
def test_work_that_nobody_reviewed_is_refused_and_named(hub: Hub) -> None:
    """A commit pushed past the pull requests; the same by hand is done."""
    refused = hub.run("push", APPLY)
    assert refused.failed
    assert "create cards/a@default" in refused.log
    assert "5 changes were not approved" in said(refused, "error")
    assert "4 to create" in refused.summary
    assert rendered(hub) == {}
    assert not hub.run("workflow_dispatch", {**APPLY, "approval": "none"}).failed
    assert len(rendered(hub)) == 4


@pytest.mark.full
def test_a_merge_does_no_more_than_its_plan(hub: Hub) -> None:
    """Something pushed beside the pull request after its plan is named, and nothing is done."""
    hub.work.edit("manifests/rows.csv", "b,B,#654321\n", "")
    number = hub.propose("change")
    assert not hub.run("pull_request", {}, pull=number, workflow=2).failed
    hub.merge(number)
    git(hub.work.folder, "checkout", "--quiet", "main")
    hub.work.write("manifests/rows.csv", ROWS)
    hub.commit("main", "past the review")
    refused = hub.run("push", APPLY)
    assert refused.failed
    assert "2 changes were not approved" in said(refused, "error")
    assert "create cards/b@square" in refused.log
    assert "create cards/a@" not in refused.log
    assert rendered(hub) == {}


@pytest.mark.full
def test_a_forged_plan_is_refused(hub: Hub) -> None:
    """The artifact is believed in nothing."""
    number = hub.propose("change")
    hub.run("pull_request", {}, pull=number, workflow=2)
    hub.merge(number)
    file = hub.folder / "1.zip"
    with zipfile.ZipFile(file) as archive:
        plan = archive.read("plan.json").replace(b"cards/a@", b"cards/z@")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("plan.json", plan)
    refused = hub.run("push", APPLY)
    assert refused.failed
    assert rendered(hub) == {}


def test_a_fork_gets_a_plan_with_pictures_without_any_right(hub: Hub) -> None:
    """No comment, no secret; and the limits, the state and the hosts are those of the base."""
    hub.work.edit("pictify-sync.yaml", "max_renders: 100", "max_renders: 1000000")
    hub.work.edit("pictify-sync.yaml", "pictify-sync/state", "elsewhere/state")
    hub.work.edit("manifests/rows.csv", "a,A,", '"a","::error::##[error]x <script>alert(1)</script> @octocat",')
    number = hub.propose("change", fork=True)
    job = hub.run("pull_request", {"preview": "true", "max-previews": "1"}, pull=number, token="read", workflow=2)
    assert not job.failed, job.log
    assert "settings are those of the base" in said(job, "notice")
    assert "may not comment" in said(job, "notice")
    assert [command.name for command in job.commands] == ["notice", "notice"]
    assert "max_renders: 100}" in (job.folder / "pictify-sync.yaml").read_text()
    assert job.outputs["digest"] in job.summary
    assert hub.read("comments") == []
    with zipfile.ZipFile(hub.folder / "1.zip") as archive:
        assert set(archive.namelist()) == {"plan.json", "report.html", "report.md"}
        assert b"data:image/" in archive.read("report.html")
    assert {token for token, _, _ in hub.read("calls")} <= {"read"}


@pytest.mark.full
@pytest.mark.parametrize("comment", ["auto", "always"])
def test_a_token_without_the_right_to_comment(hub: Hub, comment: str) -> None:
    """`auto` says where the report is, `always` fails and says what is missing."""
    number = hub.propose("change")
    job = hub.run("pull_request", {"comment": comment}, pull=number, token="read", workflow=2)
    assert job.failed == (comment == "always")
    assert ("pull-requests: write" in said(job, "error")) == job.failed
    assert ("summary of this job" in said(job, "notice")) != job.failed


@pytest.mark.full
def test_problems_are_marked_where_they_are(hub: Hub) -> None:
    """At file, line and column, seen from the repository; the comment then says that there is no plan."""
    number = hub.propose("change")
    assert not hub.run("pull_request", {}, pull=number, workflow=2).failed
    hub.work.edit("manifests/cards.yaml", "template: card", "templat: card")
    with hub.edited() as content:
        content["pulls"].pop()
    number = hub.propose("change")
    job = hub.run("pull_request", {}, pull=number, workflow=2)
    assert job.failed
    places = [(command.properties["file"], int(command.properties["line"])) for command in job.commands]
    assert ("manifests/cards.yaml", 3) in places
    assert "There is no plan" in hub.read("comments")[0]["body"]


@pytest.mark.parametrize("command", ["apply", "refresh"])
def test_nothing_is_carried_out_for_a_proposal(hub: Hub, command: str) -> None:
    """Not even when its workflow asks for it."""
    number = hub.propose("change")
    job = hub.run("pull_request", {"command": command, "approval": "none"}, pull=number)
    assert job.failed
    assert job.steps["Run"] == "skipped"
    assert f"{command} does not run for pull_request" in said(job, "error")


def test_a_proposal_with_a_state_is_refused(hub: Hub) -> None:
    """Wherever the settings of the base put it; nothing is planned."""
    hub.work.write("pictify-sync.yaml", "version: 1\nstate: data/pictures.db\n")
    hub.commit("main")
    (hub.work.folder / "data").mkdir()
    hub.work.write("data/pictures.db", "made up")
    job = hub.run("pull_request", {"command": "plan"}, pull=hub.propose("change"))
    assert job.failed
    assert job.steps["Run"] == "skipped"
    assert "the proposal brings data/pictures.db" in said(job, "error")


def test_an_old_workflow_that_is_run_again_undoes_nothing(hub: Hub) -> None:
    """Its checkout has no history: the action fetches what proves that a newer commit was applied."""
    first = git(hub.work.folder, "rev-parse", "HEAD")
    hub.commit("main")
    hub.work.write("manifests/rows.csv", ROWS.replace("a,A,", "a,Aa,"))
    last = hub.commit("main")
    assert not hub.run("push", {**APPLY, "approval": "none"}).failed
    git(hub.work.folder, "push", "--quiet", "--force", "origin", f"{first}:refs/heads/main", f"{last}:refs/heads/keep")
    job = hub.run("push", {**APPLY, "approval": "none"})
    assert job.failed
    assert f"the commit {first[:12]} is older than {last[:12]}" in said(job, "error")
    assert sum(rendered(hub).values()) == 4
    again = hub.run("push", {**APPLY, "approval": "none", "extra-args": "--allow-older"})
    assert not again.failed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("command", "plan; touch pwned"),
        ("command", "state"),
        ("manifests", "$(touch pwned) `touch pwned` ;touch pwned"),
        ("settings", "../../etc/passwd"),
        ("extra-args", "--out\n/dev/null\n;touch pwned"),
        ("extras", "fonts]\ntouch pwned"),
        ("max-previews", "1 --html /etc/x"),
        ("artifacts-branch", "--upload-pack=touch pwned"),
    ],
)
def test_inputs_are_words_and_nothing_else(hub: Hub, name: str, value: str) -> None:
    """Whatever a workflow passes on from an event: no shell reads it, and it is refused where it makes no sense."""
    job = hub.run("workflow_dispatch", {name: value, "preview": "true"})
    assert job.failed
    assert not list(hub.folder.rglob("pwned"))


@pytest.mark.full
def test_a_cancelled_run_records_what_it_did(hub: Hub) -> None:
    """The signal reaches the tool; the next run does the rest.

    What was recorded is not rendered again. The batch that was open is: this provider's machine is gone with it.
    """
    rows = "".join(f"n{number},Title {number},#{number:06x}\n" for number in range(250))
    hub.work.write("manifests/rows.csv", f"id,title,colour\n{rows}")
    hub.work.edit("pictify-sync.yaml", "max_renders: 100", "max_renders: 1000")
    hub.commit("main")
    cancelled = hub.run("workflow_dispatch", {**APPLY, "approval": "none"}, cancel="ubmitted")
    assert cancelled.failed
    assert "nothing more is submitted" in cancelled.log, cancelled.log
    finished = hub.run("workflow_dispatch", {**APPLY, "approval": "none"})
    assert not finished.failed, finished.log
    assert len(rendered(hub)) == 500
    assert sum(rendered(hub).values()) <= 600


@pytest.mark.full
def test_two_runners_share_the_work(hub: Hub) -> None:
    """At the same time, on two machines, for one account: every picture is made once, and published by one of them."""
    hub.work.edit("pictify-sync.yaml", "providers: {", SETTINGS.rstrip().removesuffix("}") + ", ")
    hub.secrets = (KEY,)
    hub.commit("main")
    asked = {"command": "apply", "approval": "none", "api-key": KEY, "artifacts-branch": "pictures"}
    jobs: list[Job] = []

    def apply(environ: Mapping[str, str]) -> None:
        jobs.append(hub.run("workflow_dispatch", asked, env=environ))

    with served(hub.work) as told:
        environ = {"PICTIFY_BASE_URL": told["PICTIFY_BASE_URL"]}
        threads = [threading.Thread(target=apply, args=(environ,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        last = hub.run("workflow_dispatch", asked, env=environ)
    assert (last.failed, len(jobs)) == (False, 2), last.log
    assert len(read_meter(hub.work.folder / "server")) == 4
    names = git(hub.remote, "ls-tree", "-r", "--name-only", "pictures").splitlines()
    assert names == [f"cards/{item}.{layout}.png" for item in "ab" for layout in ("default", "square")]


@pytest.mark.full
def test_a_merge_queue_is_held_against_what_was_reviewed(hub: Hub) -> None:
    """The same work passes; more than the pull request's plan fails before anything is merged."""
    number = hub.propose("change")
    assert not hub.run("pull_request", {}, pull=number, workflow=2).failed
    head = hub.read("pulls")[0]["head"]["sha"]
    queued = f"refs/heads/gh-readonly-queue/main/pr-{number}-{head}"
    git(hub.remote, "update-ref", queued, f"refs/pull/{number}/merge")
    passed = hub.run("merge_group", {}, queued=queued, workflow=2)
    assert not passed.failed, passed.log
    hub.work.write("manifests/rows.csv", f"{ROWS}c,C,#000000\n")
    git(hub.remote, "update-ref", queued, hub.commit("other"))
    refused = hub.run("merge_group", {}, queued=queued, workflow=2)
    assert refused.failed
    assert "create cards/c@default" in refused.log
    assert "cards/a@default" not in refused.log.partition("Error:")[2]


def test_it_is_installed_once_for_the_same_extras(tmp_path: Path) -> None:
    """A second use in a job that asks for more parts gets them; names that are none are refused."""
    python = tmp_path / "python"
    python.write_text(
        f"""#!/bin/sh
case "$2" in
venv) mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
pip) echo "$*" >> "{tmp_path}/said"; cp "$0" "$(dirname "$0")/pictify-sync" ;;
esac
"""
    )
    python.chmod(0o755)
    names = {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "output"), "PYTHON": str(python)}
    environ = {**os.environ, **names, "GITHUB_ACTION_PATH": "/an action"}
    for extras, code in (("fonts", 0), ("fonts", 0), ("fonts,objects", 0), ("", 0), ("x; y", 1)):
        done = subprocess.run([ROOT / "action/install.sh"], env={**environ, "EXTRAS": extras}, check=False)
        assert done.returncode == code
    wanted = [line.partition("constraints.txt ")[2] for line in (tmp_path / "said").read_text().splitlines()]
    assert wanted == ["/an action[fonts]", "/an action[fonts,objects]", "/an action"]


@pytest.mark.full
def test_the_tool_is_installed_from_the_checkout_of_the_action(tmp_path: Path) -> None:
    """Into a folder of its own, with the versions of the list; a second use in the job installs nothing."""
    action = tmp_path / "action"
    shutil.copytree(ROOT / "action", action / "action")
    shutil.copytree(ROOT / "pictify_sync", action / "pictify_sync", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, action)
    environ = {**os.environ, "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "output")}
    environ |= {"GITHUB_ACTION_PATH": str(action), "PYTHON": sys.executable, "EXTRAS": "fonts,review"}
    environ.pop("PYTHONPATH", None)
    for _ in range(2):
        subprocess.run([action / "action/install.sh"], env=environ, timeout=600, check=True)
    tool = (tmp_path / "output").read_text().splitlines()[0].removeprefix("tool=")
    listed = subprocess.run(
        [Path(tool).with_name("python"), "-m", "pip", "list", "--format=json"], capture_output=True, check=True
    )
    found = {one["name"].lower().replace("_", "-"): one["version"] for one in json.loads(listed.stdout)}
    for line in (ROOT / "action/constraints.txt").read_text().splitlines()[1:]:
        name, _, version = line.partition("==")
        assert Version(found.get(name, version)) == Version(version), name
    assert subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
