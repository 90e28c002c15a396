"""Which plans count as reviewed, and archives made to harm whoever opens them."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pictify_sync.errors import GitHubError
from pictify_sync.github import approvals
from pictify_sync.github.approvals import fetch_plans, reviewed, unpack
from pictify_sync.github.event import MergeGroup, Run, read_run
from tests.action.job import Hub
from tests.action.machine import git
from tests.action.test_comments import api
from tests.end_to_end.project import ProjectFolder


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A repository with manifests."""
    made = Hub(tmp_path / "hub")
    made.work = ProjectFolder(tmp_path / "developer")
    made.commit("main")
    return made


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as out:
        for name, body in members.items():
            out.writestr(name, body)
    return content.getvalue()


def change(hub: Hub, name: str) -> int:
    """Propose something that no other pull request touches."""
    git(hub.work.folder, "checkout", "--quiet", "--detach", "origin/main")
    hub.work.write(f"manifests/{name}.txt", name)
    return hub.propose(name)


def pushed(hub: Hub, conclusion: str = "failure") -> Run:
    """The run of the apply workflow for the newest commit."""
    sha = git(hub.remote, "rev-parse", "main")
    with hub.edited() as content:
        number = len(content["runs"]) + 1
        about = {"head_branch": "main", "head_sha": sha, "event": "push", "workflow_id": 1, "conclusion": conclusion}
        content["runs"].append({"id": number, **about})
    return Run("push", "owner/name", sha, "main", str(number), "https://github.com", None, None)


def numbers(hub: Hub, run: Run) -> list[int]:
    """The pull requests that count for a run."""
    return [number for number, _ in reviewed(api(hub, "read"), run)]


def test_a_run_that_was_displaced_leaves_its_work_to_the_next(hub: Hub) -> None:
    """All pull requests merged since the last success; none of those before it, and no commit without one."""
    hub.merge(change(hub, "one"))
    assert numbers(hub, pushed(hub)) == [1]
    pushed(hub, "success")
    for name in ("two", "three"):
        hub.merge(change(hub, name))
        pushed(hub, "cancelled")
    number = change(hub, "four")
    hub.merge(number)
    run = pushed(hub)
    assert numbers(hub, run) == [2, 3, 4]
    git(hub.work.folder, "checkout", "--quiet", "main")
    hub.commit("main", "pushed by hand")
    assert numbers(hub, pushed(hub)) == [2, 3, 4]


def test_the_first_apply_ever_looks_back(hub: Hub) -> None:
    """At the newest commits; so does one after the history was rewritten."""
    for name in ("one", "two"):
        hub.merge(change(hub, name))
    assert numbers(hub, pushed(hub)) == [1, 2]
    with hub.edited() as content:
        content["runs"][-1] |= {"conclusion": "success", "head_sha": "f" * 40}
    assert numbers(hub, pushed(hub)) == [1, 2]


def test_a_merge_of_many_commits_hides_none_before_it(hub: Hub) -> None:
    """However many commits it brought: what was merged before it and not applied counts as well."""
    hub.merge(change(hub, "one"))
    pushed(hub, "cancelled")
    folder = hub.work.folder
    git(folder, "checkout", "--quiet", "--detach", "origin/main")
    for _ in range(approvals.PAGE + 5):
        git(folder, "commit", "--quiet", "--allow-empty", "-m", "one of many")
    hub.merge(hub.propose("two"))
    assert numbers(hub, pushed(hub)) == [1, 2]


def test_a_merge_queue_counts_those_before(hub: Hub) -> None:
    """Each entry stands on those before it, which are not merged yet; none after it counts."""
    queued = [change(hub, name) for name in ("one", "two", "three")]
    git(hub.work.folder, "checkout", "--quiet", "--detach", "origin/main")
    base, runs = git(hub.remote, "rev-parse", "main"), []
    for number in queued:
        git(hub.work.folder, "merge", "--quiet", "--no-ff", "-m", "queue", hub.read("pulls")[number - 1]["head"]["sha"])
        name = f"refs/heads/gh-readonly-queue/main/pr-{number}-{base}"
        git(hub.work.folder, "push", "--quiet", "origin", f"HEAD:{name}")
        head = git(hub.work.folder, "rev-parse", "HEAD")
        group = MergeGroup(base_sha=base, head_ref=name)
        runs.append(Run("merge_group", "owner/name", head, "", "1", "https://github.com", None, group))
        base = head
    assert [numbers(hub, run) for run in runs] == [[1], [1, 2], [1, 2, 3]]


