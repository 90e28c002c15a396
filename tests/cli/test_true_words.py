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
    assert "local bills nothing" in cli("status").out.splitlines()[-1]


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
    applied = cli("apply", "--yes")
    assert "4 fetched again" in applied.out
    assert "Rendered" not in applied.out
