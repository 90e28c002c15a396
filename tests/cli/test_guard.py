"""Plans that an apply would refuse, and protection that is recorded: said by plan in every form, and held by apply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Run, document, edit


@pytest.fixture
def wary(project: Path) -> Path:
    """The project, guarded from its first picture on."""
    (project / "pictify-sync.yaml").write_text("version: 1\nguard: {min_recorded: 1}\n")
    return project


def manifest(project: Path) -> Path:
    """The only manifest of assets."""
    return next(file for file in (project / "manifests").glob("*.yaml") if "rows:" in file.read_text())


def protect(project: Path, *, value: bool) -> None:
    """Set `protect` in the manifest."""
    file = manifest(project)
    lines = [line for line in file.read_text().splitlines() if not line.startswith("protect:")]
    file.write_text("\n".join([*lines, f"protect: {str(value).lower()}", ""]))


def test_plan_says_what_apply_would_refuse(wary: Path, cli: Run) -> None:
    """In text, on every page, in JSON and by the exit code, with why and how to allow it; apply says the same."""
    edit(wary, "b,B,#654321\n", "")
    pages = ("--html", "p.html", "--markdown", "p.md", "--summary", "s.md", "--out", "p.json")
    said = cli("plan", "--detailed-exitcode", *pages)
    assert said.code == 1
    words = "2 of 4 recorded pictures would be deleted: 50.0 % is over 30 %"
    assert said.out.count("An apply will refuse this plan") == 2
    assert words in said.out
    assert "--allow-deletes" in said.out
    for name in ("p.html", "p.md", "s.md"):
        assert "2 of 4 recorded pictures would be deleted" in (wary / name).read_text()
    told = json.loads(cli("plan", "--json").out)["refusals"]
    assert [(one["rule"], one["found"], one["limit"]) for one in told] == [("guard.max_delete_percent", 50.0, 30.0)]
    assert words in told[0]["message"]
    refused = cli("apply", "--yes")
    assert refused.code == 1
    assert words in refused.talk
    assert cli("plan", "--warn-only").code == 0
    assert cli("plan", "--warn-only", "--detailed-exitcode").code == 2
    approved = cli("plan", "--check-against", "p.json")  # is not refused, nor said to be
    assert (approved.code, "refuse" in approved.out) == (0, False)
    assert json.loads(cli("plan", "--check-against", "p.json", "--json").out)["refusals"] == []
    assert cli("apply", "p.json", "--yes").code == 0
    assert cli("plan").code == 0


def test_plan_says_that_too_much_would_be_rendered(project: Path, cli: Run) -> None:
    """guard.max_renders is told as the limit on deletes is."""
    (project / "pictify-sync.yaml").write_text("version: 1\nguard: {max_renders: 1}\n")
    edit(project, "a,A,", "a,Other,")
    said = cli("plan")
    assert said.code == 1
    assert "2 pictures would be rendered, over 1" in said.out
    assert json.loads(cli("plan", "--json").out)["refusals"][0]["rule"] == "guard.max_renders"


def test_a_selection_empties_no_manifest(project: Path, cli: Run) -> None:
    """What is selected is held against all of its manifest."""
    (project / "pictify-sync.yaml").write_text("version: 1\nguard: {min_recorded: 1, max_delete_percent: 50}\n")
    edit(project, "b,B,#654321\n", "")
    assert cli("plan").code == 0
    said = cli("plan", "--select", "cards/b@square")
    assert said.code == 1  # of what is in scope, all goes
    assert "manifest cards" not in said.out


def test_protection_alone_is_a_change(project: Path, cli: Run) -> None:
    """It is in plan, pages, JSON, exit code and digest; apply records it, and it holds from then on."""
    before = json.loads(cli("plan", "--json").out)["digest"]
    protect(project, value=True)
    said = cli("plan", "--detailed-exitcode", "--html", "p.html", "--markdown", "p.md")
    assert said.code == 2
    assert "4 to protect" in said.out
    assert "protected from now on" in said.out
    assert "to protect" in (project / "p.html").read_text()
    assert "to protect" in (project / "p.md").read_text()
    plan = json.loads(cli("plan", "--json").out)
    assert plan["digest"] != before
    assert [change["action"] for change in plan["changes"]] == ["protect"] * 4
    applied = cli("apply", "--yes")
    assert (applied.code, "4 protected" in applied.out) == (0, True)
    assert cli("plan", "--detailed-exitcode").code == 0
    assert json.loads(cli("plan", "--json").out)["digest"] == before
    edit(project, "b,B,#654321\n", "")
    cli("apply", "--yes")
    assert list((project / "output").rglob("b*"))


def test_protection_is_approved_like_other_work(project: Path, cli: Run) -> None:
    """Neither setting nor lifting it goes through without the approval of just that; what is refused is named."""
    cli("plan", "--out", "nothing.json")
    protect(project, value=True)
    said = cli("apply", "--approve", "nothing.json")
    assert said.code == 1
    assert "protect cards/a@default" in said.talk
    cli("plan", "--out", "protect.json")
    assert cli("apply", "protect.json").code == 0
    protect(project, value=False)
    said = cli("apply", "--approve", "protect.json")
    assert said.code == 1
    assert "unprotect cards/a@default" in said.talk
    said = cli("plan", "--detailed-exitcode")
    assert (said.code, "4 to unprotect" in said.out) == (2, True)
    done = document("apply", cli("apply", "--yes", "--json").out)
    assert (done["unprotected"], done["protected"]) == (4, 0)


def test_protection_that_is_lifted_in_the_same_edit_still_holds(project: Path, cli: Run) -> None:
    """A row that goes together with `protect` is kept; once the lifting is recorded, its delete is planned."""
    protect(project, value=True)
    cli("apply", "--yes")
    protect(project, value=False)
    edit(project, "b,B,#654321\n", "")
    said = cli("plan")
    assert "2 to unprotect" in said.out
    assert "2 blocked" in said.out
    cli("apply", "--yes")
    assert "2 blocked" in cli("plan").out or "protected: kept" in cli("plan").out
    edit(project, "a,A,#123456\n", "a,A,#123456\nb,B,#654321\n")
    cli("apply", "--yes")
    edit(project, "b,B,#654321\n", "")
    assert "2 to delete" in cli("plan").out


def test_a_saved_delete_of_what_was_protected_since_is_stale(project: Path, cli: Run) -> None:
    """A plan made before its pictures were protected deletes nothing, and says why."""
    edit(project, "b,B,#654321\n", "")
    cli("plan", "--out", "delete.json")
    edit(project, "a,A,#123456\n", "a,A,#123456\nb,B,#654321\n")
    protect(project, value=True)
    cli("apply", "--yes")
    said = cli("apply", "delete.json")
    assert said.code == 1
    assert "out of date" in said.talk
    assert list((project / "output").rglob("b*"))
