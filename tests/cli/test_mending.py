"""Commands that mend a state: keys forgotten and renamed, snapshots out and in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Run


def test_a_recorded_key_can_be_forgotten_or_renamed(project: Path, cli: Run) -> None:
    """Forgotten: planned anew, its file stays. Renamed: a move without a render when the manifest follows."""
    assert "2 pictures forgotten." in cli("state", "rm", "cards/a").out
    assert (project / "output/cards/a.default.png").exists()
    assert "2 to create" in cli("plan").out
    assert cli("state", "mv", "cards/b@square", "cards/c@square").code == 0
    keys = [line.split()[0] for line in cli("state", "list").out.splitlines()]
    assert keys == ["cards/b@default", "cards/c@square"]


@pytest.mark.parametrize(
    "key", ["cards", "cards/c", "cards/x y@square", "cards/c@d@square", "cards/é@square", "/c@square"]
)
@pytest.mark.usefixtures("project")
def test_a_key_that_no_manifest_can_have_is_refused(cli: Run, key: str) -> None:
    """What `state mv` records can be exported and imported again."""
    refused = cli("state", "mv", "cards/b@square", key)
    assert refused.code == 1
    assert "is no key" in refused.talk
    assert "cards/b@square" in cli("state", "list").out


def test_a_snapshot_goes_out_and_in(project: Path, cli: Run) -> None:
    """Export, lose the state, import: nothing is left to do."""
    snapshot = cli("state", "export")
    assert snapshot.code == 0
    (project / "snapshot.jsonl").write_text(snapshot.out)
    refused = cli("state", "import", "snapshot.jsonl")
    assert refused.code == 1
    assert "history" in refused.talk
    for file in (project / ".pictify-sync").glob("state.db*"):
        file.unlink()
    assert cli("state", "import", "snapshot.jsonl").code == 0
    assert cli("plan", "--detailed-exitcode").code == 0
