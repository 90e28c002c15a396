"""What commands say of cost, files and repairs is so."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import Run, document, edit


def test_nothing_is_said_to_be_billed_where_nothing_is(project: Path, cli: Run) -> None:
    """The embedded provider renders for nothing: apply, its pages and status say so."""
    edit(project, "a,A,", "a,Other,")
    said = cli("apply", "--yes", "--markdown", "p.md")
    assert "Rendered 2 pictures." in said.out
    assert "illed" not in said.out + (project / "p.md").read_text()
    told = cli("status").out.splitlines()[-1]
    assert told == "Rendered/Billed so far: 6 pictures in 2 attempts; local bills nothing."


def test_cancel_says_when_there_is_nothing_to_cancel(project: Path, cli: Run) -> None:
    """It does not say that it applied anything."""
    said = cli("cancel", "--all")
    assert (said.code, said.out, said.talk) == (0, "", "No open batch can be cancelled.\n")


def test_the_end_of_a_long_plan_counts_once_more(project: Path, cli: Run) -> None:
    """A terminal shows the end: where many changes are listed, the counts stand there, too."""
    assert cli("plan", "--replace", "*").out.count("4 to update") == 2  # of the plan, and of its manifest
    edit(project, "a,A,", "".join(f"c{number},C,#123456\n" for number in range(20)) + "a,A,")
    assert cli("plan").out.splitlines()[-2] == "Plan: 40 to create, 4 unchanged."


def test_a_file_that_is_left_alone_is_listed_until_it_is_gone(project: Path, cli: Run) -> None:
    """It is not counted as removed; apply, page and status name it."""
    file = next(one for one in (project / "output").rglob("b*") if one.is_file())
    file.write_bytes(b"edited")
    edit(project, "b,B,#654321\n", "")
    said = cli("apply", "--yes", "--html", "p.html")
    assert "1 removed" in said.out
    assert "1 file no longer wanted, but left alone" in said.out
    assert "file left alone" in (project / "p.html").read_text()
    name = file.relative_to(project / "output").as_posix()
    assert f"No longer wanted, and still there: {name}" in cli("status").out
    assert document("status", cli("status", "--json").out)["obsolete"] == [name]
    file.unlink()
    cli("apply", "--yes")
    assert "No longer wanted" not in cli("status").out


def test_a_repair_that_fetches_is_not_said_to_render(project: Path, cli: Run) -> None:
    """The plan says that lost files are fetched, and what that may cost at most; nothing is rendered."""
    for file in [one for one in (project / "output").rglob("*.*") if one.is_file()]:
        file.unlink()
    cli("refresh")
    said = cli("plan")
    assert "Renders up to 4 pictures in up to 1 batch" in said.out
    assert "Fetches 4 pictures again" in said.out
    assert "would be repaired: fetched again, or rendered if" in cli("explain", "cards/a@default").out
    applied = cli("apply", "--yes")
    assert "4 fetched again" in applied.out
    assert "Rendered" not in applied.out


def test_a_file_that_is_left_alone_is_said_once(project: Path, cli: Run) -> None:
    """Each apply names it once, and does not say that there was nothing to do when it forgot the picture."""
    edit(project, "b,B,#654321\n", "")
    for name in ("default", "square"):
        (project / f"output/cards/b.{name}.png").write_bytes(b"edited")
    for _ in range(2):
        said = cli("apply", "--yes")
        assert "Applied: nothing removed; 2 unchanged." in said.out
        assert said.talk.count("b.default.png was left alone") == 1


def test_a_failure_that_was_taken_back_is_a_change(project: Path, cli: Run) -> None:
    """Where apply runs only when there is something to do, it is cleared nevertheless; by a saved plan, too."""
    template = next((project / "manifests").rglob("*.html"))
    text = template.read_text()
    template.write_text(text.replace("</body>", '<img src="pictures/none.svg"></body>'))
    picture = template.parent / "pictures/none.svg"
    picture.parent.mkdir()
    picture.write_text("no picture")
    assert "4 pictures failed" in cli("apply", "--yes").out
    template.write_text(text)
    said = cli("plan", "--detailed-exitcode", "--out", "p.json")
    assert said.code == 2
    assert "Clears 4 failures: what failed is no longer asked for.\nRenders nothing." in said.out
    done = document("apply", cli("apply", "p.json", "--json").out)
    assert (done["cleared"], done["stored"], done["kept"]) == (4, 0, 0)
    assert "failed" not in cli("status").out
    assert cli("plan", "--detailed-exitcode").code == 0