def test_only_the_plan_of_the_merged_commit_counts(hub: Hub, tmp_path: Path) -> None:
    """Not that of an earlier one, of a push, of another project, or one that has expired; the newest of several."""
    number = change(hub, "one")
    hub.merge(number)
    head = hub.read("pulls")[0]["head"]["sha"]
    cases = [
        ("pictify-sync-plan-1", head, "pull_request", False, "old"),
        ("pictify-sync-plan-1", head, "pull_request", False, "newest"),
        ("pictify-sync-plan-1", "f" * 40, "pull_request", False, "another commit"),
        ("pictify-sync-plan-1", head, "push", False, "of a push"),
        ("pictify-sync-plan-2", head, "pull_request", False, "another project"),
        ("pictify-sync-plan-1", head, "pull_request", True, "expired"),
    ]
    with hub.edited() as content:
        for name, sha, event, expired, body in [
            *cases,
            *(("pictify-sync-plan-1", "d" * 40, "pull_request", False, "later"),) * 120,
        ]:
            run, artifact = len(content["runs"]) + 1, len(content["artifacts"]) + 1
            content["runs"].append({"id": run, "event": event, "workflow_id": 2, "head_branch": "", "conclusion": ""})
            about = {"name": name, "expired": expired, "created_at": f"2026-01-01T00:{artifact:03}:00Z"}
            where = {"workflow_run": {"id": run, "head_sha": sha}, "size_in_bytes": 9}
            content["artifacts"].append({"id": artifact, **about, **where})
            (hub.folder / f"{artifact}.zip").write_bytes(archive({"plan.json": body.encode()}))
    folder = tmp_path / "approved"
    found = fetch_plans(api(hub, "read"), [(number, head), (9, "e" * 40)], "pictify-sync-plan-1", folder)
    assert list(found) == [(1, True), (9, False)]
    assert {file.name: file.read_text() for file in folder.iterdir()} == {"1.json": "newest"}


def hostile() -> Iterator[bytes]:
    """Archives that are none, hold no plan, two plans, or one that cannot be had."""
    plain = archive({"plan.json": b"{}"})
    yield from (b"", b"PK", plain[:-5], plain[30:], b"\0" * 1_000)
    yield archive({"../plan.json": b"{}", "a/plan.json": b"{}"})
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as out:
        out.writestr("plan.json", b"{}")
        out.filename = None
        with pytest.warns(UserWarning, match="Duplicate"):
            out.writestr("plan.json", b"{}")
    yield twice.getvalue()
    yield plain.replace(b"PK\x01\x02" + plain[plain.index(b"PK\x01\x02") + 4 :][:4], b"PK\x01\x02\x14\x03\xff\x00")
    at = plain.index(b"PK\x01\x02")
    yield plain[: at + 8] + struct.pack("<H", 1) + plain[at + 10 :]  # encrypted
    yield plain[: at + 10] + struct.pack("<H", 99) + plain[at + 12 :]  # an unknown compression


@pytest.mark.parametrize("content", list(hostile()), ids=range(len(list(hostile()))))
def test_an_archive_that_holds_no_plan_is_refused(tmp_path: Path, content: bytes) -> None:
    """With an error of ours, and without a file."""
    with pytest.raises(GitHubError):
        unpack(content, tmp_path / "plan.json")
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_is_not_unfolded(tmp_path: Path) -> None:
    """A member of more bytes than a plan may have is refused, whatever its header says."""
    bomb = archive({"plan.json": b"\0" * (approvals.MAX_PLAN + 1)})
    assert len(bomb) < approvals.MAX_PLAN // 500
    with pytest.raises(GitHubError, match="bytes"):
        unpack(bomb, tmp_path / "plan.json")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_archive_is_refused_or_read(tmp_path: Path, place: int, byte: int) -> None:
    """Never another error than ours."""
    content = bytearray(archive({"plan.json": b'{"a": 1}' * 9}))
    content[place % len(content)] = byte
    try:
        unpack(bytes(content), tmp_path / "plan.json")
    except GitHubError:
        return
    assert (tmp_path / "plan.json").read_bytes() == b'{"a": 1}' * 9


def test_a_merge_queue_names_its_pull_request(tmp_path: Path) -> None:
    """By the name of its branch, which GitHub makes; any other name is nobody's turn."""
    for reference, expected in (
        (f"refs/heads/gh-readonly-queue/main/pr-12-{'a' * 40}", 12),
        (f"refs/heads/gh-readonly-queue/release/1/pr-3-{'a' * 40}", 3),
        (f"refs/heads/pr-12-{'a' * 40}", None),
        (f"refs/heads/gh-readonly-queue/main/pr-12-{'a' * 40}/..", None),
    ):
        event = tmp_path / "event.json"
        event.write_text(f'{{"merge_group": {{"base_sha": "{"b" * 40}", "head_ref": "{reference}"}}}}')
        names = {"EVENT_NAME": "merge_group", "EVENT_PATH": str(event), "REPOSITORY": "o/n", "SHA": "a", "RUN_ID": "1"}
        run = read_run({f"GITHUB_{name}": value for name, value in names.items()} | dict(os.environ))
        assert (run.queued, run.base_sha) == (expected, "b" * 40)
