"""What the last version of format 2 wrote goes on: its specs had a layout and a quality, no variant and no options.

`old/format_2/` was made by it, of two manifests (webp of quality 0.85 in two layouts, and png). `account` is a project
over an account with seven pictures and an open batch of four, kept as a state file, a snapshot and a bundle of a
state on a Git ref, and a plan that was saved before that batch; `local` is the same over the embedded server, with its
folder; `planned` is that project at the time of its saved plan.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pictify_sync.core.approval import plan_digest
from pictify_sync.core.entries import Intended
from pictify_sync.core.fingerprint import spec_digest
from pictify_sync.state import codec
from pictify_sync.state.planfile.document import read_plan
from pictify_sync.state.sqlite import schema
from tests.state.git_remotes import REF, Hub, git
from tests.state.test_formats import OLD, ok, run, version_of

FORMAT_2 = OLD / "format_2"
SAME = "Plan: 4 awaited, 7 unchanged."
DONE = "No changes. All 11 pictures"


def project(parent: Path, kind: str) -> Path:
    """The project of a kind with its state in place, below a folder."""
    folder = Path(shutil.copytree(FORMAT_2 / kind, parent / kind))
    shutil.copytree(FORMAT_2 / "account/manifests", folder / "manifests", dirs_exist_ok=True)
    (folder / ".pictify-sync").mkdir()
    for part in ("state.db", "local"):
        if (folder / part).exists():
            (folder / part).rename(folder / ".pictify-sync" / part)
    return folder


def rows_of(path: Path) -> list[tuple[str, bytes]]:
    """The text and the checksum of every entry."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT body, chain FROM log ORDER BY serial").fetchall()


def unbundled(parent: Path) -> tuple[Hub, Path]:
    """A remote with the state on its ref, and the project over it without an index."""
    hub = Hub(parent / "hub.git")
    found = git(hub.folder, "bundle", "unbundle", str(FORMAT_2 / "account/state.bundle"))
    git(hub.folder, "update-ref", REF, found.split()[0])
    folder = project(parent, "account")
    shutil.rmtree(folder / ".pictify-sync")
    with (folder / "pictify-sync.yaml").open("a") as settings:
        settings.write(f"name: cards\nstate: git+ref:{REF}?remote=../hub.git\n")
    return hub, folder


def test_a_state_file_plans_the_same_and_its_entries_stay(tmp_path: Path) -> None:
    """Reading leaves the file as it is; a write adds entries of today behind the old ones, whose texts stay."""
    folder = project(tmp_path, "account")
    path = folder / ".pictify-sync/state.db"
    before = rows_of(path)
    assert ok(folder, "plan").startswith(SAME)
    assert (version_of(path), rows_of(path)) == (2, before)
    assert not run(folder, "state", "rebuild", "--check").stdout
    ok(folder, "taint", "badges/a@default")
    ok(folder, "untaint", "badges/a@default")
    after = rows_of(path)
    assert after[: len(before)] == before
    assert '"quality":' in before[2][0]
    assert all('"quality":' not in body and '"variant":"default"' in body for body, _ in after[len(before) :])
    assert version_of(path) == schema.FORMAT
    assert ok(folder, "plan").startswith(SAME)
    assert not run(folder, "state", "rebuild", "--check").stdout
    ok(folder, "state", "rebuild")
    assert ok(folder, "plan").startswith(SAME)


def test_a_snapshot_is_imported(tmp_path: Path) -> None:
    """Open batches included; what is exported again has the form of today."""
    folder = project(tmp_path, "account")
    shutil.rmtree(folder / ".pictify-sync")
    ok(folder, "state", "import", "snapshot.jsonl")
    assert ok(folder, "plan").startswith(SAME)
    lines = [json.loads(line) for line in ok(folder, "state", "export").splitlines()]
    assert {line["spec"]["options"] for line in lines if line["kind"] == "asset"} == {'{"quality":0.85}', "{}"}
    assert [line["kind"] for line in lines].count("open_batch") == 1


def test_a_saved_plan_is_read_and_has_its_digest(tmp_path: Path) -> None:
    """What was approved by that digest is still that work."""
    plan = read_plan(project(tmp_path, "account") / "plan.json")
    assert plan_digest(plan.changes, plan.templates) == plan.digest == "h1:609e290a48227fd68c3f7b4616f00d09"


def test_a_state_on_a_ref_goes_on(tmp_path: Path) -> None:
    """It is fetched and planned from; the first push raises its format, and keeps the files that are there."""
    hub, folder = unbundled(tmp_path)
    before = hub.names()
    ok(folder, "state", "fetch")
    assert ok(folder, "plan").startswith(SAME)
    ok(folder, "taint", "badges/a@default")
    ok(folder, "untaint", "badges/a@default")
    assert json.loads(git(hub.folder, "show", f"{REF}:meta.json"))["format_version"] == 3
    assert set(before) <= set(hub.names())
    shutil.rmtree(folder / ".pictify-sync")
    ok(folder, "state", "fetch")
    assert ok(folder, "plan").startswith(SAME)
    assert not run(folder, "state", "rebuild", "--check").stdout


def test_an_embedded_server_finishes_its_open_batch(tmp_path: Path) -> None:
    """The batch that was open there is finished by the next apply, and then there is nothing to do."""
    folder = project(tmp_path, "local")
    ok(folder, "apply", "--yes")
    assert ok(folder, "plan", "--detailed-exitcode").startswith(DONE)
    assert not run(folder, "state", "rebuild", "--check").stdout


def test_unchanged_work_plans_no_changes(tmp_path: Path) -> None:
    """With the rows of the time nothing is to be done."""
    folder = project(tmp_path, "planned")
    rows = folder / "manifests/badges.csv"
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:4]))
    assert ok(folder, "plan", "--detailed-exitcode").startswith("No changes. All 7 pictures")


def test_a_saved_plan_is_carried_out(tmp_path: Path) -> None:
    """It is neither stale nor in another form: exactly what it says is made."""
    folder = project(tmp_path, "planned")
    assert "Applied: 4 stored." in ok(folder, "apply", "plan.json")
    assert ok(folder, "plan", "--detailed-exitcode").startswith(DONE)


@pytest.mark.parametrize("kind", ["account", "local", "planned"])
def test_digests_of_old_specs_are_those_of_today(kind: str) -> None:
    """Every spec of an open batch has the fingerprint that its claims were given then."""
    with closing(sqlite3.connect(FORMAT_2 / kind / "state.db")) as connection:
        bodies = [body for (body,) in connection.execute("SELECT body FROM log WHERE kind = 'intended'")]
    for entry in map(codec.decode_entry, bodies):
        assert isinstance(entry, Intended)
        digests = {spec.variant: spec_digest(spec) for spec in entry.specs}
        assert {(claim.layout, claim.fingerprint.spec) for claim in entry.claims} == set(digests.items())
        assert codec.decode_entry(codec.encode_entry(entry)) == entry
