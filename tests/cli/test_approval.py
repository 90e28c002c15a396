"""Work held against what was approved: by `plan --check-against` before a merge, by `apply --approve` after it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.running import Run, edit


def saved(cli: Run, name: str) -> str:
    """Save the plan of now; gives its digest."""
    digest = json.loads(cli("plan", "--json", "--out", name).out)["digest"]
    assert isinstance(digest, str)
    return digest


def test_a_check_passes_for_the_same_work_and_for_less(project: Path, cli: Run) -> None:
    """The plan itself, a part of it and no work at all are fine; the plan is shown as ever, and nothing is done."""
    edit(project, "a,A,", "a,Other,")
    edit(project, "b,B,", "b,More,")
    digest = saved(cli, "approved.json")
    for agreed in ("approved.json", digest):
        said = cli("plan", "--check-against", agreed)
        assert (said.code, said.talk) == (0, "")
        assert "4 to update" in said.out
    edit(project, "b,More,", "b,B,")
    assert cli("plan", "--check-against", "approved.json", "--detailed-exitcode").code == 2
    edit(project, "a,Other,", "a,A,")
    assert cli("plan", "--check-against", "approved.json", "--check-against", digest).code == 0


def test_a_check_names_every_piece_of_work_that_exceeds(project: Path, cli: Run) -> None:
    """Other values for an approved key count as other work; so does a key nobody mentioned."""
    edit(project, "a,A,", "a,Other,")
    digest = saved(cli, "approved.json")
    edit(project, "a,Other,", "a,Third,")
    edit(project, "b,B,", "b,More,")
    said = cli("plan", "--check-against", "approved.json")
    assert said.code == 1
    assert "4 changes were not approved" in said.talk
    assert [line.strip() for line in said.talk.splitlines() if line.startswith("  ")] == [
        f"update cards/{item}@{layout}" for item in "ab" for layout in ("default", "square")
    ]
    assert digest in cli("plan", "--check-against", digest).talk


def test_more_than_fit_on_a_screen_are_counted(project: Path, cli: Run) -> None:
    """Twenty are named, the others counted."""
    saved(cli, "approved.json")
    rows = project / "manifests/rows.csv"
    rows.write_text(rows.read_text() + "".join(f"n{number},New,#000000\n" for number in range(30)))
    said = cli("plan", "--check-against", "approved.json")
    assert "60 changes were not approved" in said.talk
    assert "  and 40 more" in said.talk.splitlines()


def test_several_plans_approve_together(project: Path, cli: Run) -> None:
    """Two reviews, each of its own row, allow an apply that does both; one alone does not."""
    edit(project, "a,A,", "a,Other,")
    saved(cli, "one.json")
    edit(project, "a,Other,", "a,A,")
    edit(project, "b,B,", "b,More,")
    saved(cli, "two.json")
    edit(project, "a,A,", "a,Other,")
    assert cli("apply", "--approve", "one.json").code == 1
    done = cli("apply", "--approve", "one.json", "--approve", "two.json", "--json")
    assert (done.code, json.loads(done.out)["stored"]) == (0, 4)


def test_a_forged_plan_approves_nothing(project: Path, cli: Run) -> None:
    """An edited plan is refused before anything is planned."""
    edit(project, "a,A,", "a,Other,")
    saved(cli, "approved.json")
    plan = project / "approved.json"
    plan.write_text(plan.read_text().replace("cards/a@", "cards/b@"))
    for command in (("plan", "--check-against"), ("apply", "--approve")):
        said = cli(*command, "approved.json")
        assert (said.code, said.out) == (1, "")
        assert "approved.json" in said.talk
