"""Pages that commands write: what is asked for is there, in its place, beside what they say anyway."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from pictify_sync.report.markdown.plan import COMMENT
from tests.cli.running import Run, document, edit


def content(page: Path) -> Any:
    """What the script of a page shows."""
    found = re.search(r'id="review">(.*?)</script>', page.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return json.loads(found.group(1))


def test_a_plan_as_pages(project: Path, cli: Run) -> None:
    """HTML and Markdown tell the same changes as the document, which goes to stdout all the same."""
    edit(project, "a,A,", "a,Other,")
    said = cli("plan", "--json", "--html", "plan.html", "--markdown", "plan.md")
    assert said.code == 0
    digest = json.loads(said.out)["digest"]
    shown = content(project / "plan.html")
    assert [change["name"] for change in shown["changes"]] == ["a@default", "a@square"]
    assert shown["changes"][0]["values"] == [["title", '"A"', '"Other"']]
    page = (project / "plan.md").read_text(encoding="utf-8")
    assert digest in page
    assert '`title`: `"A"` → `"Other"`' in page
    assert len(page.encode()) <= COMMENT


@pytest.mark.parametrize("option", ["--markdown", "--summary"])
def test_a_page_that_cannot_be_written_is_named(project: Path, cli: Run, option: str) -> None:
    """The error says which of the files it is, and why."""
    (project / "page.md").symlink_to("page.md")
    said = cli("plan", option, "page.md")
    assert said.code == 1
    assert "page.md cannot be written: too many levels of symbolic links" in said.talk


def test_the_summary_of_a_job_is_appended(project: Path, cli: Run) -> None:
    """What another step wrote before stays."""
    (project / "summary.md").write_text("before")
    assert cli("plan", "--summary", "summary.md").code == 0
    assert (project / "summary.md").read_text(encoding="utf-8").startswith("before\n**No changes.")


def test_an_apply_as_a_page_has_its_pictures(project: Path, cli: Run) -> None:
    """What was published is in the page, with its cost and the time it took."""
    edit(project, "a,A,", "a,Other,")
    assert cli("apply", "--yes", "--html", "apply.html", "--markdown", "apply.md").code == 0
    shown = content(project / "apply.html")
    assert [change["path"] for change in shown["changes"]] == ["cards/a.default.png", "cards/a.square.png"]
    text = (project / "apply.html").read_text(encoding="utf-8")
    assert all(f'id="{change["after"]}">data:image/png;base64,' in text for change in shown["changes"])
    assert "Rendered 2 pictures." in text
    assert "Applied: 2 stored" in (project / "apply.md").read_text(encoding="utf-8")


def test_drift_as_a_page(project: Path, cli: Run) -> None:
    """A changed file is shown as it was found, a lost one is named; the exit code and the document stay as they are."""
    (project / "output/cards/a.default.png").unlink()
    (project / "output/cards/b.default.png").write_bytes((project / "output/cards/a.square.png").read_bytes())
    said = cli("refresh", "--check", "--json", "--html", "drift.html")
    assert said.code == 2
    assert len(document("drift", said.out)["drift"]) == 2  # type: ignore[arg-type]
    lost, changed = content(project / "drift.html")["changes"]
    assert lost["name"] == "a@default"
    assert "cannot be shown" in lost["note"]
    assert changed["after"].startswith("picture-")


def test_all_records_as_a_contact_sheet(project: Path, cli: Run) -> None:
    """Every recorded asset with its picture and its variables."""
    assert cli("show", "--html", "all.html").code == 0
    shown = content(project / "all.html")
    assert [change["name"] for change in shown["changes"]] == ["a@default", "a@square", "b@default", "b@square"]
    assert all(change["after"] for change in shown["changes"])
    assert ["title", "", '"A"'] in shown["changes"][0]["values"]
    assert shown["grid"]


def test_show_takes_a_key_or_a_page(project: Path, cli: Run) -> None:
    """Neither and both are refused, with a hint."""
    for arguments in ((), ("cards/a@default", "--html", "all.html")):
        said = cli("show", *arguments)
        assert said.code == 1
        assert "show takes either a KEY or --html FILE" in said.talk
    assert not (project / "all.html").exists()


def test_a_page_that_cannot_be_written_is_an_error(project: Path, cli: Run) -> None:
    """The message names the file."""
    said = cli("plan", "--html", "nowhere/plan.html")
    assert said.code == 1
    assert "nowhere" in said.talk


@pytest.mark.parametrize("option", ["html", "markdown", "summary"])
@pytest.mark.parametrize("command", ["plan", "apply --yes", "preview", "refresh"])
def test_a_page_in_a_folder_that_is_not_there_is_refused_first(
    project: Path, cli: Run, command: str, option: str
) -> None:
    """Before anything is rendered, billed or said."""
    edit(project, "a,A,", "a,Other,")
    before = cli("state", "list").out
    said = cli(*command.split(), f"--{option}", "reports/page")
    assert (said.code, said.out) == (1, "")
    assert f"--{option} reports/page: there is no such folder" in said.talk
    assert cli("state", "list").out == before


def test_a_page_replaces_what_a_link_names_and_no_device(project: Path, cli: Run) -> None:
    """A link stays a link; what is no file is left alone."""
    (project / "real.html").write_text("before")
    (project / "link.html").symlink_to("real.html")
    assert cli("plan", "--html", "link.html").code == 0
    assert (project / "link.html").is_symlink()
    assert "No changes" in (project / "real.html").read_text(encoding="utf-8")
    os.mkfifo(project / "pipe")
    for command in ("plan", "show"):
        said = cli(command, "--html", "pipe")
        assert said.code == 1
        assert "--html pipe: this is no file" in said.talk
    assert (project / "pipe").is_fifo()
